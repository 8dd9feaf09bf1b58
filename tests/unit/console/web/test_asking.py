"""Pages whose parts come from several services."""

import asyncio
import contextlib
import time

import pytest

from services.chassis.deadlines import remaining_us, within
from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal, not_found, unavailable
from services.console.web.asking import Missing, asked, together
from sluice.consent.v1.state_service_pb2 import ListHaltsRequest
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from tests.support.frozen import a_frozen_service


async def _answers(value: object) -> object:
    return value


async def _refuses(refusal: Refusal) -> object:
    raise refusal


@pytest.mark.parametrize("kind", [Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.INTERNAL])
async def test_a_part_that_nobody_answers_for_is_missing_for_now(kind: Kind) -> None:
    part = await asked(_refuses(Refusal(kind, "PEER_UNAVAILABLE", "metering did not answer")))

    assert part == Missing("PEER_UNAVAILABLE", is_closed=False)
    assert not part


async def test_a_part_that_is_not_open_to_the_caller_says_so() -> None:
    part = await asked(_refuses(Refusal(Kind.FORBIDDEN, "NOT_ADMITTED", "not open to this role")))

    assert part == Missing("NOT_ADMITTED", is_closed=True)


@pytest.mark.parametrize(
    "kind", sorted(set(Kind) - {Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.INTERNAL, Kind.FORBIDDEN}, key=str)
)
async def test_every_other_refusal_is_of_the_whole_page(kind: Kind) -> None:
    with pytest.raises(Refusal) as refused:
        await asked(_refuses(Refusal(kind, "WORD", "said")))

    assert refused.value.kind is kind


async def test_the_rest_of_a_page_stands_where_one_part_is_missing() -> None:
    found = await together(halts=_answers([1]), usage=_refuses(unavailable("PEER_UNAVAILABLE", "gone")))

    assert found == {"halts": [1], "usage": Missing("PEER_UNAVAILABLE")}


async def test_parts_are_asked_for_side_by_side() -> None:
    meeting = asyncio.Barrier(2)

    async def arrives(name: str) -> str:
        await meeting.wait()
        return name

    async with asyncio.timeout(10):
        found = await together(first=arrives("a"), second=arrives("b"))

    assert found == {"first": "a", "second": "b"}


async def test_a_part_of_many_calls_is_waited_for_once() -> None:
    async def in_a_row(peer: Peer) -> None:
        for _ in range(100):
            with contextlib.suppress(Refusal):
                await peer.call(StateServiceStub(peer.channel).ListHalts, ListHaltsRequest())

    async with a_frozen_service() as address:
        peer, began = Peer(address, None, name="consent"), time.monotonic()
        one = await asked(peer.call(StateServiceStub(peer.channel).ListHalts, ListHaltsRequest()), 200_000)
        await asked(in_a_row(peer), 200_000)
        took = time.monotonic() - began
        await peer.close()

    assert one == Missing("PEER_UNAVAILABLE")
    # A call for itself has five seconds.
    assert took < 4


async def test_a_part_has_no_more_time_than_the_page_that_it_is_on() -> None:
    async def left() -> int:
        return remaining_us() or 0

    with within(1_000_000):
        on_a_page = await asked(left(), 2_000_000)
    alone = await asked(left(), 2_000_000)

    assert isinstance(on_a_page, int)
    assert isinstance(alone, int)
    assert 0 < on_a_page <= 1_000_000 < alone <= 2_000_000
    assert remaining_us() is None


async def test_nothing_goes_on_after_the_page_has_failed() -> None:
    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def fails_later() -> None:
        await asyncio.sleep(0)
        raise not_found("NO_SUCH_LICENSE", "there is no such license")

    with pytest.raises(Refusal):
        await together(slow=waits(), wrong=fails_later())

    assert cancelled.is_set()
