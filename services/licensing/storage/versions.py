"""The versions of licenses in SQL: kept for ever, whatever became of them."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from services.licensing.domain.documents import read_terms
from services.licensing.domain.versions import Version
from services.licensing.storage.contract_tables import LicenseRow, LicenseVersionRow

_TABLES = LicenseRow.metadata.tables
_LICENSES = _TABLES[LicenseRow.__tablename__]
_VERSIONS = _TABLES[LicenseVersionRow.__tablename__]


class VersionRows:
    """Versions of licenses inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def last_version(self, license_id: str) -> int:
        """The highest number that a version of the license was ever given; 0 where there is none."""
        last = select(func.max(_VERSIONS.c.version)).where(_VERSIONS.c.license_id == license_id)
        return self._connection.execute(last).scalar_one() or 0

    def add_version(self, license_id: str, version: Version) -> None:
        """Writes a new version."""
        self._connection.execute(
            insert(_VERSIONS),
            {
                "license_id": license_id,
                "version": version.version,
                "terms": version.terms.document().decode(),
                "terms_digest": version.terms_digest,
                "created_at_us": version.created_at_us,
                "created_by": version.created_by,
                "reason": version.reason,
                "effective_from_us": version.effective_from_us,
                "withdrawn_at_us": version.withdrawn_at_us,
                "licensee_id": version.terms.licensee_id,
            },
        )

    def set_effective(self, license_id: str, version: int, from_us: int | None) -> None:
        """Writes from when a version is in force; None: it is a draft again."""
        self._change(license_id, version, effective_from_us=from_us)

    def withdraw_version(self, license_id: str, version: int, at_us: int) -> None:
        """Writes that a version will never be in force."""
        self._change(license_id, version, effective_from_us=None, withdrawn_at_us=at_us)

    def versions(self, license_id: str, below: int, limit: int, *, drafts: bool) -> Sequence[Version]:
        """Versions with numbers below `below`, newest first; `drafts`: also those that have no time."""
        query = (
            select(_VERSIONS, _LICENSES.c.licensee_id.label("of_license"))
            .join(_LICENSES, _LICENSES.c.license_id == _VERSIONS.c.license_id)
            .where(_VERSIONS.c.license_id == license_id, _VERSIONS.c.version < below)
            .order_by(_VERSIONS.c.version.desc())
            .limit(limit)
        )
        if not drafts:
            query = query.where(_VERSIONS.c.effective_from_us.is_not(None))
        return [
            Version(
                version=row.version,
                terms=read_terms(
                    row.terms.encode(), bytes(row.terms_digest), row.licensee_id or row.of_license
                ),
                terms_digest=bytes(row.terms_digest),
                created_at_us=row.created_at_us,
                created_by=row.created_by,
                reason=row.reason,
                effective_from_us=row.effective_from_us,
                withdrawn_at_us=row.withdrawn_at_us,
            )
            for row in self._connection.execute(query)
        ]

    def _change(self, license_id: str, version: int, **values: int | None) -> None:
        mine = (_VERSIONS.c.license_id == license_id) & (_VERSIONS.c.version == version)
        self._connection.execute(update(_VERSIONS).where(mine), values)
