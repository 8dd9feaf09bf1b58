"""How far licensing has read the withdrawals of consent, and the highest answers that it has decided on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
phase = "expand"

_COLUMNS = (
    *("fence_epoch", "fence_revision", "scanned_epoch", "scanned_revision"),
    *("consent_epoch", "consent_revision", "metering_epoch", "metering_revision"),
)


def upgrade() -> None:
    # A default in the database, too: the program before this one makes the row without them.
    for name in _COLUMNS:
        op.add_column("head", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    # What was decided before is what was seen before (R5). Read once, through all decisions.
    op.execute(
        "UPDATE head SET consent_epoch = COALESCE((SELECT max(consent_epoch) FROM decisions), 0),"
        " consent_revision = COALESCE((SELECT max(consent_revision) FROM decisions"
        " WHERE consent_epoch = (SELECT max(consent_epoch) FROM decisions)), 0)"
    )


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("head", name)
