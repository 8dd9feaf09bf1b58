"""Recalls: what withdrawals take back, and how far the questions have come that policies and halts raise."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None
phase = "expand"

_RELEASES = sa.text("not_after_us IS NOT NULL")
_COLLECTING = sa.text("state = 0")
_UNRESOLVED = sa.text("state IN (1, 2)")
_OVERDUE = sa.text("state = 6")
_WITH_GAPS = sa.text("gaps_found > 0")
_OF_SUBJECTS = sa.text("subject_id <> 0")
_OF_POSTS = sa.text("post_id <> 0")
_OPEN = sa.text("done_at_us IS NULL")


def upgrade() -> None:
    # A default in the database, too: the program before this one makes the row without it.
    op.add_column("head", sa.Column("next_recall", sa.BigInteger, nullable=False, server_default="1"))
    _index("ix_decisions_released_to", "decisions", ["licensee_id", "number"], _RELEASES)
    _create_recalls()
    _create_entries()
    _create_rechecks()


def _create_recalls() -> None:
    op.create_table(
        "recalls",
        sa.Column("recall_id", sa.String(36), primary_key=True),
        sa.Column("licensee_id", sa.String(63), sa.ForeignKey("licensees.licensee_id"), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("collecting_since_us", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, unique=True),
        sa.Column("issued_at_us", sa.BigInteger),
        sa.Column("due_at_us", sa.BigInteger),
        sa.Column("acknowledged_at_us", sa.BigInteger),
        sa.Column("overdue_at_us", sa.BigInteger),
        sa.Column("outcome", sa.Integer),
        sa.Column("attested_name", sa.String(200)),
        sa.Column("attested_role", sa.String(200)),
        sa.Column("statement", sa.String(10000)),
        sa.Column("document_digest", sa.LargeBinary(32)),
        sa.Column("resolved_at_us", sa.BigInteger),
        sa.Column("resolved_by", sa.String(160)),
        sa.Column("withdrawals", sa.Integer, nullable=False),
        sa.Column("posts", sa.BigInteger, nullable=False),
    )
    _index("uq_recalls_collecting", "recalls", ["licensee_id"], _COLLECTING, unique=True)
    _index("ix_recalls_due", "recalls", ["due_at_us"], _UNRESOLVED)
    _index("ix_recalls_overdue", "recalls", ["number"], _OVERDUE)
    op.create_index("ix_recalls_licensee", "recalls", ["licensee_id", "number"])
    op.create_table(
        "recall_licenses",
        sa.Column("recall_id", sa.String(36), sa.ForeignKey("recalls.recall_id"), primary_key=True),
        sa.Column("license_id", sa.String(63), primary_key=True),
        sa.Column("license_version", sa.Integer, primary_key=True, autoincrement=False),
    )


def _create_entries() -> None:
    op.create_table(
        "recall_entries",
        sa.Column("consent_epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("licensee_id", sa.String(63), primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("recall_id", sa.String(36), sa.ForeignKey("recalls.recall_id")),
        sa.Column("withdrawal_id", sa.String(36), nullable=False),
        sa.Column("subject_id", sa.BigInteger, nullable=False),
        sa.Column("post_id", sa.BigInteger, nullable=False),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger, nullable=False),
        sa.Column("decisions", sa.LargeBinary, nullable=False),
        sa.Column("post_offsets", sa.LargeBinary, nullable=False),
        sa.Column("post_ids", sa.LargeBinary, nullable=False),
        sa.Column("gaps", sa.LargeBinary, nullable=False),
        sa.Column("first_number", sa.BigInteger, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("gaps_found", sa.Integer, nullable=False),
    )
    op.create_index("ix_recall_entries_recall", "recall_entries", ["recall_id", "withdrawal_id", "part"])
    op.create_index(
        "ix_recall_entries_numbers", "recall_entries", ["licensee_id", "last_number", "first_number"]
    )
    gaps = ["consent_epoch", "revision", "licensee_id", "part"]
    _index("ix_recall_entries_gaps", "recall_entries", gaps, _WITH_GAPS)
    _index("ix_recall_entries_subject", "recall_entries", ["subject_id"], _OF_SUBJECTS)
    _index("ix_recall_entries_post", "recall_entries", ["post_id"], _OF_POSTS)


def _create_rechecks() -> None:
    op.create_table(
        "recall_rechecks",
        sa.Column("consent_epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("licensee_id", sa.String(63), primary_key=True),
        sa.Column("withdrawal_id", sa.String(36), nullable=False),
        sa.Column("cause", sa.Integer, nullable=False),
        sa.Column("purposes", sa.String, nullable=False),
        sa.Column("countries", sa.String, nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("until_number", sa.BigInteger, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("done_at_us", sa.BigInteger),
    )
    key = ["consent_epoch", "revision", "licensee_id"]
    _index("ix_recall_rechecks_open", "recall_rechecks", key, _OPEN)


def _index(name: str, table: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for table in ("recall_rechecks", "recall_entries", "recall_licenses", "recalls"):
        op.drop_table(table)
    op.drop_index("ix_decisions_released_to", "decisions")
    op.drop_column("head", "next_recall")
