"""The stream of withdrawals: pages of the records from a position on, and checkpoints between them.

A page and the head come from one snapshot. After a page that is not full everything up to that head was sent,
which is what the checkpoint says. Nothing is kept for a reader but their position: whoever does not take an
answer in time is cut off, and goes on from the last one they kept.

A position of an earlier epoch is one in a history that was lost from some number on. Whoever has it goes on
from where that history and the present one part (R5).
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import astuple
from typing import Protocol

from services.chassis.heads import Head
from services.chassis.refusals import Behind, Refusal, precondition
from services.chassis.restores import resumed
from services.consent.domain.changes import Revision
from services.consent.domain.withdrawals import Recorded

PAGE = 500
"""Withdrawals that are read at once: what is held for one reader at most."""
QUIET_SECONDS = 5.0
"""The longest time between two steps; readers take one that is silent for a minute for dead."""


class Withdrawals(Protocol):
    """Where the records are."""

    async def withdrawals(self, above: int, limit: int) -> tuple[tuple[Recorded, ...], Revision]:
        """At most `limit` after a revision, in order, and the head of the same snapshot."""
        ...

    async def course(self) -> tuple[Revision, tuple[Head, ...]]:
        """The head; and for each epoch that a restore began, up to which number all earlier ones share it."""
        ...


class Watch:
    """Gives withdrawals to whoever follows them."""

    def __init__(
        self, withdrawals: Withdrawals, *, interval_seconds: float, quiet_seconds: float = QUIET_SECONDS
    ) -> None:
        """`interval_seconds`: between looks; `quiet_seconds`: between checkpoints where nothing comes."""
        self._withdrawals = withdrawals
        self._interval_seconds = interval_seconds
        self._quiet_seconds = quiet_seconds

    async def follow(self, after: Revision) -> AsyncIterator[tuple[Revision, Recorded | None]]:
        """Each withdrawal after a position with its own, and checkpoints (None); until nobody asks for more.

        Raises Refusal CURSOR_OF_ANOTHER_EPOCH, CURSOR_AHEAD, DATABASE_BEHIND, DATABASE_UNAVAILABLE.
        """
        position, quiet_seconds = await self._present(after), 0.0
        told: Revision | None = None
        while True:
            page, head = await self._withdrawals.withdrawals(position.number, PAGE)
            if position > head:
                raise Behind
            if position.epoch < head.epoch:
                # Whoever opens the stream again goes on in the new epoch.
                raise _of_another_epoch(head)
            for recorded in page:
                yield Revision(head.epoch, recorded.revision), recorded
            if len(page) == PAGE:
                position = Revision(head.epoch, page[-1].revision)
                continue
            position = head
            # That nothing has come is no news, but now and then that somebody still looks.
            if position != told or quiet_seconds >= self._quiet_seconds:
                yield position, None
                told, quiet_seconds = position, 0.0
            await asyncio.sleep(self._interval_seconds)
            quiet_seconds += self._interval_seconds

    async def _present(self, position: Revision) -> Revision:
        """The position in the head's epoch from which somebody goes on who has come to this one."""
        head, restores = await self._withdrawals.course()
        if position.number == 0:
            # From the beginning is good in any epoch.
            return Revision(head.epoch, 0)
        if position.epoch == head.epoch:
            if position.number > head.number:
                raise precondition("CURSOR_AHEAD", "the position lies beyond what is on record")
            return position
        number = resumed(Head(*astuple(position)), Head(*astuple(head)), restores)
        if number is None:
            raise _of_another_epoch(head)
        return Revision(head.epoch, number)


def _of_another_epoch(head: Revision) -> Refusal:
    message = f"the database is in epoch {head.epoch}, and no restore on record leads there from the position"
    return precondition("CURSOR_OF_ANOTHER_EPOCH", message)
