"""The head row, which gives revisions: whoever holds it is next, so numbers are in the order of commits."""

from sqlalchemy import Connection, select, update

from services.consent.domain.changes import Revision
from services.consent.storage.tables import TABLES

_HEAD = TABLES["head"]


def read_head(connection: Connection) -> Revision:
    """The revision given last."""
    epoch, number = connection.execute(select(_HEAD.c.epoch, _HEAD.c.number)).one()
    return Revision(epoch, number)


def advance(connection: Connection, by: int) -> Revision:
    """Takes `by` revisions and returns the one before the first; the head stays locked until the commit."""
    moved = update(_HEAD).values(number=_HEAD.c.number + by).returning(_HEAD.c.epoch, _HEAD.c.number)
    epoch, number = connection.execute(moved).one()
    return Revision(epoch, number - by)


def after(before: Revision, by: int) -> Revision:
    """The last of `by` revisions taken after `before`."""
    return Revision(before.epoch, before.number + by)
