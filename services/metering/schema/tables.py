"""The tables of metering as they are now; `versions/` says how they came to be.

Posts are counted in three places that always agree: a reservation, its entries (one in each tally that it
counts in), and the sums of those tallies over their windows.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

# SQLite takes a primary key for its row id only if the type is spelt INTEGER; that holds 64 bits too.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")
HELD = text("state = 1")


class MeteringTable(SQLModel, registry=registry()):
    """Base of the tables of this service alone."""


class HeadRow(MeteringTable, table=True):
    """One row: the number of the latest change. Locked last; it makes numbers follow the order of commits."""

    __tablename__ = "head"

    id: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    epoch: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Counts accepted restores, from 1 (R5)."""
    number: int = Field(sa_column=Column(BigInteger, nullable=False))


class ReservationRow(MeteringTable, table=True):
    """One reservation with all that it was asked for and its answer (M4). Lists are compact JSON arrays."""

    __tablename__ = "reservations"
    __table_args__ = (
        UniqueConstraint("reservation_id", name="reservations_id"),
        Index("reservations_held_by_request", "request_key", sqlite_where=HELD, postgresql_where=HELD),
        Index(
            "reservations_held_by_time", "counted_at_us", "number", sqlite_where=HELD, postgresql_where=HELD
        ),
    )

    number: int = Field(sa_column=Column(ROW_ID, primary_key=True, autoincrement=False))
    reservation_id: str = Field(sa_column=Column(Text, nullable=False))
    request_key: str = Field(sa_column=Column(Text, nullable=False))
    party_id: str = Field(sa_column=Column(Text, nullable=False))
    counts: str = Field(sa_column=Column(Text, nullable=False))
    """[[kind, media_flags, posts], ...], sorted."""
    allowances: str = Field(sa_column=Column(Text, nullable=False))
    """[[scope, id, window, limit], ...], sorted."""
    state: int = Field(sa_column=Column(SmallInteger, nullable=False))
    counted_at_us: int | None = Field(sa_column=Column(BigInteger, nullable=True))
    """Null if it never held."""
    posts_reserved: int = Field(sa_column=Column(BigInteger, nullable=False))
    posts_settled: int = Field(sa_column=Column(BigInteger, nullable=False))
    posts_freed: int = Field(sa_column=Column(BigInteger, nullable=False))
    settled: str = Field(sa_column=Column(Text, nullable=False))
    """As counts."""
    no_room: str | None = Field(sa_column=Column(Text, nullable=True))
    """[[scope, id, window, limit], used, held, retry_at_us, exact, never, [rival id, ...]], if NO_ROOM."""


class TallyRow(MeteringTable, table=True):
    """The sums of one allowance key over its window: the hot row that reservations of a party meet at."""

    __tablename__ = "tallies"
    __table_args__ = (UniqueConstraint("scope", "key", "window", name="tallies_key"),)

    id: int | None = Field(sa_column=Column(ROW_ID, primary_key=True))
    scope: int = Field(sa_column=Column(SmallInteger, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    """Id of the license or the licensee."""
    window: int = Field(sa_column=Column(SmallInteger, nullable=False))
    used: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_us: int = Field(sa_column=Column(BigInteger, nullable=False))
    tail_us: int = Field(sa_column=Column(BigInteger, nullable=False))


class EntryRow(MeteringTable, table=True):
    """What one reservation counts in one tally, for good; in order of time, so that the tail can follow."""

    __tablename__ = "entries"
    __table_args__ = ({"sqlite_with_rowid": False},)

    tally_id: int = Field(sa_column=Column(BigInteger, ForeignKey("tallies.id"), primary_key=True))
    counted_at_us: int = Field(sa_column=Column(BigInteger, primary_key=True))
    number: int = Field(sa_column=Column(BigInteger, ForeignKey("reservations.number"), primary_key=True))
    """Of the reservation."""
    used: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(BigInteger, nullable=False))
