"""Rechecks in SQL: how far consent was asked again (W1)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, insert, select, tuple_, update

from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.rechecks import Recheck, RecheckKey
from services.licensing.domain.recalls.withdrawals import HaltScope, Withdrawal
from services.licensing.storage.contract_tables import LicenseeRow
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.recall_tables import RecallRecheckRow

_TABLES = RecallRecheckRow.metadata.tables
_RECHECKS = _TABLES[RecallRecheckRow.__tablename__]
_LICENSEES = _TABLES[LicenseeRow.__tablename__]
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_KEY = (_RECHECKS.c.consent_epoch, _RECHECKS.c.revision, _RECHECKS.c.licensee_id)
_OPEN = _RECHECKS.c.done_at_us.is_(None)


class RecheckRows:
    """Rechecks inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def receivers(self) -> Sequence[str]:
        """Licensees that something was released to, by id."""
        theirs = and_(
            _DECISIONS.c.licensee_id == _LICENSEES.c.licensee_id, _DECISIONS.c.not_after_us.is_not(None)
        )
        query = select(_LICENSEES.c.licensee_id).where(exists().where(theirs))
        return self._connection.execute(query.order_by(_LICENSEES.c.licensee_id)).scalars().all()

    def add_rechecks(self, rechecks: Sequence[Recheck]) -> None:
        """Begins some."""
        if rechecks:
            self._connection.execute(insert(_RECHECKS), [_row(recheck) for recheck in rechecks])

    def open_rechecks(self, after: RecheckKey, limit: int) -> Sequence[Recheck]:
        """Those after one that go on, in the order of their withdrawals."""
        page = select(_RECHECKS).where(_OPEN, tuple_(*_KEY) > tuple_(*after))
        return [_recheck(row) for row in self._connection.execute(page.order_by(*_KEY).limit(limit))]

    def rechecks_open(self) -> int:
        """How many go on."""
        query = select(func.count()).select_from(_RECHECKS).where(_OPEN)
        return self._connection.execute(query).scalar_one()

    def advance(self, recheck: Recheck, to_number: int, parts: int) -> bool:
        """Moves one to a receipt number, with so many entries more; whether it stood where `recheck` says."""
        moved = {"position": to_number, "parts": recheck.parts + parts}
        return self._change(recheck, moved)

    def end(self, recheck: Recheck, now_us: int) -> bool:
        """Ends one; whether it stood where `recheck` says."""
        return self._change(recheck, {"done_at_us": now_us})

    def _change(self, recheck: Recheck, values: dict[str, int]) -> bool:
        stands = and_(_of(recheck), _OPEN, _RECHECKS.c.position == recheck.position)
        return self._connection.execute(update(_RECHECKS).where(stands).values(values)).rowcount == 1


def _row(recheck: Recheck) -> dict[str, object]:
    withdrawal = recheck.withdrawal
    return {
        "consent_epoch": withdrawal.revision.epoch,
        "revision": withdrawal.revision.number,
        "licensee_id": recheck.licensee_id,
        "withdrawal_id": recheck.withdrawal_id,
        "cause": withdrawal.cause,
        "purposes": ",".join(map(str, sorted(withdrawal.purposes))),
        "countries": ",".join(sorted(withdrawal.countries)),
        "halt": "=".join(withdrawal.halt or ()),
        "recorded_at_us": withdrawal.recorded_at_us,
        "position": recheck.position,
        "until_number": recheck.until_number,
        "parts": recheck.parts,
    }


def _of(recheck: Recheck) -> ColumnElement[bool]:
    revision = recheck.withdrawal.revision
    return and_(
        _RECHECKS.c.consent_epoch == revision.epoch,
        _RECHECKS.c.revision == revision.number,
        _RECHECKS.c.licensee_id == recheck.licensee_id,
    )


def _recheck(row: Row[Any]) -> Recheck:
    withdrawal = Withdrawal(
        revision=Revision(row.consent_epoch, row.revision),
        cause=row.cause,
        recorded_at_us=row.recorded_at_us,
        licensee_id=row.licensee_id,
        purposes=frozenset(int(purpose) for purpose in row.purposes.split(",") if purpose),
        countries=frozenset(country for country in row.countries.split(",") if country),
        halt=HaltScope(*row.halt.split("=", 1)) if row.halt else None,
    )
    return Recheck(withdrawal, row.withdrawal_id, row.position, row.until_number, row.parts)
