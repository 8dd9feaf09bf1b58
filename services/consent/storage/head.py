"""The head row, which gives revisions: whoever holds it is next, so numbers are in the order of commits."""

from sqlalchemy import Connection, bindparam, select, update

from services.consent.domain.changes import Revision
from services.consent.storage.tables import TABLES

_HEAD = TABLES["head"]
# Statements are built once: for a single choice, building them costs more than running them.
_READ = select(_HEAD.c.epoch, _HEAD.c.number)
_ADVANCE = (
    update(_HEAD)
    .values(number=_HEAD.c.number + bindparam("by", type_=_HEAD.c.number.type))
    .returning(_HEAD.c.epoch, _HEAD.c.number)
)


def read_head(connection: Connection) -> Revision:
    """The revision given last."""
    epoch, number = connection.execute(_READ).one()
    return Revision(epoch, number)


def advance(connection: Connection, by: int) -> Revision:
    """Takes `by` revisions and returns the one before the first; the head stays locked until the commit."""
    epoch, number = connection.execute(_ADVANCE, {"by": by}).one()
    return Revision(epoch, number - by)


def after(before: Revision, by: int) -> Revision:
    """The last of `by` revisions taken after `before`."""
    return Revision(before.epoch, before.number + by)
