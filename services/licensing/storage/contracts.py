"""Licensees and licenses in SQL."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, and_, bindparam, insert, or_, select, update

from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.licensing.domain.documents import read_terms
from services.licensing.domain.history import Change
from services.licensing.domain.licenses import License, Licensee, LicenseState, NextVersion
from services.licensing.domain.terms import Terms
from services.licensing.storage.contract_tables import REPLAYS, LicenseeRow, LicenseRow
from services.licensing.storage.head import lock_head
from services.licensing.storage.history import HistoryRows
from services.licensing.storage.versions import VersionRows

READ_AT_ONCE = 200
"""Licenses that are fetched together; of a few kB each."""

T = TypeVar("T")

_TABLES = LicenseRow.metadata.tables
_LICENSEES = _TABLES[LicenseeRow.__tablename__]
_LICENSES = _TABLES[LicenseRow.__tablename__]

# Made once: every decision reads it twice, and making a statement costs more than running it.
_LICENSE = select(_LICENSES).where(_LICENSES.c.license_id == bindparam("license_id"))

_IS_TOLD = or_(
    _LICENSES.c.effective_from_us.is_not(None),
    and_(_LICENSES.c.next_from_us.is_not(None), _LICENSES.c.state != int(LicenseState.TERMINATED)),
)
"""`License.is_told`."""
_LIVING = (
    select(_LICENSES)
    .where(_LICENSES.c.licensee_id.between(bindparam("first"), bindparam("last")))
    .where(_LICENSES.c.state != int(LicenseState.TERMINATED), _IS_TOLD)
    .order_by(_LICENSES.c.licensee_id)
)


def license_row(connection: Connection, license_id: str) -> License | None:
    """The license as it stands in this transaction; None where there is none."""
    row = connection.execute(_LICENSE, {"license_id": license_id}).one_or_none()
    return _license(row) if row else None


class ContractRows(VersionRows, HistoryRows):
    """Licensees and licenses, with their versions and histories, inside one transaction."""

    def lock_head(self) -> int:
        """Makes this transaction the only one that writes here, until it ends (L4).

        Returns the latest cut-off that something was drafted as of, in microseconds; 0 where nothing was.
        """
        return lock_head(self._connection).cut_off_us

    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes:
        """The stored answer to a request, or what `produce` does and says now; raises what it raises."""
        return once(self._connection, REPLAYS, key, at_us, produce)

    def licensee(self, licensee_id: str) -> Licensee | None:
        """A licensee by its id."""
        row = self._connection.execute(
            select(_LICENSEES).where(_LICENSEES.c.licensee_id == licensee_id)
        ).one_or_none()
        return Licensee(row.licensee_id, row.display_name, row.created_at_us) if row else None

    def licensees(self, after: str, limit: int, ids: Collection[str] = ()) -> Sequence[Licensee]:
        """Licensees with ids above `after`, in the order of ids; of these alone where `ids` names any."""
        page = select(_LICENSEES).where(_LICENSEES.c.licensee_id > after)
        if ids:
            page = page.where(_LICENSEES.c.licensee_id.in_(ids))
        rows = self._connection.execute(page.order_by(_LICENSEES.c.licensee_id).limit(limit))
        return [Licensee(row.licensee_id, row.display_name, row.created_at_us) for row in rows]

    def licensed(self, licensees: Sequence[Licensee], limit: int) -> Sequence[Sequence[License]]:
        """Of neighbours in the order of ids, the licenses of each that it is told of and that were not ended.

        The answer is shorter than the question, and has one licensee at least, where the licenses are
        `limit` or more before the last of them.
        """
        places = {licensee.licensee_id: place for place, licensee in enumerate(licensees)}
        found: list[list[License]] = [[] for _ in licensees]
        if not licensees:
            return found
        ends = {"first": licensees[0].licensee_id, "last": licensees[-1].licensee_id}
        # As they are told: what a page does not come to is not read.
        with self._connection.execute(_LIVING, ends, execution_options={"yield_per": READ_AT_ONCE}) as rows:
            for read, row in enumerate(rows):
                of_licensee = found[places[row.licensee_id]]
                if read >= limit and not of_licensee:
                    return found[: places[row.licensee_id]]
                of_licensee.append(_license(row))
        return found

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

    def licenses(
        self,
        licensee_id: str | None,
        after: str,
        limit: int,
        *,
        drafts: bool,
        recorded: Collection[LicenseState] = (),
    ) -> Sequence[License]:
        """Licenses with ids above `after`, in the order of ids; those of one licensee, or of all (None).

        `drafts`: also those that their licensees are not told of. `recorded`: those alone whose state was
        last set to one of these; none: to whichever.
        """
        page = select(_LICENSES).where(_LICENSES.c.license_id > after)
        if recorded:
            page = page.where(_LICENSES.c.state.in_(sorted(recorded)))
        if licensee_id is not None:
            page = page.where(_LICENSES.c.licensee_id == licensee_id)
        if not drafts:
            page = page.where(_IS_TOLD)
        rows = self._connection.execute(page.order_by(_LICENSES.c.license_id).limit(limit))
        return [_license(row) for row in rows]

    def add_license(self, license: License, change: Change) -> None:
        """Writes a new license, and its creation into its history."""
        created = {"created_at_us": license.created_at_us}
        self._connection.execute(insert(_LICENSES), _standing(license, {}) | created)
        self.append(license.license_id, change)

    def put_license(self, license: License, change: Change) -> None:
        """Writes where a license stands now, and the change into its history."""
        row = self._connection.execute(_LICENSE, {"license_id": license.license_id}).one()
        # What this program does not understand (L2) is carried on as it stands.
        documents = {row.version: row.terms, row.next_version: row.next_terms}
        self._connection.execute(
            update(_LICENSES).where(_LICENSES.c.license_id == license.license_id),
            _standing(license, documents),
        )
        self.append(license.license_id, change)


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
        terms=_terms(row.terms, row.terms_digest, row.licensee_id),
        terms_digest=bytes(row.terms_digest),
        created_at_us=row.created_at_us,
        state_changed_at_us=row.state_changed_at_us,
        state_reason=row.state_reason,
        effective_from_us=row.effective_from_us,
        next=_next(row),
    )


def _next(row: Row[Any]) -> NextVersion | None:
    if row.next_version is None:
        return None
    terms = _terms(row.next_terms, row.next_digest, row.licensee_id)
    return NextVersion(row.next_version, terms, bytes(row.next_digest), row.next_from_us)


def _terms(document: str, digest: bytes, licensee_id: str) -> Terms:
    return read_terms(document.encode(), bytes(digest), licensee_id)


def _standing(license: License, documents: Mapping[int, str]) -> dict[str, object]:
    """The columns of a license; `documents` are those of its terms that are written already, by version."""
    following = license.next

    def document(version: int, terms: Terms) -> str:
        return documents.get(version) or terms.document().decode()

    return {
        "license_id": license.license_id,
        # Until it was in force for the first time, it may become another licensee's.
        "licensee_id": license.terms.licensee_id,
        "version": license.version,
        "state": int(license.state),
        "terms": document(license.version, license.terms),
        "terms_digest": license.terms_digest,
        "state_changed_at_us": license.state_changed_at_us,
        "state_reason": license.state_reason,
        "effective_from_us": license.effective_from_us,
        "next_version": following and following.version,
        "next_terms": following and document(following.version, following.terms),
        "next_digest": following and following.terms_digest,
        "next_from_us": following and following.effective_from_us,
    }
