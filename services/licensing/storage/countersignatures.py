"""Countersignatures in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import Row, func, select

from services.chassis.database import Database
from services.licensing.domain.countersignatures import Countersignature, Difference
from services.licensing.domain.reasons import Reason
from services.licensing.storage.countersignature_tables import CountersignatureRow
from services.licensing.storage.ledger import LedgerRows
from services.licensing.storage.ledger_tables import ConfirmationRow, DecisionRow, SettlementRow

T = TypeVar("T")

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_CONFIRMATIONS = _TABLES[ConfirmationRow.__tablename__]
_SETTLEMENTS = _TABLES[SettlementRow.__tablename__]
_COUNTERSIGNATURES = _TABLES[CountersignatureRow.__tablename__]

# A confirmation is what is billed, late or not; without one the settlement, which then is by expiry. A
# delivery that has neither is open, and NULL differs from nothing.
_BILLED = func.coalesce(_CONFIRMATIONS.c.posts, _SETTLEMENTS.c.posts)
_DIFFERENCES = (
    select(
        *_COUNTERSIGNATURES.c,
        _DECISIONS.c.license_id,
        _DECISIONS.c.reasons,
        _BILLED.label("billed"),
        _CONFIRMATIONS.c.confirmed_at_us,
    )
    .join(_DECISIONS, _DECISIONS.c.decision_id == _COUNTERSIGNATURES.c.decision_id)
    .outerjoin(_CONFIRMATIONS, _CONFIRMATIONS.c.decision_id == _COUNTERSIGNATURES.c.decision_id)
    .outerjoin(_SETTLEMENTS, _SETTLEMENTS.c.decision_id == _COUNTERSIGNATURES.c.decision_id)
    .where(_COUNTERSIGNATURES.c.posts != _BILLED)
    .order_by(_COUNTERSIGNATURES.c.number)
)


class CountersignatureRows(LedgerRows):
    """The ledger's rows with what licensees said of them, inside one transaction."""

    def countersignature(self, decision_id: str) -> Countersignature | None:
        """What stands for a decision."""
        row = self._one(select(_COUNTERSIGNATURES).where(_COUNTERSIGNATURES.c.decision_id == decision_id))
        return row and _countersignature(row)

    def countersign(self, countersignature: Countersignature) -> None:
        """Writes the first one."""
        self._insert(
            _COUNTERSIGNATURES,
            decision_id=countersignature.decision_id,
            number=countersignature.number,
            licensee_id=countersignature.licensee_id,
            posts=countersignature.posts,
            countersigned_at_us=countersignature.countersigned_at_us,
        )

    def differences(self, licensee_id: str | None, after: int, limit: int) -> Sequence[Difference]:
        """Those with receipt numbers above `after`, in their order; of one licensee, or of all (None)."""
        query = _DIFFERENCES.where(_COUNTERSIGNATURES.c.number > after).limit(limit)
        if licensee_id is not None:
            query = query.where(_COUNTERSIGNATURES.c.licensee_id == licensee_id)
        return [_difference(row) for row in self._connection.execute(query)]


class CountersignatureStore:
    """Countersignatures in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[CountersignatureRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(CountersignatureRows(connection)))

    async def read(self, query: Callable[[CountersignatureRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(CountersignatureRows(connection)))


def _countersignature(row: Row[Any]) -> Countersignature:
    return Countersignature(row.decision_id, row.number, row.licensee_id, row.posts, row.countersigned_at_us)


def _difference(row: Any) -> Difference:
    reasons = np.frombuffer(row.reasons, np.uint8)
    return Difference(
        countersignature=_countersignature(row),
        license_id=row.license_id,
        posts_released=int(np.count_nonzero(reasons == Reason.RELEASED)),
        posts_billed=row.billed,
        confirmed_at_us=row.confirmed_at_us,
    )
