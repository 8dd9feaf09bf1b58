"""When calls from outside were counted: the windows of limits on calls."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
phase = "expand"

BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Makes the table and the index by which rows are dropped."""
    op.create_table(
        "rate_windows",
        sa.Column("key", BYTEWISE, primary_key=True),
        sa.Column("drop_at_us", sa.BigInteger, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    op.create_index("rate_windows_passed", "rate_windows", ["drop_at_us"])
    if op.get_bind().dialect.name == "postgresql":
        # Written anew with each call: to compress them each time costs more than it saves.
        op.execute("ALTER TABLE rate_windows ALTER COLUMN packed SET STORAGE EXTERNAL")


def downgrade() -> None:
    """Forgets who has called how often, so that every limit begins anew."""
    op.drop_table("rate_windows")
