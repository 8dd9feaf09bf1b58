"""The outbox says everything to metering at least once, and loses nothing on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis.refusals import Refusal, precondition, unavailable
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.deliveries import Message, Said
from services.licensing.outbox import Outbox

CANCEL = Message(1, "attempt-1", Said.CANCEL)
SETTLE = Message(2, "attempt-2", Said.SETTLE, ((1, 0, 3),))

ONE, TWO = ((1, 0, 1),), ((1, 0, 2),)


class Rows:
    """The outbox's rows, in memory."""

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)
        self.parked: dict[int, str] = {}

    async def due(self, limit: int) -> Sequence[Message]:
        return [message for message in self.messages if message.seq not in self.parked][:limit]

    async def remove(self, sent: Sequence[int], parked: Sequence[tuple[int, str]]) -> None:
        self.messages = [message for message in self.messages if message.seq not in sent]
        self.parked.update(parked)


class Metering:
    """Hears what it is told, unless it refuses."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Said, ContentCounts]] = []
        self.refusing: dict[tuple[str, Said], Refusal] = {}

    async def settle(self, reservation_id: str, delivered: ContentCounts) -> None:
        await self._hear(reservation_id, Said.SETTLE, delivered)

    async def reduce(self, reservation_id: str, keep: ContentCounts) -> None:
        await self._hear(reservation_id, Said.REDUCE, keep)

    async def cancel(self, reservation_id: str) -> None:
        await self._hear(reservation_id, Said.CANCEL)

    async def _hear(self, reservation_id: str, said: Said, counts: ContentCounts = ()) -> None:
        # Others may be under way meanwhile, and overtake it.
        await asyncio.sleep(0)
        if refusal := self.refusing.get((reservation_id, said)):
            raise refusal
        self.heard.append((reservation_id, said, counts))


async def test_a_message_goes_when_metering_has_answered_it() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()

    await Outbox(rows, metering).deliver()

    assert metering.heard == [("attempt-1", Said.CANCEL, ()), ("attempt-2", Said.SETTLE, ((1, 0, 3),))]
    assert rows.messages == []


async def test_a_message_stays_while_metering_is_down() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()
    metering.refusing["attempt-1", Said.CANCEL] = unavailable("PEER_UNAVAILABLE", "down")

    await Outbox(rows, metering).deliver()

    assert rows.messages == [CANCEL]
    assert rows.parked == {}


async def test_a_message_refused_for_good_is_parked_with_its_reason_and_not_dropped() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()
    metering.refusing["attempt-1", Said.CANCEL] = precondition("RESERVATION_SETTLED", "settled")

    await Outbox(rows, metering).deliver()

    assert rows.messages == [CANCEL]
    assert rows.parked == {1: "RESERVATION_SETTLED"}


async def test_a_hold_is_reduced_before_it_is_settled_whatever_goes_side_by_side() -> None:
    others = [Message(seq, f"attempt-{seq}", Said.CANCEL) for seq in (2, 4)]
    reduction, settlement = (
        Message(1, "attempt-1", Said.REDUCE, TWO),
        Message(3, "attempt-1", Said.SETTLE, ONE),
    )
    rows, metering = Rows(reduction, others[0], settlement, others[1]), Metering()

    await Outbox(rows, metering).deliver()

    about_it = [heard for heard in metering.heard if heard[0] == "attempt-1"]
    assert about_it == [("attempt-1", Said.REDUCE, TWO), ("attempt-1", Said.SETTLE, ONE)]
    assert metering.heard[-1] == about_it[-1], "nobody else has waited"
    assert rows.messages == []


async def test_a_settlement_waits_for_a_reduction_that_has_not_arrived_and_no_other_does() -> None:
    reduction, settlement = (
        Message(1, "attempt-1", Said.REDUCE, TWO),
        Message(3, "attempt-1", Said.SETTLE, ONE),
    )
    rows, metering = Rows(reduction, SETTLE, settlement), Metering()
    metering.refusing["attempt-1", Said.REDUCE] = unavailable("PEER_UNAVAILABLE", "down")
    outbox = Outbox(rows, metering)

    await outbox.deliver()
    waiting = list(rows.messages)
    metering.refusing.clear()
    await outbox.deliver()

    assert waiting == [reduction, settlement]
    assert [heard[1] for heard in metering.heard if heard[0] == "attempt-1"] == [Said.REDUCE, Said.SETTLE]
    assert rows.messages == []


async def test_a_reduction_refused_for_good_is_parked_and_the_settlement_goes() -> None:
    reduction, settlement = (
        Message(1, "attempt-1", Said.REDUCE, TWO),
        Message(3, "attempt-1", Said.SETTLE, ONE),
    )
    rows, metering = Rows(reduction, settlement), Metering()
    metering.refusing["attempt-1", Said.REDUCE] = precondition("KEEPS_MORE_THAN_HELD", "more than is held")

    await Outbox(rows, metering).deliver()

    assert metering.heard == [("attempt-1", Said.SETTLE, ONE)]
    assert (rows.messages, rows.parked) == ([reduction], {1: "KEEPS_MORE_THAN_HELD"})


async def test_a_full_page_says_that_there_may_be_more() -> None:
    many = [Message(seq, f"attempt-{seq}", Said.CANCEL) for seq in range(1, 101)]
    rows, metering = Rows(*many), Metering()
    outbox = Outbox(rows, metering)

    more = [await outbox.deliver(), await outbox.deliver()]

    assert more == [True, False]
    assert rows.messages == []


async def test_the_worker_goes_on_after_its_database_was_out_of_reach() -> None:
    rows, metering = Rows(SETTLE), Metering()
    outbox = Outbox(rows, metering)
    broken, mended = [unavailable("DATABASE_UNAVAILABLE", "disk full")], rows.due

    async def due(limit: int) -> Sequence[Message]:
        if broken:
            outbox.wake()
            raise broken.pop()
        return await mended(limit)

    rows.due = due  # type: ignore[method-assign]
    worker = asyncio.create_task(outbox.run())
    while not metering.heard:  # noqa: ASYNC110 - there is nothing to wait for but the worker itself
        await asyncio.sleep(0)
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker

    assert metering.heard == [("attempt-2", Said.SETTLE, ((1, 0, 3),))]
