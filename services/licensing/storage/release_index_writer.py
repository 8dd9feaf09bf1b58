"""The release index in SQL, as it is made: in short transactions, each of which leaves it whole.

Every step rests on what is stored alone. It locks the one row of the index, and does nothing where another
process was first: so it does not matter who makes which step, and who dies before which.
"""

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, tuple_, update

from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.chassis.replays import ReplayKey, once
from services.licensing.domain.finding.pairs import START, Pairs, Place, Run, blocks_of, merged, pairs_of
from services.licensing.domain.finding.segments import Segment, SegmentState, due_merges, inputs_of
from services.licensing.domain.released import Contents, KeyKind
from services.licensing.storage.contract_tables import REPLAYS
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.release_index import pairs_in, signed, unsigned
from services.licensing.storage.release_index_tables import (
    ReleaseBlockRow,
    ReleaseIndexRow,
    ReleaseSegmentRow,
)
from services.licensing.storage.released import contents_after

ENTRIES_AT_ONCE = 4_000
"""Posts and embeds of a segment of level 0, which has one decision at least: some 0.1 MB."""
DECISIONS_AT_ONCE = 1_000
"""Where most release nothing."""
BLOCKS_AT_ONCE = 4
"""That a step of a merge reads of each of its segments: it writes at most `FAN_OUT` times as many."""
REMOVED_AT_ONCE = 256
"""Blocks: as many as are written meanwhile, on all levels."""
KINDS = tuple(KeyKind)

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_INDEX = _TABLES[ReleaseIndexRow.__tablename__]
_SEGMENTS = _TABLES[ReleaseSegmentRow.__tablename__]
_BLOCKS = _TABLES[ReleaseBlockRow.__tablename__]

_INDEXED = select(_INDEX.c.indexed)
_LOCK = select(_INDEX.c.indexed).with_for_update()
_MOVE = update(_INDEX).values(indexed=bindparam("to"))
_TAKE_SEGMENT = update(_INDEX).values(next_segment=_INDEX.c.next_segment + 1).returning(_INDEX.c.next_segment)
_LAST = select(func.coalesce(func.max(_DECISIONS.c.number), 0))
_FIRST_PAIR = (_BLOCKS.c.first_key, _BLOCKS.c.first_number)
_PUT_BLOCKS = Insertion(
    "release_blocks",
    {
        "segment": "bigint",
        "kind": "integer",
        "first_key": "bigint",
        "first_number": "bigint",
        "keys": "bytea",
        "numbers": "bytea",
    },
)


class Page(NamedTuple):
    """The pairs of the next decisions."""

    after: int
    last: int
    pairs: Sequence[tuple[KeyKind, Pairs]]
    is_full: bool


class Merging(NamedTuple):
    """A segment that is being built, and how far."""

    segment: Segment
    at: Place


class Step(NamedTuple):
    """The next pairs of a segment that is being built."""

    merging: Merging
    pairs: Pairs
    to: Place | None
    """Where the merge stands after them; None where they are the last."""


