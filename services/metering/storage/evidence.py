"""The rows of an assessment, from the entries as they were at its revision (docs/evidence-format.md)."""

import functools
import heapq
import itertools
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, select

from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.evidence import CHUNK_ROWS, Rows
from services.metering.domain.damages.members import PartyStretch
from services.metering.schema.tables import MeteringTable
from services.metering.storage.accounts import find_accounts
from services.metering.storage.rows import counts_of

_entries = MeteringTable.metadata.tables["entries"]

GATE, SEEN = 1, 2
"""Origins of rows."""
SCOPES = ((Scope.LICENSEE, GATE), (Scope.SEEN, SEEN))
ROWS_AT_ONCE = 10_000
_COUNT = (
    select(func.count())
    .select_from(_entries)
    .where(
        _entries.c.account_id == bindparam("account"),
        _entries.c.counted_at_us >= bindparam("since_us"),
        _entries.c.counted_at_us < bindparam("until_us"),
    )
)
_SELECTED = (
    "SELECT e.counted_at_us, e.number, e.access, e.counts, s.source, s.id FROM entries e"
    " LEFT JOIN sightings s ON s.number = e.number"
    " WHERE e.account_id = {mark} AND e.counted_at_us >= {mark} AND e.counted_at_us < {mark}"
    " AND e.number <= {mark} ORDER BY e.counted_at_us, e.number"
)

_Row = tuple[Any, ...]


def count_rows(connection: Connection, members: Sequence[PartyStretch]) -> int:
    """How many entries there are of them: at least one row each."""
    return sum(
        connection.execute(
            _COUNT, {"account": id, "since_us": each.since_us, "until_us": each.until_us}
        ).scalar_one()
        for each, id, _ in _accounts(connection, members)
    )


def read_rows(connection: Connection, members: Sequence[PartyStretch], until_number: int) -> Iterator[Rows]:
    """Chunk by chunk, in order: all that had been counted of them up to the number of a change."""
    streams = [
        _stream(connection, (id, each.since_us, each.until_us, until_number), each.party_id, origin)
        for each, id, origin in _accounts(connection, members)
    ]
    merged = heapq.merge(*streams, key=itemgetter(0, 1, 2, 3, 5, 6))
    while chunk := list(itertools.islice(merged, CHUNK_ROWS)):
        yield _rows(chunk)


def _accounts(connection: Connection, members: Sequence[PartyStretch]) -> list[tuple[PartyStretch, int, int]]:
    """With the row ids of their accounts, and the origin of what is entered there."""
    wanted = [(each, Account(scope, each.party_id), origin) for each in members for scope, origin in SCOPES]
    found = find_accounts(connection, {account for _, account, _ in wanted})
    return [(each, found[account][0], origin) for each, account, origin in wanted if account in found]


def _stream(connection: Connection, given: tuple[int, ...], party_id: str, origin: int) -> Iterator[_Row]:
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    result = connection.execution_options(stream_results=True, max_row_buffer=ROWS_AT_ONCE).exec_driver_sql(
        _SELECTED.format(mark=mark), given
    )
    for rows in result.partitions(ROWS_AT_ONCE):
        for at_us, number, access, counts, source, id in rows:
            shown = (source, id) if source and origin == SEEN else ("", "")
            for content in _contents(counts):
                yield (at_us, number, party_id, origin, access, *content, *shown)


@functools.lru_cache(maxsize=100_000)
def _contents(counts: str) -> tuple[tuple[int, int, int], ...]:
    """Kind, media and posts of each content, sorted; kept, for few are not like many others."""
    return tuple((each.kind, each.media_flags, each.posts) for each in sorted(counts_of(counts)))


def _rows(chunk: Sequence[_Row]) -> Rows:
    columns = list(zip(*chunk, strict=True))

    def numbers(place: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array(columns[place], np.int64)

    return Rows(
        at_us=numbers(0),
        numbers=numbers(1),
        parties=columns[2],
        origins=numbers(3),
        accesses=numbers(4),
        kinds=numbers(5),
        media_flags=numbers(6),
        posts=numbers(7),
        sources=columns[8],
        ids=columns[9],
    )
