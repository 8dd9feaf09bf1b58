"""Webhooks: where recalls are announced, and which wait for it; and an index of what policies took back."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
phase = "expand"


_OF_NO_ONE = sa.text("subject_id = 0 AND post_id = 0")


def upgrade() -> None:
    op.create_table(
        "recall_webhooks",
        sa.Column("licensee_id", sa.String(63), sa.ForeignKey("licensees.licensee_id"), primary_key=True),
        sa.Column("url", sa.String(512), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("told_number", sa.BigInteger, nullable=False),
        sa.Column("secret", sa.LargeBinary(32), nullable=False),
        sa.Column("secret_made_at_us", sa.BigInteger, nullable=False),
        sa.Column("old_secret", sa.LargeBinary(32)),
        sa.Column("old_until_us", sa.BigInteger),
        sa.Column("put_by", sa.String(160), nullable=False),
        sa.Column("put_at_us", sa.BigInteger, nullable=False),
        sa.Column("last_delivered_at_us", sa.BigInteger),
        sa.Column("last_fault", sa.Integer),
        sa.Column("last_status", sa.Integer, nullable=False),
        sa.Column("last_failed_at_us", sa.BigInteger),
        sa.Column("given_up", sa.Integer, nullable=False),
        sa.Column("last_given_up_at_us", sa.BigInteger),
    )
    webhook = sa.ForeignKey("recall_webhooks.licensee_id")
    op.create_table(
        "recall_announcements",
        sa.Column("licensee_id", sa.String(63), webhook, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_try_us", sa.BigInteger, nullable=False),
    )
    # By which a subject is told of them; those of subjects and posts have indexes of their own.
    op.create_index(
        "ix_recall_entries_of_no_one",
        "recall_entries",
        ["licensee_id", "last_number", "first_number"],
        sqlite_where=_OF_NO_ONE,
        postgresql_where=_OF_NO_ONE,
    )
    op.create_index("ix_recall_announcements_next_try", "recall_announcements", ["next_try_us"])


def downgrade() -> None:
    op.drop_index("ix_recall_entries_of_no_one", "recall_entries")
    op.drop_table("recall_announcements")
    op.drop_table("recall_webhooks")
