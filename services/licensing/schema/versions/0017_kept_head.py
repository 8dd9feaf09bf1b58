"""A number for every change, a mark that the database keeps for good, and restores by their epochs (R5)."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    # Defaults in the database, too: the program before this one raises no number, and notes nothing.
    op.add_column("head", sa.Column("number", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("head", sa.Column("is_log_shown", sa.Boolean, nullable=False, server_default=sa.false()))
    # From now on it is there before anything is written: what is compared at the start is in it.
    op.execute(
        "INSERT INTO head (id, epoch, next_number, next_invoice, next_credit_note, next_recall, cut_off_us,"
        " fence_epoch, fence_revision, scanned_epoch, scanned_revision, consent_epoch, consent_revision,"
        " metering_epoch, metering_revision) VALUES (1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)"
        " ON CONFLICT DO NOTHING"
    )
    op.execute("UPDATE head SET is_log_shown = true WHERE EXISTS (SELECT 1 FROM log_checkpoints)")
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


def downgrade() -> None:
    op.drop_table("restores")
    op.drop_table("identity")
    op.drop_column("head", "is_log_shown")
    op.drop_column("head", "number")
