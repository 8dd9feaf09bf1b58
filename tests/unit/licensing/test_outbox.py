"""The outbox says everything to metering at least once, and loses nothing on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis.refusals import Refusal, precondition, unavailable
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.deliveries import Message
from services.licensing.outbox import Outbox

CANCEL = Message(1, "attempt-1", None)
SETTLE = Message(2, "attempt-2", ((1, 0, 3),))


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
        self.heard: list[tuple[str, ContentCounts | None]] = []
        self.refusing: dict[str, Refusal] = {}

    async def settle(self, reservation_id: str, delivered: ContentCounts) -> None:
        self._hear(reservation_id, delivered)

    async def cancel(self, reservation_id: str) -> None:
        self._hear(reservation_id, None)

    def _hear(self, reservation_id: str, delivered: ContentCounts | None) -> None:
        if refusal := self.refusing.get(reservation_id):
            raise refusal
        self.heard.append((reservation_id, delivered))


async def test_a_message_goes_when_metering_has_answered_it() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()

    await Outbox(rows, metering).deliver()

    assert metering.heard == [("attempt-1", None), ("attempt-2", ((1, 0, 3),))]
    assert rows.messages == []


async def test_a_message_stays_while_metering_is_down() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()
    metering.refusing["attempt-1"] = unavailable("PEER_UNAVAILABLE", "down")

    await Outbox(rows, metering).deliver()

    assert rows.messages == [CANCEL]
    assert rows.parked == {}


async def test_a_message_refused_for_good_is_parked_with_its_reason_and_not_dropped() -> None:
    rows, metering = Rows(CANCEL, SETTLE), Metering()
    metering.refusing["attempt-1"] = precondition("RESERVATION_SETTLED", "settled")

    await Outbox(rows, metering).deliver()

    assert rows.messages == [CANCEL]
    assert rows.parked == {1: "RESERVATION_SETTLED"}


async def test_a_full_page_says_that_there_may_be_more() -> None:
    many = [Message(seq, f"attempt-{seq}", None) for seq in range(1, 101)]
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

    assert metering.heard == [("attempt-2", ((1, 0, 3),))]
