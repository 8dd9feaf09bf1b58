"""Choices, subjects, policies with activations; the states derived from them; stored answers; the head."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
phase = "expand"

WIDE_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _records()
    _policies()
    _derived()
    op.create_table(
        "replays",
        sa.Column("principal", sa.String(160), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "epoch": 1, "number": 0}])


def _records() -> None:
    op.create_table(
        "choices",
        sa.Column("revision", WIDE_KEY, primary_key=True),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("stance", sa.Integer, nullable=False),
        sa.Column("licensee", sa.String(63), nullable=False),
        sa.Column("purpose", sa.Integer, nullable=False),
        sa.Column("method", sa.Integer, nullable=False),
        sa.Column("notice_digest", sa.LargeBinary, nullable=False),
        sa.Column("claimed_us", sa.BigInteger, nullable=False),
        sa.Column("stated_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(160), nullable=False),
    )
    content = ["subject_id", "claimed_us", "stance", "licensee", "purpose", "notice_digest", "stated_us"]
    op.create_index("uq_choices_content", "choices", content, unique=True)
    op.create_table(
        "subjects",
        sa.Column("revision", WIDE_KEY, primary_key=True),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("jurisdiction", sa.String(6), nullable=False),
        sa.Column("states", sa.Integer, nullable=False),
        sa.Column("notices", sa.LargeBinary, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.String(160), nullable=False),
    )
    op.create_index("ix_subjects_subject_id", "subjects", ["subject_id"])


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, unique=True),
        sa.Column("effective_us", sa.BigInteger, nullable=False),
        sa.Column("text_digest", sa.LargeBinary, nullable=False),
        sa.Column("rules", sa.String, nullable=False),
        sa.Column("notices", sa.LargeBinary, nullable=False),
        sa.Column("announced_us", sa.BigInteger, nullable=False),
        sa.Column("announced_by", sa.String(160), nullable=False),
    )
    op.create_table(
        "policy_activations",
        sa.Column("version", sa.Integer, sa.ForeignKey("policies.version"), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, unique=True),
        sa.Column("activated_us", sa.BigInteger, nullable=False),
    )


def _derived() -> None:
    op.create_table(
        "profiles",
        sa.Column("profile_id", sa.Integer, primary_key=True),
        sa.Column("content", sa.String, nullable=False, unique=True),
    )
    op.create_table(
        "states",
        sa.Column("subject_id", WIDE_KEY, primary_key=True),
        sa.Column("profile_id", sa.Integer, sa.ForeignKey("profiles.profile_id"), nullable=False),
        sa.Column("choices", sa.String, nullable=False),
        sa.Column("last_stated_us", sa.BigInteger),
    )
