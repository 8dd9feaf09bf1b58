"""The damages policy, version by version, assessments and disputes, and when sources reported."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
phase = "expand"

PENDING = sa.text("state = 1")
ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    _reports_and_policies()
    _assessments()
    _proposals()
    _notices()


def _reports_and_policies() -> None:
    op.create_table(
        "reports",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("last_page_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "damages_policies",
        sa.Column("version", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
    )


def _assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("assessment_id", sa.Text, nullable=False),
        sa.Column("scope", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("short", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("rate", sa.Text, nullable=False),
        sa.Column("named", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("in_force", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("assessment_id", name="assessments_id"),
    )
    op.create_index("assessments_of", "assessments", ["scope", "key", "number"])


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("proposal_id", sa.String(36), nullable=False, unique=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.String(160), nullable=False),
        sa.Column("proposed_us", sa.BigInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("decided_by", sa.String(160), nullable=False),
        sa.Column("decided_us", sa.BigInteger, nullable=True),
        sa.Column("decision_reason", sa.Text, nullable=False),
    )
    op.create_index("proposals_of", "proposals", ["subject", "number"])
    op.create_index(
        "proposals_pending", "proposals", ["number"], sqlite_where=PENDING, postgresql_where=PENDING
    )
    op.create_table(
        "step_changes",
        sa.Column("proposal", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("state_before", sa.SmallInteger, nullable=False),
        sa.Column("in_force_before", sa.BigInteger, nullable=False),
        sa.Column("state_after", sa.SmallInteger, nullable=False),
        sa.Column("in_force_after", sa.BigInteger, nullable=False),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("assessment_id", sa.Text, nullable=False),
        sa.Column("party_id", sa.Text, nullable=False),
        sa.Column("sent_us", sa.BigInteger, nullable=False),
        sa.Column("how", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
    )
    op.create_index("notices_of", "notices", ["assessment_id", "number"])


def downgrade() -> None:
    """Forgets them."""
    for table in ("notices", "step_changes", "proposals", "assessments", "damages_policies", "reports"):
        op.drop_table(table)