class ReleaseIndexWriter:
    """Satisfies `indexing.Index`, in licensing's own database. Raises what `Database` raises."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def indexed(self) -> int:
        """The number of the last decision that is in a segment."""
        return await self._database.read(lambda connection: int(connection.execute(_INDEXED).scalar_one()))

    async def add_next(self, *, also_few: bool = True) -> bool:
        """Makes a segment of the next decisions, if they fill one or `also_few`; whether it has."""
        page = await self._database.read(_next_page)
        if page is None or not (page.is_full or also_few):
            return False
        await self._database.write(lambda connection: _add(connection, page))
        return True

    async def merge_some(self) -> bool:
        """Begins the merges that are due, and brings each that has begun forward; whether there was any."""
        segments = await self._database.read(_segments)
        if due_merges(segments):
            await self._database.write(_begin_merges)
        merging = await self._database.read(_merging)
        for one in merging:
            step = await self._database.read(functools.partial(_next_step, merging=one))
            await self._database.write(functools.partial(_take, step=step))
        return bool(merging)

    async def remove_some(self) -> bool:
        """Removes blocks that nobody looks through any more; whether there were any."""
        segments = await self._database.read(_segments)
        if all(segment.state is not SegmentState.DROPPED for segment in segments):
            return False
        await self._database.write(_remove_some)
        return True

    async def drop(self, key: ReplayKey, now_us: int) -> int:
        """Has the index made anew, once for each key; up to which receipt at least."""

        def produce(connection: Connection) -> bytes:
            connection.execute(_LOCK)
            connection.execute(update(_SEGMENTS).values(state=SegmentState.DROPPED))
            connection.execute(_MOVE, {"to": 0})
            return str(connection.execute(_LAST).scalar_one()).encode()

        def unit(connection: Connection) -> int:
            return int(once(connection, REPLAYS, key, now_us, lambda: produce(connection)))

        return await self._database.write(unit)


def _next_page(connection: Connection) -> Page | None:
    after = int(connection.execute(_INDEXED).scalar_one())
    decisions, entries, is_full = list[tuple[int, Contents]](), 0, False
    for number, contents in contents_after(connection, after):
        decisions.append((number, contents))
        entries += contents.entries
        is_full = entries >= ENTRIES_AT_ONCE or len(decisions) == DECISIONS_AT_ONCE
        if is_full:
            break
    if not decisions:
        return None
    pairs = [(kind, pairs_of(decisions, kind)) for kind in KINDS]
    return Page(after, decisions[-1][0], pairs, is_full)


def _add(connection: Connection, page: Page) -> None:
    # Another process may have added them since they were read; then this was for nothing.
    if connection.execute(_LOCK).scalar_one() != page.after:
        return
    if any(len(pairs.keys) for _, pairs in page.pairs):
        segment = _insert(connection, 0, page.after, page.last, SegmentState.LIVE)
        for kind, pairs in page.pairs:
            _put(connection, segment, page.after, kind, pairs)
    connection.execute(_MOVE, {"to": page.last})


def _segments(connection: Connection) -> list[Segment]:
    return [_segment(row) for row in connection.execute(select(_SEGMENTS))]


def _segment(row: Row[Any]) -> Segment:
    return Segment(row.id, row.level, row.after_number, row.last_number, SegmentState(row.state))


def _begin_merges(connection: Connection) -> None:
    connection.execute(_LOCK)
    for merge in due_merges(_segments(connection)):
        _insert(connection, merge.level, merge.after, merge.last, SegmentState.BUILDING)


def _merging(connection: Connection) -> list[Merging]:
    rows = connection.execute(select(_SEGMENTS).where(_SEGMENTS.c.state == SegmentState.BUILDING))
    return [
        Merging(
            _segment(row),
            Place(KeyKind(row.merged_kind), unsigned(row.merged_key), row.merged_number),
        )
        for row in rows
    ]


def _next_step(connection: Connection, merging: Merging) -> Step:
    """The next step of a merge; one that nobody takes where the segment is built already."""
    inputs = inputs_of(merging.segment, _segments(connection))
    runs = [_run(connection, segment, merging.at) for segment in inputs]
    kind, key, number = merging.at
    pairs, is_last = merged(runs, key, number)
    if not is_last:
        return Step(merging, pairs, Place(kind, int(pairs.keys[-1]), int(pairs.numbers[-1])))
    if kind is KINDS[-1]:
        return Step(merging, pairs, None)
    return Step(merging, pairs, Place(KINDS[KINDS.index(kind) + 1], 0, 0))


def _run(connection: Connection, segment: Segment, at: Place) -> Run:
    """The next blocks of a segment, from the one that has what comes after a place."""
    of_kind = (_BLOCKS.c.segment == segment.id, _BLOCKS.c.kind == int(at.kind))
    place = tuple_(signed(np.array([at.key], np.uint64))[0], at.number)
    before = (
        select(*_FIRST_PAIR)
        .where(*of_kind, tuple_(*_FIRST_PAIR) <= place)
        .order_by(*(column.desc() for column in _FIRST_PAIR))
        .limit(1)
    )
    first = connection.execute(before).one_or_none()
    query = select(_BLOCKS.c["keys"], _BLOCKS.c.numbers).where(*of_kind)
    if first is not None:
        query = query.where(tuple_(*_FIRST_PAIR) >= tuple_(*first))
    rows = connection.execute(query.order_by(*_FIRST_PAIR).limit(BLOCKS_AT_ONCE + 1)).all()
    blocks = [pairs_in(segment.after, *row) for row in rows[:BLOCKS_AT_ONCE]]
    keys = np.concatenate([*(block.keys for block in blocks), np.empty(0, np.uint64)])
    numbers = np.concatenate([*(block.numbers for block in blocks), np.empty(0, np.int64)])
    return Run(Pairs(keys, numbers), len(rows) > BLOCKS_AT_ONCE)


def _take(connection: Connection, step: Step) -> None:
    connection.execute(_LOCK)
    # Another process may have gone on, or the index be made anew; then this was for nothing.
    if step.merging not in _merging(connection):
        return
    segment, at = step.merging
    _put(connection, segment.id, segment.after, at.kind, step.pairs)
    if step.to is None:
        inputs = [one.id for one in inputs_of(segment, _segments(connection))]
        _become(connection, inputs, SegmentState.DROPPED)
        _become(connection, [segment.id], SegmentState.LIVE)
        return
    kind, key, number = step.to
    moved = {
        "merged_kind": kind,
        "merged_key": signed(np.array([key], np.uint64))[0],
        "merged_number": number,
    }
    connection.execute(update(_SEGMENTS).where(_SEGMENTS.c.id == segment.id).values(moved))


def _remove_some(connection: Connection) -> None:
    connection.execute(_LOCK)
    dropped = select(_SEGMENTS.c.id).where(_SEGMENTS.c.state == SegmentState.DROPPED).order_by(_SEGMENTS.c.id)
    segment = connection.execute(dropped.limit(1)).scalar_one_or_none()
    if segment is None:
        return
    # By a range of the primary key: a list of keys would have some planner read the whole table for them.
    of_segment, place = _BLOCKS.c.segment == segment, (_BLOCKS.c.kind, *_FIRST_PAIR)
    boundary = select(*place).where(of_segment).order_by(*place).offset(REMOVED_AT_ONCE).limit(1)
    after = connection.execute(boundary).one_or_none()
    if after is not None:
        connection.execute(delete(_BLOCKS).where(of_segment, tuple_(*place) < tuple_(*after)))
        return
    connection.execute(delete(_BLOCKS).where(of_segment))
    connection.execute(delete(_SEGMENTS).where(_SEGMENTS.c.id == segment))


def _insert(connection: Connection, level: int, after: int, last: int, state: SegmentState) -> int:
    """The id of a new segment."""
    id = int(connection.execute(_TAKE_SEGMENT).scalar_one()) - 1
    row = {
        "id": id,
        "level": level,
        "after_number": after,
        "last_number": last,
        "state": state,
        "merged_kind": START.kind,
        "merged_key": signed(np.array([START.key], np.uint64))[0],
        "merged_number": START.number,
    }
    connection.execute(insert(_SEGMENTS), row)
    return id


def _become(connection: Connection, ids: Sequence[int], state: SegmentState) -> None:
    connection.execute(update(_SEGMENTS).where(_SEGMENTS.c.id.in_(ids)).values(state=state))


def _put(connection: Connection, segment: int, after: int, kind: KeyKind, pairs: Pairs) -> None:
    rows = [
        (
            segment,
            int(kind),
            signed(block.keys[:1])[0],
            int(block.numbers[0]),
            block.keys.astype("<u8", copy=False).tobytes(),
            (block.numbers - after).astype("<u4").tobytes(),
        )
        for block in blocks_of(pairs)
    ]
    _PUT_BLOCKS.run(connection, rows)
