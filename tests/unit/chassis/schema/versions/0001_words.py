"""A table to write words into."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
phase = "expand"


def upgrade() -> None:
    op.create_table("words", sa.Column("word", sa.Text, primary_key=True))
