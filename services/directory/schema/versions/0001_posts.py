"""Posts, and the answers to requests that brought them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
phase = "expand"
is_baseline = True


def upgrade() -> None:
    op.create_table(
        "posts",
        sa.Column(
            "post_id",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("author_id", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("media_flags", sa.SmallInteger, nullable=False),
        sa.Column("posted_at_us", sa.BigInteger, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("embeds", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "replays",
        sa.Column("principal", sa.String(160), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(36), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("replays")
    op.drop_table("posts")
