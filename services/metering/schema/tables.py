"""The tables of metering as they are now; `versions/` says how they came to be.

Posts are counted in three places that always agree: a reservation, its entries (each change one in every
account that it counts in), and the tallies of those accounts over their windows.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.chassis.action_rows import action_table
from services.chassis.approvals import proposal_table
from services.chassis.replays import replay_table
from services.chassis.restore_rows import RestoreRows

# SQLite takes a primary key for its row id only if the type is spelt INTEGER; that holds 64 bits too.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")
HELD = text("state = 1")
# In the order of the program, whatever the language of the database.
BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")


class MeteringTable(SQLModel, registry=registry()):
    """Base of the tables of this service alone."""


class HeadRow(MeteringTable, table=True):
    """One row: the number of the latest change. Locked first, so that numbers are in the order of commits."""

    __tablename__ = "head"

    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Counts accepted restores, from 1 (R5)."""
    number: int = Field(sa_column=Column(BigInteger, nullable=False))


class ReservationRow(MeteringTable, table=True):
    """One reservation with all that it was asked for and its answer (M4). Lists are compact JSON arrays."""

    __tablename__ = "reservations"
    __table_args__ = (
        UniqueConstraint("reservation_id", name="reservations_id"),
        Index("reservations_held_by_request", "request_key", sqlite_where=HELD, postgresql_where=HELD),
        Index(
            "reservations_held_by_time", "counted_at_us", "number", sqlite_where=HELD, postgresql_where=HELD
        ),
    )

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    reservation_id: str = Field(sa_column=Column(Text, nullable=False))
    request_key: str = Field(sa_column=Column(Text, nullable=False))
    party_id: str = Field(sa_column=Column(Text, nullable=False))
    license_id: str = Field(sa_column=Column(Text, nullable=False))
    """"" where there is none; so for the group."""
    access: int = Field(sa_column=Column(SmallInteger, nullable=False))
    counts: str = Field(sa_column=Column(Text, nullable=False))
    """What was asked for: [[kind, media_flags, posts], ...]."""
    allowances: str = Field(sa_column=Column(Text, nullable=False))
    """[[scope, id, window_us, limit], ...], sorted."""
    as_many_as_fit: bool = Field(sa_column=Column(Boolean, nullable=False))
    delivered: bool = Field(sa_column=Column(Boolean, nullable=False))
    state: int = Field(sa_column=Column(SmallInteger, nullable=False))
    counted_at_us: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    """Null if it never held."""
    group_id: str = Field(sa_column=Column(Text, nullable=False))
    held: str = Field(sa_column=Column(Text, nullable=False))
    """What it was made for, as counts; sorted."""
    posts_reserved: int = Field(sa_column=Column(BigInteger, nullable=False))
    posts_settled: int = Field(sa_column=Column(BigInteger, nullable=False))
    posts_freed: int = Field(sa_column=Column(BigInteger, nullable=False))
    settled: str = Field(sa_column=Column(Text, nullable=False))
    """As held."""
    kept: str | None = Field(sa_column=Column(Text, nullable=True))
    """What the last reduction left of it, as counts; null where it was never reduced."""
    posts_kept: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    no_room: str | None = Field(sa_column=Column(Text, nullable=True))
    """[[scope, id, window_us, limit], used, held, retry_at_us, exact, never, [rival id, ...]], where all or
    some did not fit."""


class ReductionRow(MeteringTable, table=True):
    """Which change reduced which hold: so its entries are told from those of an ending."""

    __tablename__ = "reductions"

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    """Of the change, and of its entries."""
    reservation_number: int = Field(sa_column=Column(BigInteger, nullable=False))


