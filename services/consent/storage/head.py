"""The head row, which gives revisions: whoever holds it is next, so numbers are in the order of commits.

Every transaction that writes holds it from its first statement on (`lock_group`): several processes write one
after the other, each sees all that those before it have committed, and nobody waits in a circle. A snapshot
that sees a head therefore sees every change up to it.
"""

import enum
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, case, select, update

from services.consent.domain.changes import Revision
from services.consent.storage.tables import TABLES

_HEAD = TABLES["head"]


class Part(enum.StrEnum):
    """What a change is about: the column that keeps the last revision of it."""

    SUBJECTS = "subjects_at"
    POSTS = "posts_at"
    POLICIES = "policies_at"
    HALTS = "halts_at"


class Taken(NamedTuple):
    """Revisions that this transaction was given."""

    before: Revision
    """The one before the first."""
    at_us: int
    """When, microseconds UTC: never before that of an earlier revision, whatever the clocks say."""

    def last(self, by: int) -> Revision:
        """The last of `by` revisions."""
        return Revision(self.before.epoch, self.before.number + by)


class Head(NamedTuple):
    """The head row as it stands."""

    revision: Revision
    latest: dict[Part, int]
    """The last revision of each part."""


# Statements are built once: for a single choice, building them costs more than running them.
_READ = select(_HEAD.c.epoch, _HEAD.c.number, *(_HEAD.c[part] for part in Part))
_LOCK = select(_HEAD.c.id).with_for_update()
_NUMBER = _HEAD.c.number + bindparam("by", type_=_HEAD.c.number.type)
_NOW = bindparam("now_us", type_=_HEAD.c.latest_us.type)
_ADVANCE = {
    part: update(_HEAD)
    .values(
        {
            "number": _NUMBER,
            part: _NUMBER,
            "latest_us": case((_HEAD.c.latest_us < _NOW, _NOW), else_=_HEAD.c.latest_us),
        }
    )
    .returning(_HEAD.c.epoch, _HEAD.c.number, _HEAD.c.latest_us)
    for part in Part
}


def lock_group(connection: Connection, _claims: Sequence[None]) -> None:
    """Locks the head before the first unit of a group, where other processes write too."""
    connection.execute(_LOCK)


def read_head(connection: Connection) -> Revision:
    """The revision given last."""
    return read_whole_head(connection).revision


def read_whole_head(connection: Connection) -> Head:
    """The revision given last, and that of each part."""
    epoch, number, *latest = connection.execute(_READ).one()
    return Head(Revision(epoch, number), dict(zip(Part, latest, strict=True)))


def advance(connection: Connection, by: int, now_us: int, part: Part) -> Taken:
    """Takes `by` revisions (at least one) for a change of `part`."""
    epoch, number, at_us = connection.execute(_ADVANCE[part], {"by": by, "now_us": now_us}).one()
    return Taken(Revision(epoch, number - by), at_us)
