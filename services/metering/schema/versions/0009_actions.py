"""The log of what operators do."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
phase = "expand"
is_baseline = True


def upgrade() -> None:
    op.create_table(
        "actions",
        # SQLite takes a primary key for its row id only if the type is spelt INTEGER.
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("action", sa.BigInteger, nullable=False),
        sa.Column("operator", sa.String(128), nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("nonce", sa.LargeBinary(16), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("request_bytes", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("subject", sa.String(20), nullable=True),
        sa.Column("outcome", sa.SmallInteger, nullable=True),
        sa.Column("refusal", sa.Text, nullable=False),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("answers", sa.BigInteger, nullable=False),
    )
    op.create_index("actions_of_operator", "actions", ["operator", "number"])
    op.create_index("actions_of_method", "actions", ["method", "number"])
    op.create_index("actions_by_time", "actions", ["at_us", "number"])
    op.create_index("actions_of_subject", "actions", ["subject"])