class AccountRow(MeteringTable, table=True):
    """What is counted as one: a license, a party, a group, or what was seen elsewhere of a party."""

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("scope", "key", name="accounts_key"),)

    id: int | None = Field(sa_column=Column(ROW_ID, primary_key=True))
    scope: int = Field(sa_column=Column(SmallInteger, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    """Id of the license, party or group."""
    last_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The latest time that it was counted at; it never is at an earlier one."""


class TallyRow(MeteringTable, table=True):
    """The sums of one account over one window: the hot row that reservations of a party meet at."""

    __tablename__ = "tallies"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("accounts.id"), primary_key=True))
    window_us: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Its length; 0 for a term."""
    used: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
    tail_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class EntryRow(MeteringTable, table=True):
    """What one change counts in one account, for good; in order of time, so that the tails can follow."""

    __tablename__ = "entries"
    __table_args__ = (Index("entries_number", "number"), {"sqlite_with_rowid": False})

    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("accounts.id"), primary_key=True))
    counted_at_us: int = Field(sa_column=Column(BigInteger, primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, primary_key=True))
    """Of the change, from the head."""
    used: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
    access: int = Field(sa_column=Column(SmallInteger, nullable=False))
    counts: str = Field(sa_column=Column(Text, nullable=False))
    """Used and held together, by content."""


class MembershipRow(MeteringTable, table=True):
    """From when a party belongs to a group, as it was recorded (M6)."""

    __tablename__ = "memberships"

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    party_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    group_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    """"" where it leaves its group."""
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))
    """Kind and party of the caller."""


class PartyRow(MeteringTable, table=True):
    """From when a party is as it is described, as it was recorded."""

    __tablename__ = "parties"

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    party_id: str = Field(sa_column=Column(Text, nullable=False, index=True))
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    display_name: str = Field(sa_column=Column(Text, nullable=False))
    vetted_research: bool = Field(sa_column=Column(Boolean, nullable=False))
    affiliates: str = Field(sa_column=Column(Text, nullable=False))
    """JSON array of party ids."""
    recorded_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))


class SightingRow(MeteringTable, table=True):
    """An access that was seen elsewhere, as it was reported (M7)."""

    __tablename__ = "sightings"
    __table_args__ = (
        UniqueConstraint("source", "id", name="sightings_key"),
        # In the order of absorption.
        Index(
            "sightings_of_receipts",
            *("reservation_id", "party_id", "access", "accessed_us", "source", "id"),
            sqlite_where=text("reservation_id <> ''"),
            postgresql_where=text("reservation_id <> ''"),
        ),
    )

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    source: str = Field(sa_column=Column(BYTEWISE, nullable=False))
    id: str = Field(sa_column=Column(BYTEWISE, nullable=False))
    """At the source, or "sha256:" and the digest of the line."""
    party_id: str = Field(sa_column=Column(Text, nullable=False))
    accessed_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    access: int = Field(sa_column=Column(SmallInteger, nullable=False))
    kind: int = Field(sa_column=Column(SmallInteger, nullable=False))
    media_flags: int = Field(sa_column=Column(SmallInteger, nullable=False))
    posts: int = Field(sa_column=Column(BigInteger, nullable=False))
    reservation_id: str = Field(sa_column=Column(Text, nullable=False))
    """Of the receipt that it shows; "" for none."""
    absorbed: int = Field(sa_column=Column(BigInteger, nullable=False))


