"""The history from one revision on, as the index takes it: one snapshot, read in parts.

A snapshot that sees a head sees every change up to it, for the head row is written last and one after the
other. So all that changed since an earlier revision is what says so of itself: rows with a later revision.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, select

from services.chassis.refusals import Behind
from services.consent.domain.changes import (
    Change,
    Follower,
    Placement,
    PostPlacement,
    Revision,
)
from services.consent.domain.posts import PostMark, PostState
from services.consent.domain.subjects import Profile
from services.consent.storage.codec import decode_countries, decode_profile
from services.consent.storage.halts import read_in_force
from services.consent.storage.head import Head, Part, read_whole_head
from services.consent.storage.policies import read_book
from services.consent.storage.tables import TABLES

ROWS_AT_ONCE = 100_000

_PROFILES = TABLES["profiles"]

_Stretch = tuple[int, int] | None
"""Revisions above one up to another, the head's; None for all there are.

The head as an upper bound excludes nothing, but PostgreSQL takes two bounds for a narrow stretch even while
it has no statistics, as after a large import. One bound it takes for a third of the table, and reads it all.
"""


def prepare(connection: Connection, follower: Follower) -> Callable[[], None] | None:
    """Has the follower read up to the head as this snapshot has it; None where it is there already.

    What is returned raises Behind where the database has lost what the follower has seen, also where it has
    gone on since (R5): not before the snapshot is confirmed, for one of a server that was cut off says
    nothing.
    """
    since = follower.revision
    head = read_whole_head(connection, since)
    if since is not None and since.epoch < head.revision.epoch:
        # A restore that an operator has accepted: what was seen before counts no more.
        since = None
    if since is not None and (head.revision < since or head.lineage_then != follower.lineage):
        return _refuse
    if head.revision == since:
        return None
    return follower.prepare(_change(connection, since, head))


def _refuse() -> None:
    raise Behind


def _change(connection: Connection, since: Revision | None, head: Head) -> Change:
    stretch = None if since is None else (since.number, head.revision.number)

    def is_new(part: Part) -> bool:
        return since is None or head.latest[part] > since.number

    subject_count = _count(connection, "states", stretch) if is_new(Part.SUBJECTS) else 0
    post_count = _count(connection, "post_states", stretch) if is_new(Part.POSTS) else 0
    return Change(
        before=since,
        after=head.revision,
        lineage=head.lineage,
        profiles=_profiles(connection, since) if subject_count else {},
        subjects=_subjects(connection, stretch, subject_count) if subject_count else (),
        subject_count=subject_count,
        posts=_posts(connection, stretch, post_count) if post_count else (),
        post_count=post_count,
        policies=read_book(connection) if is_new(Part.POLICIES) else None,
        halts=read_in_force(connection) if is_new(Part.HALTS) else None,
    )


def _profiles(connection: Connection, since: Revision | None) -> dict[int, Profile]:
    query = select(_PROFILES.c.profile_id, _PROFILES.c.content)
    rows = connection.execute(query if since is None else query.where(_PROFILES.c.profile_id > since.number))
    return {profile_id: decode_profile(content) for profile_id, content in rows}


def _count(connection: Connection, table: str, stretch: _Stretch) -> int:
    rows = TABLES[table]
    query = select(func.count()).select_from(rows)
    if stretch is not None:
        query = query.where(rows.c.revision > stretch[0], rows.c.revision <= stretch[1])
    return connection.scalar(query) or 0


def _subjects(connection: Connection, stretch: _Stretch, count: int) -> Iterator[Placement]:
    query = "SELECT subject_id, profile_id FROM states"
    with _rows(connection, query, stretch, count) as cursor:
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            columns = np.array(rows, np.int64)
            yield Placement(_ids(columns[:, 0]), columns[:, 1].copy())


def _posts(connection: Connection, stretch: _Stretch, count: int) -> Iterator[PostPlacement]:
    query = "SELECT post_id, marks, withheld FROM post_states"
    with _rows(connection, query, stretch, count) as cursor:
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            distinct: dict[tuple[int, str], int] = {}
            places = [distinct.setdefault(row[1:], len(distinct)) for row in rows]
            states = tuple(
                PostState(PostMark(marks), decode_countries(withheld)) for marks, withheld in distinct
            )
            ids = _ids(np.array([row[0] for row in rows], np.int64))
            yield PostPlacement(ids, np.array(places, np.uint32), states)


def _ids(stored: NDArray[np.int64]) -> NDArray[np.uint64]:
    return stored.copy().view(np.uint64)


@contextmanager
def _rows(connection: Connection, query: str, stretch: _Stretch, count: int) -> Iterator[Any]:
    """A cursor of the driver's over `count` rows, those of a stretch.

    There may be one for every subject. Objects of rows are slow; and what a server sends at once would all be
    in memory, so that many rows come from a cursor of the server's, which hands them out in parts for some
    trips more.
    """
    driver: Any = connection.connection.driver_connection
    on_server = connection.dialect.name == "postgresql"
    in_parts = on_server and count > ROWS_AT_ONCE
    cursor = driver.cursor(name="history") if in_parts else driver.cursor()
    try:
        if stretch is None:
            # Without a condition: for one SQLite would look up each row of the table by an index of
            # revisions.
            cursor.execute(query)
        else:
            mark = "%s" if on_server else "?"
            cursor.execute(f"{query} WHERE revision > {mark} AND revision <= {mark}", stretch)
        yield cursor
    finally:
        cursor.close()
