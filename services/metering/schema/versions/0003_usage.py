"""Accesses seen elsewhere, and sums of entries by second, minute and hour."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
phase = "expand"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SHOWN = sa.text("reservation_id <> ''")


def upgrade() -> None:
    """Makes the tables; the sums are made from the entries in the background."""
    op.create_table(
        "sightings",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("party_id", sa.Text, nullable=False),
        sa.Column("accessed_us", sa.BigInteger, nullable=False),
        sa.Column("access", sa.SmallInteger, nullable=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("media_flags", sa.SmallInteger, nullable=False),
        sa.Column("posts", sa.BigInteger, nullable=False),
        sa.Column("reservation_id", sa.Text, nullable=False),
        sa.Column("absorbed", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("source", "id", name="sightings_key"),
    )
    op.create_index(
        "sightings_of_receipts", "sightings", ["reservation_id"], sqlite_where=SHOWN, postgresql_where=SHOWN
    )
    op.create_table(
        "projections",
        sa.Column("account_id", sa.BigInteger, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("span_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("access", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("media_flags", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("posts", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    projected = op.create_table(
        "projected",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(projected, [{"id": 1, "number": 0}])


def downgrade() -> None:
    """Forgets what was seen elsewhere; the rest can be made again."""
    op.execute("DELETE FROM entries WHERE account_id IN (SELECT id FROM accounts WHERE scope = 4)")
    op.execute("DELETE FROM accounts WHERE scope = 4")
    for table in ("projected", "projections", "sightings"):
        op.drop_table(table)
