"""Sessions that write leave a mark: a history that was restored and went on is told from the first by it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "lineages",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("after_revision", sa.BigInteger, nullable=False),
        sa.Column("mark", sa.BigInteger, nullable=False, unique=True),
    )
