"""The tables of consent.

Choices, subjects and policies are only ever added to, each row with a revision of its own from the head row.
States and profiles follow from them and are written in the same transaction. Ids of subjects, which have
64 bits without a sign, are stored as the signed number of the same bits.
"""

from sqlalchemy import BigInteger, Index, Integer
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from services.chassis.replays import replay_table

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
    """The facts about a subject as they were found to be (C4)."""

    __tablename__ = "subjects"

    revision: int = Field(primary_key=True, sa_type=WideKey)
    subject_id: int = Field(sa_type=BigInteger, index=True)
    jurisdiction: str = Field(max_length=6)
    states: int
    notices: bytes
    """Digests of 32 bytes, ascending, one after the other."""
    recorded_us: int = Field(sa_type=BigInteger)
    recorded_by: str = Field(max_length=160)


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


class ProfileRow(ConsentTable, table=True):
    """Something that several subjects may come to."""

    __tablename__ = "profiles"

    profile_id: int | None = Field(default=None, primary_key=True)
    """From 1."""
    content: str = Field(unique=True)
    """JSON in one form only, see `codec.encode_profile`."""


class StateRow(ConsentTable, table=True):
    """What the records of one subject come to, as of the head."""

    __tablename__ = "states"

    subject_id: int = Field(primary_key=True, sa_type=WideKey)
    profile_id: int = Field(foreign_key="profiles.profile_id", index=True)
    """Indexed, so that it is cheap to see whether a profile was left by its last subject."""
    choices: str
    """JSON, the choices that still matter; see `codec.encode_choices`."""
    last_stated_us: int | None = Field(default=None, sa_type=BigInteger)


REPLAYS = replay_table(ConsentTable.metadata)
"""The stored answers to writes."""

TABLES = ConsentTable.metadata.tables
"""By name, for statements over many rows."""
