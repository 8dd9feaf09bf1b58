"""The desk of the login wall: raises it, lowers it, and tells what became of it.

Every change locks the head row, so that its number is in the order of commits. Whoever made it is answered
when this process holds it: the others read it within a second (`wall_watching`).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id
from services.chassis.replays import ReplayKey
from services.licensing.domain.doors.walls import Raising, WallChange, lowered, raised

T = TypeVar("T")

Render = Callable[[WallChange], bytes]
"""The answer that is stored and given again."""


class Rows(Protocol):
    """The wall inside one transaction."""

    def lock_head(self) -> int: ...
    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes: ...
    def last_wall_change(self) -> WallChange | None: ...
    def wall_changes(self, below: int, limit: int) -> Sequence[WallChange]: ...
    def take_wall_number(self) -> int: ...
    def add_wall_change(self, change: WallChange) -> None: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


class WallDesk:
    """Keeps the wall.

    Each write takes a `replay`, whose request and principal it is. All raise Refusal REQUEST_ID_MALFORMED,
    REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE and REQUEST_ID_REUSED.
    """

    def __init__(self, store: Store, clock: Clock, look_again: Callable[[], Awaitable[None]]) -> None:
        """`look_again` has this process hold what was changed, before the answer is given."""
        self._store = store
        self._clock = clock
        self._look_again = look_again

    async def raise_up(self, wish: Raising, replay: ReplayKey, render: Render) -> bytes:
        """The wall as it is wanted. Raises Refusal WALL_END_PAST."""

        def change(last: WallChange | None, number: int, now_us: int) -> WallChange:
            return raised(last, wish, number, replay.principal, now_us)

        return await self._once(replay, change, render)

    async def lower(self, reason: str, replay: ReplayKey, render: Render) -> bytes:
        """No wall. Raises Refusal WALL_NOT_UP."""

        def change(last: WallChange | None, number: int, now_us: int) -> WallChange:
            return lowered(last, reason, number, replay.principal, now_us)

        return await self._once(replay, change, render)

    async def last(self) -> WallChange | None:
        """The change that says how the wall stands; None before the first."""
        return await self._store.read(lambda rows: rows.last_wall_change())

    async def page(self, below: int, limit: int) -> Sequence[WallChange]:
        """At most `limit` changes with numbers below `below`, newest first."""
        return await self._store.read(lambda rows: rows.wall_changes(below, limit))

    async def _once(
        self,
        replay: ReplayKey,
        change: Callable[[WallChange | None, int, int], WallChange],
        render: Render,
    ) -> bytes:
        check_request_id(replay.request_id, self._clock.now_us())

        def unit(rows: Rows) -> bytes:
            rows.lock_head()
            now_us = self._clock.now_us()

            def produce() -> bytes:
                made = change(rows.last_wall_change(), rows.take_wall_number(), now_us)
                rows.add_wall_change(made)
                return render(made)

            return rows.once(replay, now_us, produce)

        answer = await self._store.write(unit)
        await self._look_again()
        return answer
