"""API keys: whose, until when, and the digest that a key is known by."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("party", sa.String(63), nullable=False),
        sa.Column("sandbox", sa.Boolean, nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("created_at_us", sa.BigInteger, nullable=False),
        sa.Column("expires_at_us", sa.BigInteger),
        sa.Column("revoked_at_us", sa.BigInteger),
        sa.Column("revoked_by", sa.String(160), nullable=False),
    )
    op.create_index("ix_api_keys_holder", "api_keys", ["party", "kind", "sandbox"])


def downgrade() -> None:
    op.drop_index("ix_api_keys_holder", "api_keys")
    op.drop_table("api_keys")
