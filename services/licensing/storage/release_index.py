"""Lookups in the release index in SQL: exact at any moment, and never a walk through the ledger.

Blocks are read by their primary key; decisions that no segment has yet are looked through directly, all of
one snapshot. An index that lacks too many of them is refused, not read slowly.
"""

import itertools
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from services.chassis.bulk import Question, Row
from services.chassis.database import Database
from services.chassis.refusals import unavailable
from services.licensing.domain.distinct import distinct_sorted
from services.licensing.domain.finding.pairs import (
    Numbers,
    Pairs,
    numbers_by_key,
    only_with,
    pairs_of,
    together,
)
from services.licensing.domain.finding.segments import SegmentState
from services.licensing.domain.posts import Ids
from services.licensing.domain.released import Contents, KeyKind
from services.licensing.storage.ledger_tables import DecisionRow
from services.licensing.storage.release_index_tables import ReleaseIndexRow
from services.licensing.storage.released import contents_after, contents_of

MOST_BEHIND = 2_000
"""Decisions that a lookup looks through by itself; of 1,000 posts each they take a fraction of a second."""
RETRY_AFTER_BEHIND_US = 2_000_000
SIGN = np.uint64(1 << 63)

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_INDEX = _TABLES[ReleaseIndexRow.__tablename__]
_INDEXED = select(_INDEX.c.indexed)
_LAST = select(func.coalesce(func.max(_DECISIONS.c.number), 0))

# For each key and segment: all blocks that begin with the key, and the last one that begins before it.
_BLOCKS_WITH = Question(
    "WITH wanted AS MATERIALIZED ("  # noqa: S608 - names and numbers of the program
    " SELECT s.id AS segment, s.after_number, given.kind AS kind, given.key AS key,"
    " (SELECT max(p.first_key) FROM release_blocks p"
    "  WHERE p.segment = s.id AND p.kind = given.kind AND p.first_key < given.key) AS before"
    f" FROM {{given}} CROSS JOIN release_segments s WHERE s.state = {int(SegmentState.LIVE)})"
    " SELECT b.segment, wanted.after_number, b.kind, b.first_key, b.first_number FROM wanted"
    " JOIN release_blocks b ON b.segment = wanted.segment AND b.kind = wanted.kind"
    " AND b.first_key = wanted.key"
    " UNION SELECT segment, after_number, kind, before,"
    " (SELECT max(p.first_number) FROM release_blocks p WHERE p.segment = wanted.segment"
    "  AND p.kind = wanted.kind AND p.first_key = wanted.before)"
    " FROM wanted WHERE before IS NOT NULL",
    kind="integer",
    key="bigint",
)
_BLOCKS = Question(
    "SELECT b.segment, given.after_number, b.first_key, b.first_number, b.keys, b.numbers"
    " FROM {given} JOIN release_blocks b"
    " ON b.segment = given.segment AND b.kind = given.kind"
    " AND b.first_key = given.first_key AND b.first_number = given.first_number",
    segment="bigint",
    after_number="bigint",
    kind="integer",
    first_key="bigint",
    first_number="bigint",
)


class ReleaseIndex:
    """The index in licensing's own database, for whoever looks something up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, kind: KeyKind, keys: Ids) -> list[Numbers]:
        """`find` on a snapshot of its own; also raises what `Database.read` raises."""
        return await self._database.read(lambda connection: find(connection, kind, keys))

    async def contents(self, numbers: list[int]) -> dict[int, Contents]:
        """What decisions released; raises what `Database.read` raises."""
        return await self._database.read(lambda connection: contents_of(connection, numbers))


def find(connection: Connection, kind: KeyKind, keys: Ids) -> list[Numbers]:
    """For each of the keys the numbers of all decisions that released something of it, ascending.

    Raises Refusal: UNAVAILABLE (RELEASE_INDEX_BEHIND), more than `MOST_BEHIND` decisions are in no segment.
    """
    # Numbers of another kind would be compared as floats, and ids that differ be the same.
    asked = keys.astype(np.uint64, copy=False)
    distinct = distinct_sorted(asked)
    parts = [*_indexed(connection, kind, distinct), _not_yet_indexed(connection, kind, distinct)]
    return numbers_by_key(together(parts), asked)


def signed(keys: Ids) -> list[int]:
    """Keys as the database has them, in the same order."""
    return (keys ^ SIGN).view(np.int64).tolist()  # type: ignore[no-any-return]


def unsigned(key: int) -> int:
    """A key as it is."""
    return key + (1 << 63)


def pairs_in(after: int, keys: bytes, numbers: bytes) -> Pairs:
    """The pairs of a block of a segment that covers the numbers after this one."""
    return Pairs(np.frombuffer(keys, "<u8"), np.frombuffer(numbers, "<u4").astype(np.int64) + after)


def _indexed(connection: Connection, kind: KeyKind, keys: Ids) -> list[Pairs]:
    """The pairs with these keys, segment by segment."""
    places = _BLOCKS_WITH.ask(connection, [(int(kind), key) for key in signed(keys)])
    blocks = sorted(_BLOCKS.ask(connection, places, binary=True))
    return [
        only_with(_joined(after, list(of_segment)), keys)
        for (_, after), of_segment in itertools.groupby(blocks, key=lambda block: block[:2])
    ]


def _joined(after: int, blocks: Sequence[Row]) -> Pairs:
    """The pairs of blocks of one segment, in order, as one array: hundreds of small ones would cost more."""
    keys, numbers = (b"".join(column) for column in list(zip(*blocks, strict=True))[-2:])
    return pairs_in(after, keys, numbers)


def _not_yet_indexed(connection: Connection, kind: KeyKind, keys: Ids) -> Pairs:
    indexed = int(connection.execute(_INDEXED).scalar_one())
    if int(connection.execute(_LAST).scalar_one()) - indexed > MOST_BEHIND:
        message = "the index of releases is being made and lacks too many; ask again later"
        raise unavailable("RELEASE_INDEX_BEHIND", message, retry_after_us=RETRY_AFTER_BEHIND_US)
    return together(
        [only_with(pairs_of([decision], kind), keys) for decision in contents_after(connection, indexed)]
    )