class AbsorptionRow(MeteringTable, table=True):
    """How much of what was settled under a receipt accesses seen elsewhere have shown (M7)."""

    __tablename__ = "absorptions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    reservation_id: str = Field(sa_column=Column(Text, primary_key=True))
    posts: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_number: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Of the sighting that is the last in the order of absorption of those that are absorbed."""


class SourceRow(MeteringTable, table=True):
    """Whose a source of accesses is."""

    __tablename__ = "sources"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(sa_column=Column(Text, primary_key=True))
    reporter: str = Field(sa_column=Column(Text, nullable=False))
    """Kind and party of whoever first reported under it."""
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    """When that was."""


class ProjectionRow(MeteringTable, table=True):
    """Posts that an account counts in one second, minute or hour of the calendar, by access and content.

    Made from the entries, and made again whenever that is wanted.
    """

    __tablename__ = "projections"
    __table_args__ = ({"sqlite_with_rowid": False},)

    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("accounts.id"), primary_key=True))
    span_us: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Length of the second, minute or hour."""
    since_us: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """Its beginning, which belongs to it."""
    access: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    kind: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    media_flags: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    posts: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Used and held."""


class ProjectedRow(MeteringTable, table=True):
    """One row: the number of the last entry in the projections; less than 0 while they are dropped."""

    __tablename__ = "projected"

    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, nullable=False))


class ReportRow(MeteringTable, table=True):
    """When a source of accesses last reported."""

    __tablename__ = "reports"
    __table_args__ = ({"sqlite_with_rowid": False},)

    source: str = Field(sa_column=Column(Text, primary_key=True))
    last_page_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class DamagesPolicyRow(MeteringTable, table=True):
    """One version of the damages policy."""

    __tablename__ = "damages_policies"

    version: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    policy: str = Field(sa_column=Column(Text, nullable=False))
    """As in the document of an assessment."""
    recorded_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))


class AssessmentRow(MeteringTable, table=True):
    """One assessment on record."""

    __tablename__ = "assessments"
    __table_args__ = (
        UniqueConstraint("assessment_id", name="assessments_id"),
        Index("assessments_of", "scope", "key", "number"),
    )

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    assessment_id: str = Field(sa_column=Column(Text, nullable=False))
    scope: int = Field(sa_column=Column(SmallInteger, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    """Id of the party or group."""
    since_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    until_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The end of what is assessed, which does not belong to it."""
    document: str = Field(sa_column=Column(Text, nullable=False))
    """docs/evidence-format.md. It may be large: what lists and disputes need stands beside it."""
    short: str = Field(sa_column=Column(Text, nullable=False))
    """The document without what may be long in it."""
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """SHA-256 of the document."""
    rate: str = Field(sa_column=Column(Text, nullable=False))
    """A list in JSON: the policy's currency, billionths of its unit, and decimals."""
    named: str = Field(sa_column=Column(Text, nullable=False))
    """A list in JSON: the parties that are liable or assisted."""
    state: int = Field(sa_column=Column(SmallInteger, nullable=False))
    in_force: int = Field(sa_column=Column(BigInteger, nullable=False))
    """What is claimed now, in minor units of the policy's currency."""


class StepChangeRow(MeteringTable, table=True):
    """Where an assessment stood before and after a step of it was decided."""

    __tablename__ = "step_changes"

    proposal: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    """Number of the step's proposal."""
    state_before: int = Field(sa_column=Column(SmallInteger, nullable=False))
    in_force_before: int = Field(sa_column=Column(BigInteger, nullable=False))
    """What was claimed, in minor units of the policy's currency."""
    state_after: int = Field(sa_column=Column(SmallInteger, nullable=False))
    in_force_after: int = Field(sa_column=Column(BigInteger, nullable=False))


class NoticeRow(MeteringTable, table=True):
    """Something that was sent to a party about an assessment."""

    __tablename__ = "notices"
    __table_args__ = (Index("notices_of", "assessment_id", "number"),)

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    assessment_id: str = Field(sa_column=Column(Text, nullable=False))
    party_id: str = Field(sa_column=Column(Text, nullable=False))
    sent_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    how: str = Field(sa_column=Column(Text, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_by: str = Field(sa_column=Column(Text, nullable=False))
    recorded_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class RateWindowRow(MeteringTable, table=True):
    """The calls of one limit that are inside its window; dropped when that has passed."""

    __tablename__ = "rate_windows"
    __table_args__ = (Index("rate_windows_passed", "drop_at_us"),)

    key: str = Field(sa_column=Column(BYTEWISE, primary_key=True))
    """SHA-256, in hex, of the descriptor and the unit of its limit."""
    drop_at_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    """When nothing of it is inside any more, rounded up."""
    packed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """The moments, rising, then the calls at each of them: 64-bit integers, little-endian."""


PROPOSALS = proposal_table(MeteringTable.metadata)
REPLAYS = replay_table(MeteringTable.metadata)
ACTIONS = action_table(MeteringTable.metadata)
"""What operators did."""

RESTORES = RestoreRows(MeteringTable.metadata, ACTIONS)
