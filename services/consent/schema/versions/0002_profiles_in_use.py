"""Finds the subjects of a profile, and drops the profiles that have none."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
phase = "tune"


def upgrade() -> None:
    op.create_index("ix_states_profile_id", "states", ["profile_id"])
    op.execute("DELETE FROM profiles WHERE profile_id NOT IN (SELECT profile_id FROM states)")
