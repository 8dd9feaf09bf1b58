"""The stream of withdrawals: pages of the records from a position on, and checkpoints between them.

A page and the head come from one snapshot. After a page that is not full everything up to that head was sent,
which is what the checkpoint says. Nothing is kept for a reader but their position: whoever does not take an
answer in time is cut off, and goes on from the last one they kept.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from services.chassis.refusals import precondition, unavailable
from services.consent.domain.changes import Revision
from services.consent.domain.withdrawals import Recorded

PAGE = 500
"""Withdrawals that are read at once: what is held for one reader at most."""


class Withdrawals(Protocol):
    """Where the records are."""

    async def withdrawals(self, above: int, limit: int) -> tuple[tuple[Recorded, ...], Revision]:
        """At most `limit` after a revision, in order, and the head of the same snapshot."""
        ...


class Watch:
    """Gives withdrawals to whoever follows them."""

    def __init__(self, withdrawals: Withdrawals, *, interval_seconds: float) -> None:
        """`interval_seconds`: how often it is looked for more, and the longest time between checkpoints."""
        self._withdrawals = withdrawals
        self._interval_seconds = interval_seconds

    async def follow(self, after: Revision) -> AsyncIterator[tuple[Revision, Recorded | None]]:
        """Each withdrawal after a position with its own, and checkpoints (None); until nobody asks for more.

        Raises Refusal CURSOR_OF_ANOTHER_EPOCH, CURSOR_AHEAD, DATABASE_BEHIND, DATABASE_UNAVAILABLE.
        """
        position, begun = after, False
        while True:
            page, head = await self._withdrawals.withdrawals(position.number, PAGE)
            position = _checked(position, head, begun=begun)
            begun = True
            for recorded in page:
                yield Revision(head.epoch, recorded.revision), recorded
            if len(page) == PAGE:
                position = Revision(head.epoch, page[-1].revision)
                continue
            position = head
            yield position, None
            await asyncio.sleep(self._interval_seconds)


def _checked(position: Revision, head: Revision, *, begun: bool) -> Revision:
    """The position in the head's epoch; from the beginning is good in any."""
    if position.number == 0:
        return Revision(head.epoch, 0)
    if position.epoch != head.epoch:
        message = f"the database is in epoch {head.epoch}: read again from the restore point"
        raise precondition("CURSOR_OF_ANOTHER_EPOCH", message)
    if position.number > head.number:
        if begun:
            raise unavailable("DATABASE_BEHIND", "the database has lost what it had shown before")
        raise precondition("CURSOR_AHEAD", "the position lies beyond what is on record")
    return position
