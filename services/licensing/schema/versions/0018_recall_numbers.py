"""Recalls are numbered licensee by licensee, and rechecks of halts say what the halt covers."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
phase = "contract"

_NUMBERED = """
UPDATE recalls SET licensee_number = (
    SELECT count(*) FROM recalls earlier
    WHERE earlier.licensee_id = recalls.licensee_id AND earlier.number <= recalls.number
) WHERE number IS NOT NULL
"""


def upgrade() -> None:
    # The program before this one issues recalls without it: it is to be stopped before, for a recall without
    # a number of its licensee would be shown to nobody.
    op.add_column("recalls", sa.Column("licensee_number", sa.BigInteger))
    op.execute(_NUMBERED)
    op.create_index("uq_recalls_licensee_number", "recalls", ["licensee_id", "licensee_number"], unique=True)
    # What a recheck of a halt covers that had begun before is not known: all that is denied is taken back.
    op.add_column("recall_rechecks", sa.Column("halt", sa.String, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("recall_rechecks", "halt")
    op.drop_index("uq_recalls_licensee_number", "recalls")
    op.drop_column("recalls", "licensee_number")
