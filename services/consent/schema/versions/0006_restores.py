"""A mark that the database keeps for good, and the restores that an operator accepted (R5)."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    identity = op.create_table(
        "identity",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("is_kept", sa.Boolean, nullable=False),
    )
    op.bulk_insert(identity, [{"id": 1, "mark": secrets.token_hex(16), "is_kept": False}])
    op.create_table(
        "restores",
        sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("shared", sa.BigInteger, nullable=False),
        sa.Column("found_epoch", sa.BigInteger, nullable=False),
        sa.Column("found_number", sa.BigInteger, nullable=False),
        sa.Column("lost_epoch", sa.BigInteger),
        sa.Column("lost_number", sa.BigInteger),
        sa.Column("accepted_us", sa.BigInteger, nullable=False),
        sa.Column("accepted_by", sa.String(160), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
    )
