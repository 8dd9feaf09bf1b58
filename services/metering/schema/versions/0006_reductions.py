"""What is kept of a hold that was reduced, and by which changes.

Nothing has been reduced before, so that nothing is filled in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
phase = "expand"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the columns and the table."""
    op.add_column("reservations", sa.Column("kept", sa.Text, nullable=True))
    op.add_column("reservations", sa.Column("posts_kept", sa.BigInteger, nullable=True))
    op.create_table(
        "reductions",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("reservation_number", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Forgets reductions; what was freed by them stays freed, and no longer agrees with its reservation."""
    op.drop_table("reductions")
    op.drop_column("reservations", "posts_kept")
    op.drop_column("reservations", "kept")
