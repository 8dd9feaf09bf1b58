"""The damages policy, version by version, assessments under it, and when each source last reported."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes the tables."""
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
    op.create_table(
        "assessments",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("assessment_id", sa.Text, nullable=False),
        sa.Column("scope", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.UniqueConstraint("assessment_id", name="assessments_id"),
    )
    op.create_index("assessments_of", "assessments", ["scope", "key", "number"])


def downgrade() -> None:
    """Forgets them."""
    op.drop_table("assessments")
    op.drop_table("damages_policies")
    op.drop_table("reports")
