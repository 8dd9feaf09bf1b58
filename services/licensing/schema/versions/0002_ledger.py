"""Decisions with their manifests, attempts, settlements, confirmations, and the outbox to metering."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
phase = "expand"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _decision_id(*, primary_key: bool = True) -> "sa.Column[str]":
    return sa.Column(
        "decision_id",
        sa.String(36),
        sa.ForeignKey("decisions.decision_id"),
        primary_key=primary_key,
        nullable=not primary_key,
    )


def upgrade() -> None:
    _create_decisions()
    _create_what_hangs_on_decisions()
    _create_deliveries()
    _create_outbox()


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("principal", sa.String(128), nullable=False),
        sa.Column("principal_kind", sa.String(16), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("licensee_id", sa.String(63), nullable=False),
        sa.Column("license_id", sa.String(63), nullable=False),
        sa.Column("license_version", sa.Integer, nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("purpose", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("reasons", sa.LargeBinary, nullable=False),
        sa.Column("kinds", sa.LargeBinary, nullable=False),
        sa.Column("media_flags", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary(32), nullable=False),
        sa.Column("policy_version", sa.BigInteger),
        sa.Column("consent_epoch", sa.BigInteger),
        sa.Column("consent_revision", sa.BigInteger),
        sa.Column("reservation_id", sa.String(36)),
        sa.Column("counted_at_us", sa.BigInteger),
        sa.Column("decided_at_us", sa.BigInteger, nullable=False),
        sa.Column("not_after_us", sa.BigInteger),
        sa.Column("room_allowance", sa.String),
        sa.Column("room_limit", sa.BigInteger),
        sa.Column("room_retry_at_us", sa.BigInteger),
        sa.Column("room_retry_is_exact", sa.Boolean, nullable=False),
        sa.Column("room_never_fits", sa.Boolean, nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("receipt", sa.String, nullable=False),
        sa.UniqueConstraint("principal_kind", "principal", "request_id", name="uq_decisions_request"),
    )


def _create_what_hangs_on_decisions() -> None:
    op.create_table(
        "attempts",
        sa.Column("attempt_id", sa.String(36), primary_key=True),
        _decision_id(primary_key=False),
        sa.Column("ended_at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "manifests",
        _decision_id(),
        sa.Column("root", sa.LargeBinary(32), nullable=False),
        sa.Column("leaves", sa.Integer, nullable=False),
        sa.Column("contributors", sa.LargeBinary, nullable=False),
        sa.Column("post_offsets", sa.LargeBinary, nullable=False),
        sa.Column("post_ids", sa.LargeBinary, nullable=False),
    )


def _create_deliveries() -> None:
    op.create_table(
        "open_permits",
        _decision_id(),
        sa.Column("not_after_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_open_permits_not_after", "open_permits", ["not_after_us"])
    op.create_table(
        "settlements",
        _decision_id(),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("by_expiry", sa.Boolean, nullable=False),
        sa.Column("settled_at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "confirmations",
        _decision_id(),
        sa.Column("delivered", sa.LargeBinary, nullable=False),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("confirmed_at_us", sa.BigInteger, nullable=False),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column("reservation_id", sa.String(36), nullable=False, index=True),
        sa.Column("cancels", sa.Boolean, nullable=False),
        sa.Column("delivered", sa.String, nullable=False),
        sa.Column("written_at_us", sa.BigInteger, nullable=False),
        sa.Column("parked", sa.String(64)),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    tables = ("outbox", "confirmations", "settlements", "open_permits", "manifests", "attempts", "decisions")
    for table in tables:
        op.drop_table(table)
