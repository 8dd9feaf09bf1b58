"""Tries are those of a webhook, no longer of each announcement."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None
phase = "contract"


def upgrade() -> None:
    # All that waits is tried anew, from the shortest pause on. The announcer of the program before this one
    # announces nothing from here on, and says so in the log: what it leaves waits for one of this program.
    op.add_column("recall_webhooks", sa.Column("tries", sa.Integer, nullable=False, server_default="0"))
    op.add_column(
        "recall_webhooks", sa.Column("next_try_us", sa.BigInteger, nullable=False, server_default="0")
    )
    op.drop_index("ix_recall_announcements_next_try", "recall_announcements")
    op.drop_column("recall_announcements", "tries")
    op.drop_column("recall_announcements", "next_try_us")


def downgrade() -> None:
    for name, kind in (("tries", sa.Integer), ("next_try_us", sa.BigInteger)):
        op.add_column("recall_announcements", sa.Column(name, kind, nullable=False, server_default="0"))
        op.drop_column("recall_webhooks", name)
    op.create_index("ix_recall_announcements_next_try", "recall_announcements", ["next_try_us"])
