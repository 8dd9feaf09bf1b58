"""The head row, which gives numbers: whoever holds it is next, so numbers are in the order of commits.

Every transaction that writes holds it from its first statement on: several processes write one after the
other, each sees all that those before it have counted, and nobody waits in a circle.
"""

from sqlalchemy import Connection, bindparam, select, update

from services.chassis.heads import Head, see_read
from services.metering.domain.reservations import Revision
from services.metering.schema.tables import MeteringTable

_HEAD = MeteringTable.metadata.tables["head"]

_READ = select(_HEAD.c.epoch, _HEAD.c.number)
_LOCK = _READ.with_for_update()
_MOVE = update(_HEAD).values(number=bindparam("to"))
_NEXT = update(_HEAD).values(number=_HEAD.c.number + 1).returning(_HEAD.c.epoch, _HEAD.c.number)


def lock_head(connection: Connection) -> Head:
    """Locks the head before the first unit of a group, where other processes write too, and tells it."""
    return Head(*connection.execute(_LOCK).one())


def read_head(connection: Connection) -> Revision:
    """The number given last.

    Raises Behind where a read finds one that is lower than what this process has seen before (R5).
    """
    head = Revision(*connection.execute(_READ).one())
    see_read(connection, Head(*head))
    return head


def move_head(connection: Connection, revision: Revision) -> None:
    """Says which number was given last."""
    connection.execute(_MOVE, {"to": revision.number})


def next_number(connection: Connection) -> Revision:
    """Takes one number."""
    return Revision(*connection.execute(_NEXT).one())
