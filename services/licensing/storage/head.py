"""The head row: every writer of what decisions rest on holds it, so numbers are in the order of commits.

Every transaction that writes decisions, tombstones, settlements or license state locks it first and reads
what it checks in a later statement (L4).
"""

from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, select, text, update
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


class Head(NamedTuple):
    """The head row as it stands while it is locked."""

    epoch: int
    next_number: int


_HEAD = HeadRow.metadata.tables["head"]
_LOCK = select(_HEAD.c.epoch, _HEAD.c.next_number).where(_HEAD.c.id == _ONLY_ROW).with_for_update()
_CREATE = text("INSERT INTO head (id, epoch, next_number) VALUES (1, 1, 1) ON CONFLICT DO NOTHING")
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
    return Head(row.epoch, row.next_number)


def lock_group(connection: Connection) -> None:
    """Locks the head before the first unit of a group, whatever that one does, so that all wait in one line.

    A unit that touched other rows first could wait in a circle with a unit of another process.
    """
    lock_head(connection)


def take_number(connection: Connection) -> int:
    """The next receipt number, used up with this transaction; the head must be locked."""
    return int(connection.execute(_TAKE).scalar_one()) - 1
