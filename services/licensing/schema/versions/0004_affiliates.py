"""Changes of affiliates, each taken down before metering is asked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
phase = "expand"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "affiliate_changes",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=True),
        sa.Column(
            "licensee_id", sa.String(63), sa.ForeignKey("licensees.licensee_id"), nullable=False, index=True
        ),
        sa.Column("affiliate_id", sa.String(63), nullable=False, index=True),
        sa.Column("adds", sa.Boolean, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("principal", sa.String(160), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("begun_at_us", sa.BigInteger, nullable=False),
        sa.Column("finished_at_us", sa.BigInteger, index=True),
        sa.UniqueConstraint("principal", "adds", "request_id", name="uq_affiliate_changes_request"),
    )


def downgrade() -> None:
    op.drop_table("affiliate_changes")
