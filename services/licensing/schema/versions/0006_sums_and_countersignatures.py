"""Sums of decisions by the minute, and what licensees say they received."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "decision_counts",
        sa.Column("since_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column(
            "licensee_id",
            sa.String(63).with_variant(sa.String(63, collation="C"), "postgresql"),
            primary_key=True,
        ),
        sa.Column("purpose", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("outcome", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    counted = op.create_table(
        "decisions_counted",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(counted, [{"id": 1, "number": 0}])
    op.create_table(
        "countersignatures",
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.decision_id"), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("licensee_id", sa.String(63), nullable=False),
        sa.Column("posts", sa.Integer, nullable=False),
        sa.Column("countersigned_at_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_countersignatures_licensee", "countersignatures", ["licensee_id", "number"])


def downgrade() -> None:
    op.drop_table("countersignatures")
    op.drop_table("decisions_counted")
    op.drop_table("decision_counts")
