"""Licensees, licenses with their history, stored answers, and the head row."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    _create_contracts()
    _create_replays()
    _create_head()


def _create_contracts() -> None:
    op.create_table(
        "licensees",
        sa.Column("licensee_id", sa.String(63), primary_key=True),
        sa.Column("display_name", sa.String(200), nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "licenses",
        sa.Column("license_id", sa.String(63), primary_key=True),
        sa.Column(
            "licensee_id", sa.String(63), sa.ForeignKey("licensees.licensee_id"), nullable=False, index=True
        ),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("terms", sa.String, nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("state_changed_at_us", sa.BigInteger, nullable=False),
        sa.Column("state_reason", sa.String(1000), nullable=False),
    )
    op.create_table(
        "license_history",
        sa.Column("license_id", sa.String(63), sa.ForeignKey("licenses.license_id"), primary_key=True),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("terms", sa.String, nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    )


def _create_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("principal", sa.String(160), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )


def _create_head() -> None:
    head = op.create_table(
        "head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("next_number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "epoch": 1, "next_number": 1}])


def downgrade() -> None:
    for table in ("head", "replays", "license_history", "licenses", "licensees"):
        op.drop_table(table)
