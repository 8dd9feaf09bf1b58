"""Reads for people and their dashboards, who ask as often as they like: no decision waits for them."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TypeVar

from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.long_reads import GoOn
from services.chassis.refusals import Refusal

T = TypeVar("T")


class SideReads:
    """Reads on the reader that no decision needs, one after the other, and only so many wait."""

    def __init__(self, database: Database, most: int, busy: Callable[[], Refusal]) -> None:
        """`busy` makes the refusal of whoever comes when `most` callers are waiting."""
        self._database = database
        self._most = most
        self._busy = busy
        self._waiting = 0

    async def read(self, query: Callable[[Connection, GoOn], T]) -> T:
        """What `query` finds in one snapshot; whoever is cancelled has what runs for them stopped.

        Raises what `Database.read_each` raises, and `busy`.
        """

        # Its span names whoever asks.
        @functools.wraps(query)
        def alone(connection: Connection, go_on: GoOn) -> list[T]:
            return [query(connection, go_on)]

        with self._place_to_wait():
            answers = self._database.read_each(alone)
            async with contextlib.aclosing(answers):
                (answer,) = [answer async for answer in answers]
            return answer

    @contextlib.contextmanager
    def _place_to_wait(self) -> Iterator[None]:
        if self._waiting >= self._most:
            raise self._busy()
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
