"""The tables of recalls: what each licensee is told to delete, by which withdrawals, and what became of it.

Written only while the head is locked. Who withdrew and why stands in the entries, for their own view and for
operators; no licensee is ever shown it (W2).
"""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable

# Queries say these as they stand: with a parameter in place of the number no engine uses the index.
COLLECTING = text("state = 0")
UNRESOLVED = text("state IN (1, 2)")
OVERDUE = text("state = 6")
WITH_GAPS = text("gaps_found > 0")
OF_SUBJECTS = text("subject_id <> 0")
OF_POSTS = text("post_id <> 0")
OF_NO_ONE = text("subject_id = 0 AND post_id = 0")
_OPEN = text("done_at_us IS NULL")


class RecallRow(LicensingTable, table=True):
    """A batch of withdrawals for one licensee; one of a licensee at most is collecting (W2)."""

    __tablename__ = "recalls"
    __table_args__ = (
        Index(
            "uq_recalls_collecting",
            "licensee_id",
            unique=True,
            sqlite_where=COLLECTING,
            postgresql_where=COLLECTING,
        ),
        Index("ix_recalls_due", "due_at_us", sqlite_where=UNRESOLVED, postgresql_where=UNRESOLVED),
        Index("ix_recalls_overdue", "number", sqlite_where=OVERDUE, postgresql_where=OVERDUE),
        Index("ix_recalls_licensee", "licensee_id", "number"),
        Index("uq_recalls_licensee_number", "licensee_id", "licensee_number", unique=True),
    )

    recall_id: str = Field(primary_key=True, max_length=36)
    licensee_id: str = Field(max_length=63, foreign_key="licensees.licensee_id")
    state: int
    """A RecallState."""
    collecting_since_us: int = Field(sa_type=BigInteger)
    number: int | None = Field(default=None, sa_type=BigInteger, unique=True)
    """In the order of issue, of all licensees, from 1. This and the next three: NULL while collecting."""
    licensee_number: int | None = Field(default=None, sa_type=BigInteger)
    """The same of its licensee's recalls alone: what they are shown."""
    issued_at_us: int | None = Field(default=None, sa_type=BigInteger)
    due_at_us: int | None = Field(default=None, sa_type=BigInteger)
    """The first instant at which it is overdue."""
    acknowledged_at_us: int | None = Field(default=None, sa_type=BigInteger)
    overdue_at_us: int | None = Field(default=None, sa_type=BigInteger)
    outcome: int | None = None
    """A RecallState. This and the next six: how it ended, NULL before."""
    attested_name: str | None = Field(default=None, max_length=200)
    attested_role: str | None = Field(default=None, max_length=200)
    statement: str | None = Field(default=None, max_length=10000)
    document_digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32)))
    """NULL where none was named, also once resolved."""
    resolved_at_us: int | None = Field(default=None, sa_type=BigInteger)
    resolved_by: str | None = Field(default=None, max_length=160)
    """Kind and party of the principal."""
    withdrawals: int
    posts: int = Field(sa_type=BigInteger)
    """One for each withdrawal that names them."""


class RecallLicenseRow(LicensingTable, table=True):
    """A version of a license under which a recall's posts were released: it says when they are due."""

    __tablename__ = "recall_licenses"

    recall_id: str = Field(primary_key=True, max_length=36, foreign_key="recalls.recall_id")
    license_id: str = Field(primary_key=True, max_length=63)
    license_version: int = Field(primary_key=True)


class RecallEntryRow(LicensingTable, table=True):
    """One withdrawal's posts of some releases to one licensee: D decisions with P posts in all."""

    __tablename__ = "recall_entries"
    __table_args__ = (
        Index("ix_recall_entries_recall", "recall_id", "withdrawal_id", "part"),
        Index("ix_recall_entries_numbers", "licensee_id", "last_number", "first_number"),
        Index(
            "ix_recall_entries_gaps",
            *("consent_epoch", "revision", "licensee_id", "part"),
            sqlite_where=WITH_GAPS,
            postgresql_where=WITH_GAPS,
        ),
        Index(
            "ix_recall_entries_subject",
            "subject_id",
            sqlite_where=OF_SUBJECTS,
            postgresql_where=OF_SUBJECTS,
        ),
        Index(
            "ix_recall_entries_of_no_one",
            *("licensee_id", "last_number", "first_number"),
            sqlite_where=OF_NO_ONE,
            postgresql_where=OF_NO_ONE,
        ),
        Index("ix_recall_entries_post", "post_id", sqlite_where=OF_POSTS, postgresql_where=OF_POSTS),
    )

    consent_epoch: int = Field(primary_key=True, sa_type=BigInteger)
    revision: int = Field(primary_key=True, sa_type=BigInteger)
    """With the epoch the position of the withdrawal in consent's stream."""
    licensee_id: str = Field(primary_key=True, max_length=63)
    part: int = Field(primary_key=True)
    """From 0; a withdrawal of much is cut into several."""
    recall_id: str | None = Field(default=None, max_length=36, foreign_key="recalls.recall_id")
    """NULL while a recheck goes on: what it found goes into one recall, when it has found all."""
    withdrawal_id: str = Field(max_length=36)
    """Random, one for each withdrawal and licensee, the same in all parts."""
    subject_id: int = Field(sa_type=BigInteger)
    """Of the withdrawal, as a signed number; 0 where it is not about one subject. Shown to no licensee."""
    post_id: int = Field(sa_type=BigInteger)
    """Of the withdrawal likewise."""
    cause: int
    """Of the withdrawal; shown to no licensee."""
    recorded_at_us: int = Field(sa_type=BigInteger)
    """When consent received the withdrawal."""
    decisions: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """D receipt numbers, u64, ascending."""
    post_offsets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """D + 1, u32: the posts of decision i stand at [offsets[i], offsets[i + 1])."""
    post_ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """P, u64, for each decision ascending."""
    gaps: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """D bytes, a Gap each (W3)."""
    first_number: int = Field(sa_type=BigInteger)
    last_number: int = Field(sa_type=BigInteger)
    posts: int
    """P."""
    gaps_found: int
    """Decisions with a gap."""


class RecallRecheckRow(LicensingTable, table=True):
    """How far consent was asked again about the releases to one licensee, for a policy or a halt (W1)."""

    __tablename__ = "recall_rechecks"
    __table_args__ = (
        Index(
            "ix_recall_rechecks_open",
            *("consent_epoch", "revision", "licensee_id"),
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    consent_epoch: int = Field(primary_key=True, sa_type=BigInteger)
    revision: int = Field(primary_key=True, sa_type=BigInteger)
    licensee_id: str = Field(primary_key=True, max_length=63)
    withdrawal_id: str = Field(max_length=36)
    cause: int
    purposes: str
    """Numbers, ascending, with commas between; "" is every one."""
    countries: str
    """Likewise."""
    halt: str
    """Of a halt what it covers, `field=value` as consent's contract says it; "" for other causes."""
    recorded_at_us: int = Field(sa_type=BigInteger)
    position: int = Field(sa_type=BigInteger)
    """The receipt number up to which all was asked."""
    until_number: int = Field(sa_type=BigInteger)
    """The last one when the withdrawal was scanned: no later release rests on an answer from before it."""
    parts: int
    """Entries that it has led to."""
    done_at_us: int | None = Field(default=None, sa_type=BigInteger)
