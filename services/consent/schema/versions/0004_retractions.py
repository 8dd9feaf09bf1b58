"""Announced policies can be retracted before they take effect.

A process of the release before does not read this table: retract nothing while one still runs, for it would
activate the version all the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "policy_retractions",
        sa.Column("version", sa.Integer, sa.ForeignKey("policies.version"), primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False, unique=True),
        sa.Column("retracted_us", sa.BigInteger, nullable=False),
        sa.Column("retracted_by", sa.String(160), nullable=False),
    )
