"""The tables of the ledger: what was decided, which attempt did it, and what became of the delivery."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite numbers rows by itself only where the type is spelt INTEGER."""


_UNCOUNTED = text("recorded_at_us = 0")
_RELEASES = text("not_after_us IS NOT NULL")


class AttemptRow(LicensingTable, table=True):
    """An attempt that has ended: it concluded a decision, or it is tombstoned and never can.

    Or it is lost: it may have concluded one that a restore of this database has lost (R5).
    """

    __tablename__ = "attempts"

    attempt_id: str = Field(primary_key=True, max_length=36)
    decision_id: str | None = Field(default=None, max_length=36, foreign_key="decisions.decision_id")
    """NULL is a tombstone, or one that is lost."""
    ended_at_us: int = Field(sa_type=BigInteger)
    lost_posts: int | None = Field(default=None, sa_type=BigInteger)
    """Of one that is lost: the posts that metering held for it, all of which count. NULL for all others."""


class DecisionRow(LicensingTable, table=True):
    """A concluded decision. One per (principal, request_id), for ever."""

    __tablename__ = "decisions"
    __table_args__ = (
        UniqueConstraint("principal_kind", "principal", "request_id", name="uq_decisions_request"),
        # All that billing reads of a decision, so that a period is added up without its rows.
        Index(
            "ix_decisions_billed",
            *("license_id", "counted_at_us", "recorded_at_us", "posts_released"),
            sqlite_where=text("posts_released > 0"),
            postgresql_where=text("posts_released > 0"),
        ),
        # The releases to one licensee, in order, for questions that are asked about all of them (W1).
        Index(
            "ix_decisions_released_to",
            *("licensee_id", "number"),
            sqlite_where=_RELEASES,
            postgresql_where=_RELEASES,
        ),
        # For whoever looks for decisions (`listing`): of a licensee, under a license, asked for under an id
        # by whomever, or made in some hours.
        Index("ix_decisions_licensee", "licensee_id", "number"),
        Index("ix_decisions_license", "license_id", "number"),
        Index("ix_decisions_request", "request_id"),
        Index("ix_decisions_decided", "decided_at_us", "number"),
        # Of those that billing has not counted yet (`uncounted`): empty in normal life.
        Index("ix_decisions_uncounted", "decision_id", sqlite_where=_UNCOUNTED, postgresql_where=_UNCOUNTED),
    )

    decision_id: str = Field(primary_key=True, max_length=36)
    number: int = Field(sa_type=BigInteger, unique=True)
    principal: str = Field(max_length=128)
    principal_kind: str = Field(max_length=16)
    request_id: str = Field(max_length=36)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    licensee_id: str = Field(max_length=63)
    license_id: str = Field(max_length=63)
    license_version: int
    terms_digest: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    purpose: int
    outcome: int
    reasons: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    kinds: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    media_flags: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    salt: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    policy_version: int | None = Field(default=None, sa_type=BigInteger)
    consent_epoch: int | None = Field(default=None, sa_type=BigInteger)
    consent_revision: int | None = Field(default=None, sa_type=BigInteger)
    reservation_id: str | None = Field(default=None, max_length=36)
    counted_at_us: int | None = Field(default=None, sa_type=BigInteger)
    decided_at_us: int = Field(sa_type=BigInteger)
    not_after_us: int | None = Field(default=None, sa_type=BigInteger)
    room_allowance: str | None = None
    room_limit: int | None = Field(default=None, sa_type=BigInteger)
    room_retry_at_us: int | None = Field(default=None, sa_type=BigInteger)
    room_retry_is_exact: bool = False
    room_never_fits: bool = False
    trace_id: str = Field(max_length=32)
    receipt: str
    posts_released: int
    """As the reasons say, which billing does not read."""
    recorded_at_us: int = Field(sa_type=BigInteger)
    """When it was decided, but not before a cut-off that was billed as of earlier than this was written.

    0 until it is counted, where a release before billing wrote it.
    """


class ManifestRow(LicensingTable, table=True):
    """What a decision released: its contributors with their posts, as columns."""

    __tablename__ = "manifests"

    decision_id: str = Field(primary_key=True, max_length=36, foreign_key="decisions.decision_id")
    root: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    leaves: int
    contributors: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    post_offsets: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    post_ids: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OpenPermitRow(LicensingTable, table=True):
    """A release that has no settlement yet. The row goes when the settlement comes."""

    __tablename__ = "open_permits"
    __table_args__ = (Index("ix_open_permits_not_after", "not_after_us"),)

    decision_id: str = Field(primary_key=True, max_length=36, foreign_key="decisions.decision_id")
    not_after_us: int = Field(sa_type=BigInteger)


class SettlementRow(LicensingTable, table=True):
    """What metering is told of a release, once and for good; the first writer wins."""

    __tablename__ = "settlements"

    decision_id: str = Field(primary_key=True, max_length=36, foreign_key="decisions.decision_id")
    posts: int
    by_expiry: bool
    settled_at_us: int = Field(sa_type=BigInteger)


class ConfirmationRow(LicensingTable, table=True):
    """The first confirmation of a delivery, which is what is billed."""

    __tablename__ = "confirmations"
    __table_args__ = (
        Index(
            "ix_confirmations_billed",
            *("license_id", "counted_at_us", "recorded_at_us", "undelivered"),
            sqlite_where=text("undelivered > 0"),
            postgresql_where=text("undelivered > 0"),
        ),
        Index(
            "ix_confirmations_uncounted", "decision_id", sqlite_where=_UNCOUNTED, postgresql_where=_UNCOUNTED
        ),
    )

    decision_id: str = Field(primary_key=True, max_length=36, foreign_key="decisions.decision_id")
    delivered: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    posts: int
    confirmed_at_us: int = Field(sa_type=BigInteger)
    license_id: str = Field(max_length=63)
    """Of the decision, like the next."""
    counted_at_us: int | None = Field(default=None, sa_type=BigInteger)
    undelivered: int
    """Posts that were released and are not in it: they are taken off the bill (B2)."""
    recorded_at_us: int = Field(sa_type=BigInteger)
    """When it was confirmed; not before a cut-off as with decisions, nor before its decision. 0 likewise."""
    confirmed_by: str | None = Field(default=None, max_length=160)
    """Who confirmed, "kind:party"; NULL where a release wrote it that did not keep this."""


class ProbeRow(LicensingTable, table=True):
    """How many posts of a decision count as denied probes of its licensee, and under which reservation."""

    __tablename__ = "probes"

    probe_id: str = Field(primary_key=True, max_length=36)
    """The reservation's id; that of an attempt never is."""
    decision_id: str = Field(max_length=36, foreign_key="decisions.decision_id")
    posts: int


class OutboxRow(LicensingTable, table=True):
    """A message to metering that follows from a committed row; it goes when metering has answered."""

    __tablename__ = "outbox"
    # A number is never given twice, so that a late removal cannot hit a newer message.
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: int | None = Field(default=None, primary_key=True, sa_type=ROW_ID)
    reservation_id: str = Field(max_length=36, index=True)
    cancels: bool
    """Cancel the hold; else, and unless it `reduces`, settle it."""
    reduces: bool = False
    """Reduce the hold to `delivered`."""
    delivered: str
    """JSON, a list of [kind, media flags, posts]; "[]" for a cancel or where nothing was delivered."""
    written_at_us: int = Field(sa_type=BigInteger)
    parked: str | None = Field(default=None, max_length=64)
    """The reason for which metering refused it for good."""
