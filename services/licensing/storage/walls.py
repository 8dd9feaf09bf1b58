"""The login wall in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Row, insert, select

from services.chassis.database import Database
from services.licensing.domain.doors.walls import Tier, WallChange
from services.licensing.storage.contracts import ContractRows
from services.licensing.storage.head import take_wall_number
from services.licensing.storage.wall_tables import WallChangeRow

T = TypeVar("T")

_CHANGES = WallChangeRow.metadata.tables[WallChangeRow.__tablename__]

# Made once: it is run four times a second.
_LAST = select(_CHANGES).order_by(_CHANGES.c.number.desc()).limit(1)


class WallRows(ContractRows):
    """The wall, beside the licenses that pass it, inside one transaction."""

    def last_wall_change(self) -> WallChange | None:
        """The change that says how the wall stands; None before the first."""
        row = self._connection.execute(_LAST).one_or_none()
        return _change(row) if row else None

    def wall_changes(self, below: int, limit: int) -> Sequence[WallChange]:
        """Changes with numbers below `below`, newest first."""
        page = select(_CHANGES).where(_CHANGES.c.number < below)
        rows = self._connection.execute(page.order_by(_CHANGES.c.number.desc()).limit(limit))
        return [_change(row) for row in rows]

    def take_wall_number(self) -> int:
        """The number of the next change, used up with this transaction; the head must be locked."""
        return take_wall_number(self._connection)

    def add_wall_change(self, change: WallChange) -> None:
        """Writes a change."""
        self._connection.execute(
            insert(_CHANGES),
            {
                "number": change.number,
                "raised": change.raised,
                "tiers": sum(1 << tier for tier in change.tiers),
                "reason": change.reason,
                "until_us": change.until_us,
                "changed_by": change.changed_by,
                "changed_at_us": change.changed_at_us,
            },
        )


class WallStore:
    """The wall in licensing's own database."""

    def __init__(self, database: Database, *, urgent: bool = False) -> None:
        """`urgent`: reads wait for no others; for one reader that many wait for."""
        self._database = database
        self._urgent = urgent

    async def write(self, unit: Callable[[WallRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(WallRows(connection)))

    async def read(self, query: Callable[[WallRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises.

        Confirmed, for a primary that was cut off does not know of walls that were raised since.
        """
        return await self._database.read(
            lambda connection: query(WallRows(connection)), confirmed=True, urgent=self._urgent
        )


def _change(row: Row[Any]) -> WallChange:
    return WallChange(
        number=row.number,
        raised=row.raised,
        # What this program does not know opens nothing.
        tiers=frozenset(tier for tier in Tier if row.tiers >> tier & 1),
        reason=row.reason,
        until_us=row.until_us,
        changed_by=row.changed_by,
        changed_at_us=row.changed_at_us,
    )
