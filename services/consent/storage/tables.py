"""The tables of consent.

Choices, facts of subjects and posts, policies, halts and withdrawals are only ever added to, each row with a
revision from the head row; only an erasure takes a subject's rows away. States and profiles follow from them
and are written in the same transaction. Ids of subjects, which have
64 bits without a sign, are stored as the signed number of the same bits.
"""

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.chassis.action_rows import action_table
from services.chassis.replays import replay_table
from services.chassis.restore_rows import RestoreRows

WideKey = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; in SQLite an INTEGER key is the row id itself, which saves an index."""


class ConsentTable(SQLModel, registry=registry()):
    """Tables of consent have their own metadata: services may share a process."""


class HeadRow(ConsentTable, table=True):
    """The one row that gives revisions, in the order of commits because they are taken under its lock."""

    __tablename__ = "head"

    id: int = Field(primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    number: int = Field(sa_type=BigInteger)
    """The revision given last."""
    latest_us: int = Field(sa_type=BigInteger)
    """When that was; never goes back."""
    subjects_at: int = Field(sa_type=BigInteger)
    """The last revision that changed the state of a subject."""
    posts_at: int = Field(sa_type=BigInteger)
    policies_at: int = Field(sa_type=BigInteger)
    halts_at: int = Field(sa_type=BigInteger)


class LineageRow(ConsentTable, table=True):
    """A session of the database server has begun to write (R5).

    No session outlives a restore. So a history that was restored and went on has a mark that the first one
    never had, at a revision that is not above those which were lost. Where one process owns the database
    nobody can have missed that, and there are no marks.
    """

    __tablename__ = "lineages"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """In the order in which they came."""
    after_revision: int = Field(sa_type=BigInteger)
    """The one given last when it began."""
    mark: int = Field(sa_type=BigInteger, unique=True)
    """Random."""


class ChoiceRow(ConsentTable, table=True):
    """A choice as it was recorded (C1)."""

    __tablename__ = "choices"
    __table_args__ = (
        # The same row imported again is found by all but the stated time, which may have been clamped.
        Index(
            "uq_choices_content",
            "subject_id",
            "claimed_us",
            "stance",
            "licensee",
            "purpose",
            "notice_digest",
            "stated_us",
            unique=True,
        ),
    )

    revision: int = Field(primary_key=True, sa_type=WideKey)
    subject_id: int = Field(sa_type=BigInteger)
    stance: int
    licensee: str = Field(max_length=63)
    """Empty for everyone."""
    purpose: int
    """0 for all purposes."""
    method: int
    notice_digest: bytes
    """Empty where there is none."""
    claimed_us: int = Field(sa_type=BigInteger)
    """The time that the source gave; `codec.NO_TIME` where it gave none."""
    stated_us: int = Field(sa_type=BigInteger)
    recorded_us: int = Field(sa_type=BigInteger)
    recorded_by: str = Field(max_length=160)
    """Kind and party of the principal."""


class SubjectRow(ConsentTable, table=True):
    """The facts about a subject as they were after a change of them (C4)."""

    __tablename__ = "subjects"

    revision: int = Field(primary_key=True, sa_type=WideKey)
    subject_id: int = Field(sa_type=BigInteger, index=True)
    jurisdiction: str = Field(max_length=6)
    states: int
    notices: bytes
    """Digests of 32 bytes, ascending, one after the other."""
    withheld: str
    """Codes of countries, ascending, separated by commas."""
    kind: int
    """A `ChangeKind`; 0 for a description of the whole subject."""
    occurred_us: int = Field(sa_type=BigInteger)
    """By the source's clock."""
    recorded_us: int = Field(sa_type=BigInteger)
    recorded_by: str = Field(max_length=160)


class PostRow(ConsentTable, table=True):
    """The state of a post as it was after a change of it (C5)."""

    __tablename__ = "posts"

    revision: int = Field(primary_key=True, sa_type=WideKey)
    post_id: int = Field(sa_type=BigInteger, index=True)
    marks: int
    withheld: str
    """As in `SubjectRow`."""
    kind: int
    """A `ChangeKind`."""
    occurred_us: int = Field(sa_type=BigInteger)
    recorded_us: int = Field(sa_type=BigInteger)
    recorded_by: str = Field(max_length=160)


class SignalRow(ConsentTable, table=True):
    """A source has sent an objection of a subject; what it sends again counts no more (C1)."""

    __tablename__ = "signals"

    subject_id: int = Field(primary_key=True, sa_type=BigInteger)
    source: str = Field(primary_key=True, max_length=127)
    signal: str = Field(primary_key=True, max_length=16)
    revision: int = Field(sa_type=BigInteger)
    """Of the first deny that it led to."""


class HaltRow(ConsentTable, table=True):
    """A halt that was ordered (C12)."""

    __tablename__ = "halts"

    halt_id: int = Field(primary_key=True, sa_type=WideKey)
    """The revision of the order."""
    kind: int
    value: str = Field(max_length=63)
    cause: str = Field(max_length=500)
    recall: bool
    ordered_us: int = Field(sa_type=BigInteger)
    ordered_by: str = Field(max_length=160)


