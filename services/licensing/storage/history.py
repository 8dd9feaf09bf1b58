"""The history of licenses in SQL: one row a change, only ever added."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select

from services.licensing.domain.history import Change, Line, StepTaken
from services.licensing.domain.licenses import LicenseState
from services.licensing.storage.contract_tables import LicenseChangeRow, LicenseRow

_TABLES = LicenseRow.metadata.tables
_LICENSES = _TABLES[LicenseRow.__tablename__]
_HISTORY = _TABLES[LicenseChangeRow.__tablename__]


class HistoryRows:
    """Histories of licenses inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, license_id: str, change: Change) -> None:
        """Writes a change, with a copy of the license as that left it."""
        mine = _HISTORY.c.license_id == license_id
        changes = self._connection.execute(
            select(func.count()).select_from(_HISTORY).where(mine)
        ).scalar_one()
        row = self._connection.execute(select(_LICENSES).where(_LICENSES.c.license_id == license_id)).one()
        self._connection.execute(
            insert(_HISTORY),
            {
                "license_id": license_id,
                "ordinal": changes + 1,
                "version": row.version,
                "state": row.state,
                "terms": row.terms,
                "terms_digest": row.terms_digest,
                "reason": change.reason,
                "changed_by": change.by,
                "changed_at_us": change.at_us,
                "step": change.step,
                "subject_version": change.version,
                "effective_from_us": change.effective_from_us,
            },
        )

    def history(self, license_id: str, below: int, limit: int) -> Sequence[Line]:
        """Changes with numbers below `below`, newest first."""
        page = select(_HISTORY).where(_HISTORY.c.license_id == license_id, _HISTORY.c.ordinal < below)
        rows = self._connection.execute(page.order_by(_HISTORY.c.ordinal.desc()).limit(limit))
        return [
            Line(
                number=row.ordinal,
                state=LicenseState(row.state),
                change=Change(
                    by=row.changed_by,
                    at_us=row.changed_at_us,
                    reason=row.reason,
                    step=None if row.step is None else StepTaken(row.step),
                    version=row.subject_version,
                    effective_from_us=row.effective_from_us,
                ),
            )
            for row in rows
        ]
