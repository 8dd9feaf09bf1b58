"""The head, reservations, tallies and entries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
phase = "expand"

ROW_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
HELD = sa.text("state = 1")


def upgrade() -> None:
    """Makes the tables, and the one head row."""
    head = op.create_table(
        "head",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "epoch": 1, "number": 0}])
    _create_reservations()
    op.create_table(
        "tallies",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("scope", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("window", sa.SmallInteger, nullable=False),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.Column("last_us", sa.BigInteger, nullable=False),
        sa.Column("tail_us", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("scope", "key", "window", name="tallies_key"),
    )
    op.create_table(
        "entries",
        sa.Column("tally_id", sa.BigInteger, sa.ForeignKey("tallies.id"), primary_key=True),
        sa.Column("counted_at_us", sa.BigInteger, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.ForeignKey("reservations.number"), primary_key=True),
        sa.Column("used", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("number", ROW_ID, primary_key=True, autoincrement=False),
        sa.Column("reservation_id", sa.Text, nullable=False),
        sa.Column("request_key", sa.Text, nullable=False),
        sa.Column("party_id", sa.Text, nullable=False),
        sa.Column("counts", sa.Text, nullable=False),
        sa.Column("allowances", sa.Text, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("counted_at_us", sa.BigInteger, nullable=True),
        sa.Column("posts_reserved", sa.BigInteger, nullable=False),
        sa.Column("posts_settled", sa.BigInteger, nullable=False),
        sa.Column("posts_freed", sa.BigInteger, nullable=False),
        sa.Column("settled", sa.Text, nullable=False),
        sa.Column("no_room", sa.Text, nullable=True),
        sa.UniqueConstraint("reservation_id", name="reservations_id"),
    )
    _create_held_index("reservations_held_by_request", ["request_key"])
    _create_held_index("reservations_held_by_time", ["counted_at_us", "number"])


def _create_held_index(name: str, columns: list[str]) -> None:
    op.create_index(name, "reservations", columns, sqlite_where=HELD, postgresql_where=HELD)


def downgrade() -> None:
    """Drops everything that was counted."""
    for table in ("entries", "tallies", "reservations", "head"):
        op.drop_table(table)
