"""The head row, which gives revisions: whoever holds it is next, so numbers are in the order of commits.

Every transaction that writes holds it from its first statement on (`lock_group`): several processes write one
after the other, each sees all that those before it have committed, and nobody waits in a circle. A snapshot
that sees a head therefore sees every change up to it.
"""

import enum
import secrets
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    update,
)

from services.chassis.heads import Head as Position
from services.consent.domain.changes import Revision
from services.consent.storage.tables import TABLES

_HEAD = TABLES["head"]
_LINEAGES = TABLES["lineages"]
_MARK_BITS = 62


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
    lineage: int
    """The mark of the session that began to write last before that revision; 0 for none."""
    lineage_then: int
    """The same for an earlier revision that was asked about; it never changes in one history (R5)."""


def _mark_before(revision: ColumnElement[int]) -> ColumnElement[int]:
    """The mark of the session that began to write last before a revision; 0 for none."""
    last = select(_LINEAGES.c.mark).where(_LINEAGES.c.after_revision < revision)
    return func.coalesce(last.order_by(_LINEAGES.c.number.desc()).limit(1).scalar_subquery(), 0)


# Statements are built once: for a single choice, building them costs more than running them.
_READ = select(_HEAD.c.epoch, _HEAD.c.number, *(_HEAD.c[part] for part in Part))
_READ_WITH_LINEAGES = _READ.add_columns(
    _mark_before(_HEAD.c.number), _mark_before(bindparam("since", type_=_HEAD.c.number.type))
)
_LOCK = select(
    _HEAD.c.epoch,
    _HEAD.c.number,
    exists().where(_LINEAGES.c.mark == bindparam("mark", type_=_LINEAGES.c.mark.type)),
).with_for_update(of=_HEAD)
_ADD_MARK = insert(_LINEAGES).values(
    number=select(func.coalesce(func.max(_LINEAGES.c.number), 0) + 1).scalar_subquery(),
    after_revision=bindparam("after_revision"),
    mark=bindparam("mark"),
)
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


def lock_group(connection: Connection) -> Position:
    """Locks the head before the first unit of a group, where other processes write too, and tells it.

    The first group of a session leaves its mark; whether it is there, the database says each time, for the
    group that left it may have been undone.
    """
    mark = connection.info.setdefault("lineage", secrets.randbits(_MARK_BITS))
    epoch, number, is_marked = connection.execute(_LOCK, {"mark": mark}).one()
    if not is_marked:
        connection.execute(_ADD_MARK, {"after_revision": number, "mark": mark})
    return Position(epoch, number)


def read_head(connection: Connection) -> Revision:
    """The revision given last."""
    epoch, number, *_ = connection.execute(_READ).one()
    return Revision(epoch, number)


def read_whole_head(connection: Connection, since: Revision | None) -> Head:
    """The revision given last, that of each part, and the lineages of it and of an earlier one."""
    known = {"since": 0 if since is None else since.number}
    epoch, number, *latest, lineage, then = connection.execute(_READ_WITH_LINEAGES, known).one()
    return Head(Revision(epoch, number), dict(zip(Part, latest, strict=True)), lineage, then)


def advance(connection: Connection, by: int, now_us: int, part: Part) -> Taken:
    """Takes `by` revisions (at least one) for a change of `part`."""
    epoch, number, at_us = connection.execute(_ADVANCE[part], {"by": by, "now_us": now_us}).one()
    return Taken(Revision(epoch, number - by), at_us)
