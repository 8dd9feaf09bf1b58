"""How many posts that a licensee asked for by id count as denied probes."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "probes",
        sa.Column("probe_id", sa.String(36), primary_key=True),
        sa.Column("decision_id", sa.String(36), sa.ForeignKey("decisions.decision_id"), nullable=False),
        sa.Column("posts", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("probes")
