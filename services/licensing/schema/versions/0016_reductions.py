"""Messages to metering that reduce a hold to what was released in the end."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    # A default in the database, too: the program before this one writes messages without it. Where it sends a
    # reduction, it settles in full what is kept, which errs on the strict side; and it knows no fence, which
    # is therefore not to be moved while it runs.
    op.add_column("outbox", sa.Column("reduces", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    # The settlement that comes after each frees the surplus as well.
    op.execute("DELETE FROM outbox WHERE reduces")
    op.drop_column("outbox", "reduces")
