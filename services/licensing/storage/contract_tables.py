"""The tables of the contracts desk: licensees, their licenses, and every change of a license."""

from sqlalchemy import BigInteger, Column, LargeBinary
from sqlmodel import Field

from services.chassis.replays import replay_table
from services.licensing.storage.base import LicensingTable


class LicenseeRow(LicensingTable, table=True):
    """A party that may receive posts."""

    __tablename__ = "licensees"

    licensee_id: str = Field(primary_key=True, max_length=63)
    display_name: str = Field(max_length=200)
    created_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    created_at_us: int = Field(sa_type=BigInteger)


class LicenseRow(LicensingTable, table=True):
    """A license as it stands. Written only while the head is locked (L4)."""

    __tablename__ = "licenses"

    license_id: str = Field(primary_key=True, max_length=63)
    licensee_id: str = Field(max_length=63, foreign_key="licensees.licensee_id", index=True)
    version: int
    state: int
    """A LicenseState, as it was last set; EXPIRED is never written, time says it."""
    terms: str
    """The terms in canonical JSON."""
    terms_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    created_at_us: int = Field(sa_type=BigInteger)
    state_changed_at_us: int = Field(sa_type=BigInteger)
    state_reason: str = Field(max_length=1000)
    effective_from_us: int | None = Field(default=None, sa_type=BigInteger)
    """Since when this version is in force; NULL while it is a draft."""
    next_version: int | None = None
    """The next four are of the version that is drafted or waits for its time; NULL where there is none."""
    next_terms: str | None = None
    next_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
    next_from_us: int | None = Field(default=None, sa_type=BigInteger)
    """When it comes into force; NULL until it is activated."""


class LicenseVersionRow(LicensingTable, table=True):
    """One version of the terms of a license. Only its times to be in force and of withdrawal ever change."""

    __tablename__ = "license_versions"

    license_id: str = Field(primary_key=True, max_length=63, foreign_key="licenses.license_id")
    version: int = Field(primary_key=True)
    terms: str
    terms_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    created_at_us: int = Field(sa_type=BigInteger)
    created_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    reason: str = Field(max_length=1000)
    effective_from_us: int | None = Field(default=None, sa_type=BigInteger)
    withdrawn_at_us: int | None = Field(default=None, sa_type=BigInteger)
    licensee_id: str | None = Field(default=None, max_length=63)
    """Whose terms these are; a draft that was replaced may have been another's. NULL: the license's own."""


class LicenseChangeRow(LicensingTable, table=True):
    """One change of a license. Rows are only ever added."""

    __tablename__ = "license_history"

    license_id: str = Field(primary_key=True, max_length=63, foreign_key="licenses.license_id")
    ordinal: int = Field(primary_key=True)
    """Counts the changes of the license, from 1."""
    version: int
    """This and the next three are of the license as the change left it."""
    state: int
    terms: str
    terms_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    reason: str = Field(max_length=1000)
    changed_by: str = Field(max_length=160)
    """Kind and party of the principal."""
    changed_at_us: int = Field(sa_type=BigInteger)
    step: int | None = None
    """A StepTaken. This and the next are NULL in rows from before they were kept that do not tell."""
    subject_version: int | None = None
    """The version that the change was about; its terms are in license_versions."""
    effective_from_us: int | None = Field(default=None, sa_type=BigInteger)
    """From when that version was to be in force; NULL where no time was set."""


REPLAYS = replay_table(LicensingTable.metadata)
"""The stored answers to writes of operators, and to the sandbox's questions of the last day."""
