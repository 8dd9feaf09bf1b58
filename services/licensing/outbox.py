"""The outbox: tells metering, at least once, what committed rows say (ADR 3).

A message goes when metering has answered it; those about one reservation go one after the other, in the order
in which they were written. One that metering refuses for good is parked with the reason and reported, never
dropped, and holds up no other.
"""

import asyncio
import itertools
from collections.abc import Sequence
from operator import attrgetter
from typing import Protocol

import structlog

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.counts import ContentCounts
from services.licensing.domain.deliveries import Message, Said

AT_ONCE = 64
"""Messages read and sent together."""
PAUSE_SECONDS = 1.0
"""Between looks when metering does not answer; the caller of a decision never waits for this."""


class Messages(Protocol):
    """The outbox's rows."""

    async def due(self, limit: int) -> Sequence[Message]: ...
    async def remove(self, sent: Sequence[int], parked: Sequence[tuple[int, str]]) -> None: ...


class Meter(Protocol):
    """Who must hear."""

    async def settle(self, reservation_id: str, delivered: ContentCounts) -> None: ...
    async def reduce(self, reservation_id: str, keep: ContentCounts) -> None: ...
    async def cancel(self, reservation_id: str) -> None: ...


class Outbox:
    """Delivers messages to metering in the background."""

    name = "outbox"

    def __init__(self, messages: Messages, meter: Meter) -> None:
        self._messages = messages
        self._meter = meter
        self._news = asyncio.Event()
        self._log = structlog.get_logger(self.name)

    def wake(self) -> None:
        """Says that there may be a new message."""
        self._news.set()

    async def run(self) -> None:
        """Delivers until cancelled. What is under way then is delivered again after the next start."""
        while True:
            self._news.clear()
            try:
                more = await self.deliver()
            except Refusal as refusal:
                self._log.warning("outbox_waits", reason=refusal.reason)
                more = False
            if not more:
                await self._wait()

    async def deliver(self) -> bool:
        """Sends what is due, once; whether there may be more to send now.

        Raises Refusal (unavailable) when the outbox itself cannot be read or written.
        """
        due = await self._messages.due(AT_ONCE)
        told = await asyncio.gather(*(self._send_in_turn(each) for each in _by_reservation(due)))
        answers = list(itertools.chain.from_iterable(told))
        sent = [seq for seq, refusal in answers if refusal is None]
        parked = [(seq, refusal.reason) for seq, refusal in answers if refusal and _is_final(refusal)]
        if sent or parked:
            await self._messages.remove(sent, parked)
        for seq, reason in parked:
            self._log.error("outbox_parked", seq=seq, reason=reason)
        return bool(sent) and len(due) == AT_ONCE

    async def _send_in_turn(self, messages: Sequence[Message]) -> list[tuple[int, Refusal | None]]:
        """What came of messages about one reservation; none is sent after one that has to be sent again."""
        answers = list[tuple[int, Refusal | None]]()
        for message in messages:
            refusal = await self._send(message)
            answers.append((message.seq, refusal))
            if refusal is not None and not _is_final(refusal):
                break
        return answers

    async def _send(self, message: Message) -> Refusal | None:
        try:
            match message.said:
                case Said.SETTLE:
                    await self._meter.settle(message.reservation_id, message.counts)
                case Said.REDUCE:
                    await self._meter.reduce(message.reservation_id, message.counts)
                case Said.CANCEL:
                    await self._meter.cancel(message.reservation_id)
        except Refusal as refusal:
            return refusal
        return None

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return


def _by_reservation(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages of each reservation, in their order."""
    ordered = sorted(messages, key=attrgetter("reservation_id", "seq"))
    return [list(each) for _, each in itertools.groupby(ordered, attrgetter("reservation_id"))]


def _is_final(refusal: Refusal) -> bool:
    """Whether the same message can never be taken."""
    return refusal.kind in {Kind.INVALID, Kind.NOT_FOUND, Kind.ALREADY_EXISTS, Kind.PRECONDITION}
