"""A column more, as an expanding migration adds it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
phase = "expand"


def upgrade() -> None:
    op.add_column("words", sa.Column("length", sa.Integer, nullable=True))
