"""The head row, which gives numbers: whoever holds it is next, so numbers are in the order of commits.

Every transaction that writes holds it from its first statement on: several processes write one after the
other, each sees all that those before it have counted, and nobody waits in a circle.
"""

from sqlalchemy import Connection, bindparam, select, update

from services.metering.domain.reservations import Revision
from services.metering.schema.tables import MeteringTable

_HEAD = MeteringTable.metadata.tables["head"]

_LOCK = select(_HEAD.c.id).with_for_update()
_READ = select(_HEAD.c.epoch, _HEAD.c.number)
_MOVE = update(_HEAD).values(number=bindparam("to"))
_NEXT = update(_HEAD).values(number=_HEAD.c.number + 1).returning(_HEAD.c.epoch, _HEAD.c.number)


def lock_head(connection: Connection) -> None:
    """Locks the head before the first unit of a group, where other processes write too."""
    connection.execute(_LOCK)


def read_head(connection: Connection) -> Revision:
    """The number given last."""
    return Revision(*connection.execute(_READ).one())


def move_head(connection: Connection, revision: Revision) -> None:
    """Says which number was given last."""
    connection.execute(_MOVE, {"to": revision.number})


def next_number(connection: Connection) -> Revision:
    """Takes one number."""
    return Revision(*connection.execute(_NEXT).one())
