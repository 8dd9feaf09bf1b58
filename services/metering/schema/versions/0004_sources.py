"""Whose a source of accesses is, and what receipts absorb: how much, and up to which access in order.

Sources that accesses were reported under are nobody's until the next report.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
phase = "contract"

SHOWN = sa.text("reservation_id <> ''")
ORDER = ["reservation_id", "party_id", "access", "accessed_us", "source", "id"]


def upgrade() -> None:
    """Makes the tables, and says of every receipt what it absorbs."""
    op.create_table(
        "sources",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("reporter", sa.Text, nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "absorptions",
        sa.Column("reservation_id", sa.Text, primary_key=True),
        sa.Column("posts", sa.BigInteger, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.drop_index("sightings_of_receipts", "sightings")
    _collate("C")
    _index(ORDER)
    op.execute(
        "INSERT INTO absorptions (reservation_id, posts, last_number)"
        " SELECT reservation_id, posts, number FROM"
        " (SELECT reservation_id, number, SUM(absorbed) OVER (PARTITION BY reservation_id) AS posts,"
        " ROW_NUMBER() OVER (PARTITION BY reservation_id ORDER BY accessed_us DESC, source DESC, id DESC)"
        " AS place FROM sightings WHERE absorbed > 0) AS placed WHERE place = 1"
    )


def downgrade() -> None:
    """Forgets whose a source is; the rest can be made again."""
    op.drop_index("sightings_of_receipts", "sightings")
    _collate("default")
    _index(["reservation_id"])
    op.drop_table("absorptions")
    op.drop_table("sources")


def _index(columns: list[str]) -> None:
    op.create_index("sightings_of_receipts", "sightings", columns, sqlite_where=SHOWN, postgresql_where=SHOWN)


def _collate(collation: str) -> None:
    """Texts are in the order of their bytes with SQLite, and in that of the program."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("source", "id"):
            op.execute(f'ALTER TABLE sightings ALTER COLUMN {column} TYPE text COLLATE "{collation}"')
