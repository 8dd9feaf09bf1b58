"""The head row: every writer of what decisions rest on holds it, so numbers are in the order of commits.

Every transaction that writes decisions, tombstones, settlements or license state locks it first and reads
what it checks in a later statement (L4).
"""

from typing import NamedTuple

from sqlalchemy import BigInteger, Column, Connection, select, text, update
from sqlmodel import Field

from services.licensing.storage.base import LicensingTable

_ONLY_ROW = 1


class HeadRow(LicensingTable, table=True):
    """The one row of its table."""

    __tablename__ = "head"

    id: int = Field(default=_ONLY_ROW, primary_key=True)
    epoch: int = Field(sa_type=BigInteger)
    """Counts the accepted restores of this database, from 1 (R5)."""
    next_number: int = Field(sa_type=BigInteger)
    """Number of the next receipt, from 1."""
    next_invoice: int = Field(sa_type=BigInteger)
    """Number of the next invoice that is finalised, from 1."""
    next_credit_note: int = Field(sa_type=BigInteger)
    cut_off_us: int = Field(sa_type=BigInteger)
    """The latest cut-off that something was drafted as of: what is put on record from then on is not before
    it, whatever the clock of its process says."""


class Head(NamedTuple):
    """The head row as it stands while it is locked."""

    epoch: int
    next_number: int
    cut_off_us: int


_HEAD = HeadRow.metadata.tables["head"]
_LOCK = (
    select(_HEAD.c.epoch, _HEAD.c.next_number, _HEAD.c.cut_off_us)
    .where(_HEAD.c.id == _ONLY_ROW)
    .with_for_update()
)
_CREATE = text(
    "INSERT INTO head (id, epoch, next_number, next_invoice, next_credit_note, cut_off_us)"
    " VALUES (1, 1, 1, 1, 1, 0) ON CONFLICT DO NOTHING"
)
_TAKE = (
    update(_HEAD)
    .where(_HEAD.c.id == _ONLY_ROW)
    .values(next_number=_HEAD.c.next_number + 1)
    .returning(_HEAD.c.next_number)
)


def lock_head(connection: Connection) -> Head:
    """Locks the head row until the transaction ends, and tells how it stands.

    Where the engine has no row locks (SQLite), the transaction is expected to have begun as the only writer.
    """
    row = connection.execute(_LOCK).one_or_none()
    if row is None:
        connection.execute(_CREATE)
        row = connection.execute(_LOCK).one()
    return Head(row.epoch, row.next_number, row.cut_off_us)


def lock_group(connection: Connection) -> None:
    """Locks the head before the first unit of a group, whatever that one does, so that all wait in one line.

    A unit that touched other rows first could wait in a circle with a unit of another process.
    """
    lock_head(connection)


def take_number(connection: Connection) -> int:
    """The next receipt number, used up with this transaction; the head must be locked."""
    return int(connection.execute(_TAKE).scalar_one()) - 1


def raise_cut_off(connection: Connection, cut_off_us: int) -> None:
    """Has all that is put on record from now on count as of this instant or later; the head is locked."""
    earlier = _HEAD.c.cut_off_us < cut_off_us
    connection.execute(update(_HEAD).where(_HEAD.c.id == _ONLY_ROW, earlier).values(cut_off_us=cut_off_us))


def take_invoice_number(connection: Connection) -> int:
    """The next number of an invoice, used up with this transaction; the head must be locked."""
    return _take(connection, _HEAD.c.next_invoice)


def take_credit_note_number(connection: Connection) -> int:
    """The next number of a credit note, likewise."""
    return _take(connection, _HEAD.c.next_credit_note)


def _take(connection: Connection, column: Column[int]) -> int:
    statement = update(_HEAD).where(_HEAD.c.id == _ONLY_ROW).values({column: column + 1}).returning(column)
    return int(connection.execute(statement).scalar_one()) - 1
