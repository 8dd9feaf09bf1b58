"""Indexes for whoever looks for decisions: by licensee, license, id of the request, and time."""

from alembic import op

from services.chassis.indexes import build_index

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None
phase = "tune"
# Every decision is written into the table that they are on: built in one transaction, all four of them would
# keep decisions waiting.
in_transaction = False

_INDEXES = {
    "ix_decisions_licensee": ["licensee_id", "number"],
    "ix_decisions_license": ["license_id", "number"],
    "ix_decisions_request": ["request_id"],
    "ix_decisions_decided": ["decided_at_us", "number"],
}


def upgrade() -> None:
    for name, columns in _INDEXES.items():
        build_index(name, "decisions", columns)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, "decisions")
