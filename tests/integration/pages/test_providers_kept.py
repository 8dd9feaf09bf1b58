"""What is kept of a provider, and who waits for it: over real HTTP, without the pages."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import Response

from services.chassis.refusals import Refusal
from services.console.web.provider import DISCOVERY
from tests.support.authorizing import an_authorization, broken, refusal_of, signed_in, slow
from tests.support.clock import ManualClock
from tests.support.provider import ProviderServer, a_provider
from tests.support.waiting import until

HOUR_US = 3_600_000_000


@pytest.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with a_provider() as server:
        yield server


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_what_the_provider_says_of_itself_is_fetched_once_an_hour(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock)

    await asyncio.gather(*(authorization.begin("/") for _ in range(3)))
    clock.advance(HOUR_US - 1)
    await authorization.begin("/")
    within = list(provider.asked)
    clock.advance(1)
    await authorization.begin("/")

    assert within == [DISCOVERY, "/keys"]
    assert provider.asked == within * 2


async def test_keys_are_fetched_again_when_a_token_names_a_new_one(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.kids = ("ed",)
    authorization = an_authorization(provider, clock)
    await signed_in(provider, authorization)
    provider.kids, provider.signs_with = ("ec",), "ec"
    clock.advance(10_000_000)

    token = await signed_in(provider, authorization)

    assert token
    assert provider.asked.count("/keys") == 2


async def test_tokens_that_name_unknown_keys_do_not_have_them_fetched_each_time(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.kids, provider.signs_with = ("ed",), "ec"
    authorization = an_authorization(provider, clock)

    reasons = [await refusal_of(provider, authorization) for _ in range(3)]

    assert reasons == ["SIGN_IN_INVALID"] * 3
    assert provider.asked.count("/keys") == 1


async def test_those_who_wait_for_a_provider_that_hangs_wait_together(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.instead[DISCOVERY] = slow
    authorization = an_authorization(provider, clock)

    # One after the other they would take a second each.
    async with asyncio.timeout(8):
        outcomes = await asyncio.gather(
            *(authorization.begin("/") for _ in range(20)), return_exceptions=True
        )

    assert {getattr(each, "reason", "") for each in outcomes} == {"PROVIDER_UNAVAILABLE"}
    assert provider.asked == [DISCOVERY]


async def test_a_provider_that_has_failed_is_asked_again_after_five_seconds(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.instead[DISCOVERY] = broken
    authorization = an_authorization(provider, clock)

    for _ in range(3):
        with pytest.raises(Refusal, match="PROVIDER_UNAVAILABLE"):
            await authorization.begin("/")
    asked = len(provider.asked)
    provider.instead.clear()
    clock.advance(5_000_000)
    await authorization.begin("/")

    assert asked == 1


async def test_who_leaves_does_not_end_the_fetch_of_the_others(
    provider: ProviderServer, clock: ManualClock
) -> None:
    let = asyncio.Event()

    async def waits(request: Request) -> Response:
        await let.wait()
        return await provider._document(request)

    provider.instead[DISCOVERY] = waits
    authorization = an_authorization(provider, clock)
    first, second = (asyncio.create_task(authorization.begin("/")) for _ in range(2))
    await until(lambda: bool(provider.asked), "it is asked")
    first.cancel()
    let.set()

    assert (await second)[0].startswith(provider.issuer)
    assert provider.asked == [DISCOVERY, "/keys"]


async def test_people_sign_in_for_six_hours_while_the_provider_does_not_say_its_keys_anew(
    provider: ProviderServer, clock: ManualClock
) -> None:
    authorization = an_authorization(provider, clock)
    await authorization.begin("/")
    provider.instead[DISCOVERY] = broken

    clock.advance(6 * HOUR_US - 1)
    address, _ = await authorization.begin("/")
    clock.advance(5_000_000)

    assert address.startswith(provider.issuer)
    with pytest.raises(Refusal, match="PROVIDER_UNAVAILABLE"):
        await authorization.begin("/")


async def test_a_new_key_that_cannot_be_fetched_is_not_taken_for_a_forged_one(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.kids = ("ed",)
    authorization = an_authorization(provider, clock)
    await signed_in(provider, authorization)
    provider.signs_with, provider.instead["/keys"] = "ec", broken
    clock.advance(10_000_000)

    assert await refusal_of(provider, authorization) == "PROVIDER_UNAVAILABLE"


async def test_who_signs_out_does_not_wait_for_the_provider(
    provider: ProviderServer, clock: ManualClock
) -> None:
    provider.document = {"end_session_endpoint": f"{provider.issuer}/out"}
    authorization = an_authorization(provider, clock)
    before = authorization.end_address()
    await authorization.begin("/")
    provider.instead[DISCOVERY] = slow
    clock.advance(2 * HOUR_US)

    assert (before, authorization.end_address()) == (None, f"{provider.issuer}/out")