class HaltEndRow(ConsentTable, table=True):
    """A halt has ended; written once (C12)."""

    __tablename__ = "halt_ends"

    halt_id: int = Field(primary_key=True, sa_type=WideKey, foreign_key="halts.halt_id")
    revision: int = Field(sa_type=BigInteger, unique=True)
    lifted_us: int = Field(sa_type=BigInteger)
    lifted_by: str = Field(max_length=160)


class ErasureRow(ConsentTable, table=True):
    """What is left of a subject whose records were erased (C11)."""

    __tablename__ = "erasures"

    revision: int = Field(primary_key=True, sa_type=WideKey)
    subject_id: int = Field(sa_type=BigInteger, unique=True)
    erased_us: int = Field(sa_type=BigInteger)
    erased_by: str = Field(max_length=160)


class WithdrawalRow(ConsentTable, table=True):
    """What takes back earlier releases, in the order of revisions (W1)."""

    __tablename__ = "withdrawals"

    revision: int = Field(primary_key=True, sa_type=WideKey)
    cause: int
    subject_id: int = Field(sa_type=BigInteger)
    post_id: int = Field(sa_type=BigInteger)
    licensee: str = Field(max_length=63)
    purposes: str = Field(max_length=64)
    """Numbers, ascending, separated by commas."""
    countries: str
    """As in `SubjectRow`."""
    policy_version: int
    halt_kind: int
    """0 where it is no halt."""
    halt_value: str = Field(max_length=63)
    recorded_us: int = Field(sa_type=BigInteger)


class PolicyRow(ConsentTable, table=True):
    """An announced version of the policy (C3)."""

    __tablename__ = "policies"

    version: int = Field(primary_key=True)
    revision: int = Field(sa_type=BigInteger, unique=True)
    effective_us: int = Field(sa_type=BigInteger)
    text_digest: bytes
    rules: str
    """JSON, a list of [jurisdiction, purpose, regime]."""
    notices: bytes
    """As in `SubjectRow`."""
    announced_us: int = Field(sa_type=BigInteger)
    announced_by: str = Field(max_length=160)


class ActivationRow(ConsentTable, table=True):
    """A version took effect; written once (C3)."""

    __tablename__ = "policy_activations"

    version: int = Field(primary_key=True, foreign_key="policies.version")
    revision: int = Field(sa_type=BigInteger, unique=True)
    activated_us: int = Field(sa_type=BigInteger)


class RetractionRow(ConsentTable, table=True):
    """A version was retracted before it took effect; written once (C3)."""

    __tablename__ = "policy_retractions"

    version: int = Field(primary_key=True, foreign_key="policies.version")
    revision: int = Field(sa_type=BigInteger, unique=True)
    retracted_us: int = Field(sa_type=BigInteger)
    retracted_by: str = Field(max_length=160)


class ProfileRow(ConsentTable, table=True):
    """Something that several subjects may come to."""

    __tablename__ = "profiles"
    __table_args__ = (
        # A B-tree of PostgreSQL takes no row of more than 2,704 bytes. SQLite has its unique constraint.
        Index("ix_profiles_content", "content", postgresql_using="hash").ddl_if(dialect="postgresql"),
    )

    profile_id: int = Field(primary_key=True, sa_type=WideKey)
    """A revision of the transaction that made it, so it is never given again; those of an earlier schema are
    negative."""
    content: str
    """JSON in one form only, see `codec.encode_profile`; one row has it."""


class StateRow(ConsentTable, table=True):
    """What the records of one subject come to, as of the head."""

    __tablename__ = "states"

    subject_id: int = Field(primary_key=True, sa_type=WideKey)
    profile_id: int = Field(foreign_key="profiles.profile_id", index=True, sa_type=WideKey)
    """Indexed, so that it is cheap to see whether a profile was left by its last subject."""
    choices: str
    """JSON, the choices that still matter; see `codec.encode_choices`."""
    last_stated_us: int | None = Field(default=None, sa_type=BigInteger)
    seen_us: int | None = Field(default=None, sa_type=BigInteger)
    times: str
    """JSON, see `codec.encode_times`."""
    erased: bool
    revision: int = Field(sa_type=BigInteger, index=True)
    """The last one that changed it."""


class PostStateRow(ConsentTable, table=True):
    """What the records of one post come to, as of the head."""

    __tablename__ = "post_states"

    post_id: int = Field(primary_key=True, sa_type=WideKey)
    marks: int
    withheld: str
    times: str
    revision: int = Field(sa_type=BigInteger, index=True)


ACTIONS = action_table(ConsentTable.metadata)
"""What operators did."""

REPLAYS = replay_table(ConsentTable.metadata)
"""The stored answers to writes."""

RESTORES = RestoreRows(ConsentTable.metadata, ACTIONS)
"""The restores that were accepted, and what the head is kept under."""

TABLES = ConsentTable.metadata.tables
"""By name, for statements over many rows."""
