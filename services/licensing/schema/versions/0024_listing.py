"""Indexes for whoever looks for decisions: by licensee, license, id of the request, and time."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_decisions_licensee": ["licensee_id", "number"],
    "ix_decisions_license": ["license_id", "number"],
    "ix_decisions_request": ["request_id"],
    "ix_decisions_decided": ["decided_at_us", "number"],
}


def upgrade() -> None:
    for name, columns in _INDEXES.items():
        op.create_index(name, "decisions", columns)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "decisions")
