"""The stream of recalls as they are issued: pages from a place on, and steps between them that say how far.

A place is a recall's number among those of its licensee; or, for who follows all licensees, among all.
A page and the newest place come from one snapshot, and places are in the order of commits: after a page
that is not full, all up to that place was sent. Nothing is kept for a reader but their position, however
many there are; whoever does not take an answer in time is cut off, and goes on from the last one they kept.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from services.chassis.refusals import precondition, unavailable
from services.licensing.domain.recalls.recalls import Recall

PAGE = 100
"""Recalls that are read at once: what is held for one reader at most."""
LOOK_SECONDS = 1.0
QUIET_SECONDS = 15.0
"""The longest time between two steps."""


class Recalls(Protocol):
    """Where the recalls are."""

    async def recalls_after(
        self, licensee_id: str | None, after: int, limit: int
    ) -> tuple[Sequence[Recall], int]:
        """At most `limit` after a place, in order, and the newest place of the same snapshot."""
        ...


class RecallWatch:
    """Gives recalls to whoever follows them."""

    def __init__(self, recalls: Recalls, *, look_seconds: float = LOOK_SECONDS) -> None:
        """`look_seconds`: how often it is looked for more."""
        self._recalls = recalls
        self._look_seconds = look_seconds

    async def follow(self, licensee_id: str | None, after: int) -> AsyncIterator[tuple[int, Recall | None]]:
        """Each recall after a place with its own, and how far all was sent (None); for as long as asked.

        Raises Refusal CURSOR_AHEAD, DATABASE_BEHIND, DATABASE_UNAVAILABLE.
        """
        position, told, quiet_seconds = after, -1, 0.0
        while True:
            page, newest = await self._recalls.recalls_after(licensee_id, position, PAGE)
            _check(position, newest, begun=told >= 0)
            for recall in page:
                position = told = place_of(recall, licensee_id)
                yield position, recall
            if len(page) == PAGE:
                continue
            position = newest
            if position != told or quiet_seconds >= QUIET_SECONDS:
                yield position, None
                told, quiet_seconds = position, 0.0
            await asyncio.sleep(self._look_seconds)
            quiet_seconds += self._look_seconds


def place_of(recall: Recall, licensee_id: str | None) -> int:
    """Where an issued recall stands among those of a licensee, or among all (None)."""
    place = recall.place if licensee_id is None else recall.number
    assert place is not None, "only those that are issued are read"
    return place


def _check(position: int, newest: int, *, begun: bool) -> None:
    if position <= newest:
        return
    if begun:
        raise unavailable("DATABASE_BEHIND", "the database has lost what it had shown before")
    raise precondition("CURSOR_AHEAD", "the position lies beyond what was issued")
