"""The login wall: its changes, numbered by the head row."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    # A default in the database, too: the program before this one makes the row without it.
    op.add_column("head", sa.Column("next_wall_change", sa.BigInteger, nullable=False, server_default="1"))
    op.create_table(
        "wall_changes",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("raised", sa.Boolean, nullable=False),
        sa.Column("tiers", sa.Integer, nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("until_us", sa.BigInteger),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("wall_changes")
    op.drop_column("head", "next_wall_change")
