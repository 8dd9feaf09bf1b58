"""What became of a subject's released posts: the recalls that they are in, as that subject is told of them.

Entries of other subjects are never looked at: that one post of a release was recalled for somebody else is
that one's business.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from services.licensing.domain.disclosures import SubjectRecall, SubjectRelease
from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.posts import Ids
from services.licensing.domain.recalls.recalls import Recall
from services.licensing.storage.recall_answers import recall_of
from services.licensing.storage.recall_parts import signed
from services.licensing.storage.recall_tables import (
    OF_NO_ONE,
    OF_POSTS,
    OF_SUBJECTS,
    RecallEntryRow,
    RecallRow,
)

AT_ONCE = 500
"""Ids of posts in one statement."""

_TABLES = RecallRow.metadata.tables
_RECALLS = _TABLES[RecallRow.__tablename__]
_ENTRIES = _TABLES[RecallEntryRow.__tablename__]

_ISSUED: Select[Any] = select(
    *(_ENTRIES.c.recall_id, _ENTRIES.c.decisions, _ENTRIES.c.post_offsets, _ENTRIES.c.post_ids)
).where(_ENTRIES.c.recall_id.is_not(None))


def recalls_of(
    connection: Connection, subject_id: int, releases: Sequence[SubjectRelease]
) -> Mapping[int, tuple[SubjectRecall, ...]]:
    """For each receipt number the issued recalls that hold some of the subject's posts in that release."""
    found: defaultdict[int, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    posts_by_number = {release.number: release.posts for release in releases}
    for row in _entries(connection, subject_id, releases):
        for number, posts in _shared(row, posts_by_number):
            found[number][row.recall_id].update(posts)
    recalls = _issued(connection, {id for by_recall in found.values() for id in by_recall})
    return {release.number: _told(found[release.number], recalls) for release in releases}


def _entries(
    connection: Connection, subject_id: int, releases: Sequence[SubjectRelease]
) -> Iterator[Row[Any]]:
    if not releases:
        return
    yield from connection.execute(_ISSUED.where(_ENTRIES.c.subject_id == signed(subject_id), OF_SUBJECTS))
    of_posts = [(release.posts, release.embedded) for release in releases]
    ids: list[int] = distinct_sorted(np.concatenate([each for both in of_posts for each in both])).tolist()
    for at in range(0, len(ids), AT_ONCE):
        some = list(map(signed, ids[at : at + AT_ONCE]))
        yield from connection.execute(_ISSUED.where(_ENTRIES.c.post_id.in_(some), OF_POSTS))
    yield from connection.execute(_ISSUED.where(or_(*map(_spans, releases)), OF_NO_ONE))


def _spans(release: SubjectRelease) -> ColumnElement[bool]:
    return and_(
        _ENTRIES.c.licensee_id == release.licensee_id,
        _ENTRIES.c.last_number >= release.number,
        _ENTRIES.c.first_number <= release.number,
    )


def _shared(row: Row[Any], posts_by_number: Mapping[int, Ids]) -> Iterator[tuple[int, list[int]]]:
    """(receipt number, posts) that an entry has in common with these releases."""
    numbers: list[int] = np.frombuffer(row.decisions, "<u8").tolist()
    offsets = np.frombuffer(row.post_offsets, "<u4")
    ids = np.frombuffer(row.post_ids, "<u8")
    for index, number in enumerate(numbers):
        if number in posts_by_number:
            theirs = ids[offsets[index] : offsets[index + 1]]
            both = np.intersect1d(theirs, posts_by_number[number], assume_unique=True)
            posts: list[int] = both.tolist()
            if posts:
                yield number, posts


def _issued(connection: Connection, recall_ids: set[str]) -> Mapping[str, Recall]:
    found: dict[str, Recall] = {}
    in_order = sorted(recall_ids)
    for at in range(0, len(in_order), AT_ONCE):
        some = in_order[at : at + AT_ONCE]
        # One that is collected still is nobody's to see (W2).
        issued = (_RECALLS.c.recall_id.in_(some), _RECALLS.c.number.is_not(None))
        for row in connection.execute(select(_RECALLS).where(*issued)):
            found[row.recall_id] = recall_of(row)
    return found


def _told(
    posts_by_recall: Mapping[str, set[int]], recalls: Mapping[str, Recall]
) -> tuple[SubjectRecall, ...]:
    told = [SubjectRecall(recalls[id], len(posts)) for id, posts in posts_by_recall.items() if id in recalls]
    return tuple(sorted(told, key=lambda each: each.recall.place or 0))
