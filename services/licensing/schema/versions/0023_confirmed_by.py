"""Who confirmed a delivery: of what a licensee asked for any pipeline may."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
phase = "expand"
is_baseline = True


def upgrade() -> None:
    # Without a default: a process of the release before this one writes none.
    op.add_column("confirmations", sa.Column("confirmed_by", sa.String(160)))


def downgrade() -> None:
    op.drop_column("confirmations", "confirmed_by")
