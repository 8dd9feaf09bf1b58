"""Restores of the database that were accepted, and holds of attempts that one of them may have lost."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "accepted_restores",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("accepted_at_us", sa.BigInteger, nullable=False),
        sa.Column("accepted_by", sa.String(160), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("first_lost", sa.BigInteger),
        sa.Column("last_lost", sa.BigInteger),
        sa.Column("published", sa.BigInteger, nullable=False),
    )
    op.add_column("attempts", sa.Column("lost_posts", sa.BigInteger))


def downgrade() -> None:
    op.drop_column("attempts", "lost_posts")
    op.drop_table("accepted_restores")
