"""What decisions released, post by post, in SQL."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, insert, select

from services.licensing.domain.released import Contents, Released, Unresolved
from services.licensing.domain.releases import Outcome
from services.licensing.storage.ledger_tables import DecisionRow, ManifestRow
from services.licensing.storage.release_index_tables import ReleasedColumnsRow

READ_AT_ONCE = 20
"""Decisions whose columns are fetched together; of 10,000 posts each they are some MB."""

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_MANIFESTS = _TABLES[ManifestRow.__tablename__]
_COLUMNS = _TABLES[ReleasedColumnsRow.__tablename__]

_DECIDED = (
    select(
        *(_DECISIONS.c.number, _DECISIONS.c.decision_id, _DECISIONS.c.outcome),
        *(_COLUMNS.c.ids, _COLUMNS.c.author_ids),
        *(_COLUMNS.c.embed_offsets, _COLUMNS.c.embed_ids, _COLUMNS.c.embed_author_ids),
    )
    .outerjoin(_COLUMNS, _COLUMNS.c.number == _DECISIONS.c.number)
    .order_by(_DECISIONS.c.number)
)
_MANIFESTS_OF = select(
    _MANIFESTS.c.decision_id, _MANIFESTS.c.contributors, _MANIFESTS.c.post_offsets, _MANIFESTS.c.post_ids
)
_NOTHING = Unresolved(np.empty(0, np.uint64), np.zeros(1, np.uint32), np.empty(0, np.uint64))


def write_released(connection: Connection, number: int, released: Released) -> None:
    """Keeps what the decision with this number releases."""
    connection.execute(
        insert(_COLUMNS),
        {
            "number": number,
            "ids": released.ids.astype("<u8", copy=False).tobytes(),
            "author_ids": released.author_ids.astype("<u8", copy=False).tobytes(),
            "embed_offsets": released.embed_offsets.astype("<u4", copy=False).tobytes(),
            "embed_ids": released.embed_ids.astype("<u8", copy=False).tobytes(),
            "embed_author_ids": released.embed_author_ids.astype("<u8", copy=False).tobytes(),
        },
    )


def contents_of(connection: Connection, numbers: Sequence[int]) -> dict[int, Contents]:
    """What the decisions with these numbers released, as far as they are there.

    One that releases nothing has no posts in it, and says so as one that is not resolved.
    """
    return dict(_read(connection, _DECIDED.where(_DECISIONS.c.number.in_(list(numbers)))))


def contents_after(connection: Connection, number: int) -> Iterator[tuple[int, Contents]]:
    """What all decisions after a number released, in their order; read some at a time."""
    while some := _read(connection, _DECIDED.where(_DECISIONS.c.number > number).limit(READ_AT_ONCE)):
        yield from some
        number = some[-1][0]


def _read(connection: Connection, query: Select[Any]) -> list[tuple[int, Contents]]:
    rows = connection.execute(query).all()
    # Large, and needed only where there is nothing better.
    old = [row.decision_id for row in rows if row.ids is None and row.outcome != Outcome.DENIED]
    manifests = {}
    if old:
        found = connection.execute(_MANIFESTS_OF.where(_MANIFESTS.c.decision_id.in_(old)))
        manifests = {row.decision_id: _unresolved(row) for row in found}
    return [
        (row.number, manifests.get(row.decision_id, _NOTHING) if row.ids is None else _released(row))
        for row in rows
    ]


def _unresolved(row: Any) -> Unresolved:
    return Unresolved(
        contributors=np.frombuffer(row.contributors, "<u8"),
        post_offsets=np.frombuffer(row.post_offsets, "<u4"),
        post_ids=np.frombuffer(row.post_ids, "<u8"),
    )


def _released(row: Any) -> Released:
    return Released(
        ids=np.frombuffer(row.ids, "<u8"),
        author_ids=np.frombuffer(row.author_ids, "<u8"),
        embed_offsets=np.frombuffer(row.embed_offsets, "<u4"),
        embed_ids=np.frombuffer(row.embed_ids, "<u8"),
        embed_author_ids=np.frombuffer(row.embed_author_ids, "<u8"),
    )
