"""Licensees and licenses in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.licensing.domain.licenses import License, Licensee, LicenseState
from services.licensing.domain.terms import read_terms
from services.licensing.storage.contract_tables import REPLAYS, LicenseChangeRow, LicenseeRow, LicenseRow
from services.licensing.storage.head import lock_head

T = TypeVar("T")

_TABLES = LicenseRow.metadata.tables
_LICENSEES = _TABLES[LicenseeRow.__tablename__]
_LICENSES = _TABLES[LicenseRow.__tablename__]
_HISTORY = _TABLES[LicenseChangeRow.__tablename__]

# Made once: every decision reads it twice, and making a statement costs more than running it.
_LICENSE = select(_LICENSES).where(_LICENSES.c.license_id == bindparam("license_id"))


def license_row(connection: Connection, license_id: str) -> License | None:
    """The license as it stands in this transaction; None where there is none."""
    row = connection.execute(_LICENSE, {"license_id": license_id}).one_or_none()
    return _license(row) if row else None


class ContractRows:
    """Licensees and licenses inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_head(self) -> None:
        """Makes this transaction the only one that writes here, until it ends (L4)."""
        lock_head(self._connection)

    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes:
        """The stored answer to a request, or what `produce` does and says now; raises what it raises."""
        return once(self._connection, REPLAYS, key, at_us, produce)

    def licensee(self, licensee_id: str) -> Licensee | None:
        """A licensee by its id."""
        row = self._connection.execute(
            select(_LICENSEES).where(_LICENSEES.c.licensee_id == licensee_id)
        ).one_or_none()
        return Licensee(row.licensee_id, row.display_name, row.created_at_us) if row else None

    def licensees(self, after: str, limit: int) -> Sequence[Licensee]:
        """Licensees with ids above `after`, in the order of ids."""
        page = select(_LICENSEES).where(_LICENSEES.c.licensee_id > after)
        rows = self._connection.execute(page.order_by(_LICENSEES.c.licensee_id).limit(limit))
        return [Licensee(row.licensee_id, row.display_name, row.created_at_us) for row in rows]

    def add_licensee(self, licensee: Licensee, created_by: str) -> None:
        """Writes a new licensee."""
        self._connection.execute(
            insert(_LICENSEES),
            {
                "licensee_id": licensee.licensee_id,
                "display_name": licensee.display_name,
                "created_by": created_by,
                "created_at_us": licensee.created_at_us,
            },
        )

    def license(self, license_id: str) -> License | None:
        """The license as it stands now."""
        return license_row(self._connection, license_id)

    def licenses(self, licensee_id: str | None, after: str, limit: int) -> Sequence[License]:
        """Licenses with ids above `after`, in the order of ids; those of one licensee, or of all (None)."""
        page = select(_LICENSES).where(_LICENSES.c.license_id > after)
        if licensee_id is not None:
            page = page.where(_LICENSES.c.licensee_id == licensee_id)
        rows = self._connection.execute(page.order_by(_LICENSES.c.license_id).limit(limit))
        return [_license(row) for row in rows]

    def add_license(self, license: License, changed_by: str) -> None:
        """Writes a new license, and its creation into its history."""
        values = {"licensee_id": license.terms.licensee_id, "created_at_us": license.created_at_us}
        terms = {"terms": license.terms.document().decode(), "terms_digest": license.terms_digest}
        self._connection.execute(insert(_LICENSES), _standing(license) | values | terms)
        self._append(license.license_id, changed_by)

    def change_state(self, license: License, changed_by: str) -> None:
        """Writes where a license stands now, and the change into its history."""
        self._connection.execute(
            update(_LICENSES).where(_LICENSES.c.license_id == license.license_id), _standing(license)
        )
        self._append(license.license_id, changed_by)

    def _append(self, license_id: str, changed_by: str) -> None:
        """Copies the license, as it has just been written, into its history."""
        mine = _HISTORY.c.license_id == license_id
        changes = self._connection.execute(
            select(func.count()).select_from(_HISTORY).where(mine)
        ).scalar_one()
        row = self._connection.execute(_LICENSE, {"license_id": license_id}).one()
        self._connection.execute(
            insert(_HISTORY),
            {
                "license_id": license_id,
                "ordinal": changes + 1,
                "version": row.version,
                "state": row.state,
                "terms": row.terms,
                "terms_digest": row.terms_digest,
                "reason": row.state_reason,
                "changed_by": changed_by,
                "changed_at_us": row.state_changed_at_us,
            },
        )


class ContractStore:
    """Licensees and licenses in licensing's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, unit: Callable[[ContractRows], T]) -> T:
        """Runs `unit` in a transaction; what `Database.write` raises."""
        return await self._database.write(lambda connection: unit(ContractRows(connection)))

    async def read(self, query: Callable[[ContractRows], T]) -> T:
        """Runs `query` on one snapshot; what `Database.read` raises."""
        return await self._database.read(lambda connection: query(ContractRows(connection)))


def _license(row: Row[Any]) -> License:
    return License(
        license_id=row.license_id,
        version=row.version,
        state=LicenseState(row.state),
        terms=read_terms(row.terms.encode(), bytes(row.terms_digest), row.licensee_id),
        terms_digest=bytes(row.terms_digest),
        created_at_us=row.created_at_us,
        state_changed_at_us=row.state_changed_at_us,
        state_reason=row.state_reason,
    )


def _standing(license: License) -> dict[str, object]:
    return {
        "license_id": license.license_id,
        "version": license.version,
        "state": int(license.state),
        "state_changed_at_us": license.state_changed_at_us,
        "state_reason": license.state_reason,
    }
