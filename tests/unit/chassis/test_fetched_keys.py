"""Keys that are fetched: used for as long as they are good, and when they are not, nobody is let in."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from services.chassis.fetched_keys import FetchedKeys
from services.chassis.fetching import Fetched, FetchError
from services.chassis.jwks import usable_keys
from services.chassis.refusals import Kind, Refusal
from tests.support.clock import ManualClock
from tests.support.forging import Workshop

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
SHOP, LATER = Workshop(), Workshop()


class Provider:
    """Gives what a test says; `asked` counts, and `comes` lets a test wait."""

    def __init__(self) -> None:
        self.content: bytes | None = document(SHOP, "ed")
        self.max_age: int | None = None
        self.asked = 0
        self.comes = asyncio.Semaphore(0)

    async def fetch(self) -> Fetched:
        self.asked += 1
        self.comes.release()
        if self.content is None:
            raise FetchError("it is down")
        return Fetched(self.content, self.max_age)


def document(shop: Workshop, *kids: str, **more: object) -> bytes:
    return json.dumps({"keys": [shop.jwk(kid) | more for kid in kids]}).encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def keys(provider: Provider, clock: ManualClock) -> FetchedKeys:
    return FetchedKeys("https://id.example.com", provider, clock, kept_us=HOUR_US, pause_seconds=10)


def refused(keys: FetchedKeys, kid: str | None = None) -> bool:
    """Whether the keys are not at hand; a caller may come back."""
    try:
        if kid is None:
            keys.refresh()
        else:
            keys.get(kid)
    except Refusal as refusal:
        assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "KEYS_UNAVAILABLE")
        assert refusal.retry_after_us is not None
        return True
    return False


def test_before_the_first_fetch_nobody_is_let_in(keys: FetchedKeys) -> None:
    assert refused(keys)
    assert refused(keys, "ed")


async def test_what_was_fetched_is_used_and_told_as_new_once(keys: FetchedKeys) -> None:
    await keys.renew()

    assert keys.get("ed") is not None
    assert (keys.refresh(), keys.refresh()) == (True, False)


async def test_the_same_keys_again_are_no_news_and_others_are(keys: FetchedKeys, provider: Provider) -> None:
    await keys.renew()
    keys.refresh()

    await keys.renew()
    assert not keys.refresh()
    provider.content = document(LATER, "ed")
    await keys.renew()
    assert keys.refresh()


@pytest.mark.parametrize(
    ("max_age", "age_us"),
    [
        (None, HOUR_US),
        (0, MINUTE_US),
        (59, MINUTE_US),
        (600, 10 * MINUTE_US),
        (10**9, 24 * HOUR_US),
    ],
)
async def test_a_set_is_fetched_again_before_it_gets_old_and_is_kept_for_an_hour_beyond(
    keys: FetchedKeys, provider: Provider, clock: ManualClock, max_age: int | None, age_us: int
) -> None:
    provider.max_age = max_age
    await keys.renew()
    provider.content = None

    assert keys.rest_seconds() * SECOND_US == age_us * 4 // 5
    clock.advance(age_us)
    await keys.renew()
    assert keys.rest_seconds() == 0
    clock.advance(HOUR_US - 1)
    assert not refused(keys)
    assert keys.get("ed") is not None
    clock.advance(1)
    assert refused(keys)
    assert refused(keys, "ed")


async def test_when_the_issuer_is_back_its_tokens_are_believed_again(
    keys: FetchedKeys, provider: Provider, clock: ManualClock
) -> None:
    await keys.renew()
    clock.advance(2 * HOUR_US)
    assert refused(keys)

    await keys.renew()

    assert not refused(keys)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>sign in</html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [null, 7, "x", []]}',
        b'{"keys": [], "keys": []}',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"keys": ' + b"[" * 60_000,
        document(SHOP, "ed", use="enc"),
        document(SHOP, "ed", d="AAAA"),
        document(SHOP, "rsa", alg="RS512"),
        document(SHOP, "ec", crv="P-384"),
        document(SHOP, "ed", "ed"),
        document(SHOP, "ed", kid=7),
        document(SHOP, "ed", x="AAAA"),
        document(SHOP, "ed", exp="never"),
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a"}]}).encode(),
    ],
    ids=lambda content: content[:40].decode("latin-1"),
)
async def test_what_is_no_set_of_keys_leaves_the_last_good_one(
    keys: FetchedKeys, provider: Provider, content: bytes
) -> None:
    await keys.renew()
    provider.content = content

    await keys.renew()

    assert keys.get("ed") is not None


def test_of_somebody_elses_keys_those_that_nobody_can_check_with_are_left_out() -> None:
    """RFC 7517, 5."""
    listed = [
        SHOP.jwk("rsa"),
        SHOP.jwk("ec") | {"x5c": ["AAAA"], "x5t": "a", "key_ops": ["verify"]},
        {"kty": "OKP", "crv": "Ed448", "x": "AAAA", "kid": "ed448"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "pq"},
        SHOP.jwk("rsa") | {"kid": "ps", "alg": "PS256"},
        SHOP.jwk("rsa") | {"use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"},
    ]

    assert {
        kid: key.algorithm for kid, key in usable_keys(json.dumps({"keys": listed}).encode()).items()
    } == {
        "rsa": "RS256",
        "ec": "ES256",
    }


async def test_a_key_that_is_not_in_the_set_is_looked_for_once_in_ten_seconds(
    keys: FetchedKeys, provider: Provider, clock: ManualClock
) -> None:
    await keys.renew()
    provider.content = document(LATER, "ed", "ec")

    # A moment ago the issuer had no such key: the token is wrong.
    assert keys.get("ec") is None
    clock.advance(10 * SECOND_US - 1)
    assert keys.get("ec") is None
    clock.advance(1)
    assert refused(keys, "ec")
    await keys.renew()
    assert keys.get("ec") is not None
    assert keys.get("none") is None


async def test_the_errand_fetches_at_once_and_then_only_when_it_is_time_or_a_key_is_missing(
    provider: Provider, clock: ManualClock
) -> None:
    keys = FetchedKeys("https://id.example.com", provider, clock, kept_us=HOUR_US, pause_seconds=0)
    running = asyncio.create_task(keys.run())

    await provider.comes.acquire()
    await turns()
    assert provider.asked == 1
    for kid in wrong_kids():
        assert refused(keys, kid)
    await provider.comes.acquire()
    await turns()
    assert provider.asked == 2
    clock.advance(HOUR_US)
    assert refused(keys, "none")
    await provider.comes.acquire()

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def turns() -> None:
    """Gives the others in the loop, and the threads that they wait for, what they need to come to rest."""
    for _ in range(50):
        await asyncio.to_thread(lambda: None)


def wrong_kids() -> Sequence[str]:
    return [f"wrong-{number}" for number in range(100)]
