"""What was released, post by post, and the index from contributors and posts to decisions.

Decisions from before have no columns, and the index is made of their manifests, beside the calls.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
phase = "expand"


def upgrade() -> None:
    op.create_table(
        "released_columns",
        sa.Column(
            "number", sa.BigInteger, sa.ForeignKey("decisions.number"), primary_key=True, autoincrement=False
        ),
        sa.Column("ids", sa.LargeBinary, nullable=False),
        sa.Column("author_ids", sa.LargeBinary, nullable=False),
        sa.Column("embed_offsets", sa.LargeBinary, nullable=False),
        sa.Column("embed_ids", sa.LargeBinary, nullable=False),
        sa.Column("embed_author_ids", sa.LargeBinary, nullable=False),
    )
    index = op.create_table(
        "release_index",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("indexed", sa.BigInteger, nullable=False),
        sa.Column("next_segment", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(index, [{"id": 1, "indexed": 0, "next_segment": 1}])
    op.create_table(
        "release_segments",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("after_number", sa.BigInteger, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        sa.Column("merged_kind", sa.Integer, nullable=False),
        sa.Column("merged_key", sa.BigInteger, nullable=False),
        sa.Column("merged_number", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "release_blocks",
        sa.Column("segment", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("first_number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("keys", sa.LargeBinary, nullable=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in ("release_blocks", "release_segments", "release_index", "released_columns"):
        op.drop_table(table)
