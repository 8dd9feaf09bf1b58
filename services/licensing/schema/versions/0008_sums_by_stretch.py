"""Sums of decisions also by the hour and by the day, so that a page of them is read and not reckoned.

The sums are made anew from the ledger, beside the calls: to sum up a year of minutes here would keep the
service, and so every decision, waiting at its start. A process of an earlier release finds no place for its
sums any more and says so in its log; it cannot move on what has been summed without adding to all of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
phase = "contract"


def upgrade() -> None:
    _begin_anew(sa.Column("stretch_us", sa.BigInteger, primary_key=True, autoincrement=False))
    op.create_index(
        "ix_decision_counts_licensee", "decision_counts", ["stretch_us", "licensee_id", "since_us", "purpose"]
    )


def downgrade() -> None:
    _begin_anew()


def _begin_anew(*before: sa.Column[int]) -> None:
    """The table of sums, empty, with columns before those that it always had."""
    op.drop_table("decision_counts")
    op.create_table(
        "decision_counts",
        *before,
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
    op.execute("UPDATE decisions_counted SET number = 0")
