"""What decisions released, post by post, in SQL."""

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, and_, insert, select

from services.licensing.domain.released import Contents, Released, Unresolved
from services.licensing.storage.ledger_tables import DecisionRow, ManifestRow
from services.licensing.storage.release_index_tables import ReleasedColumnsRow

READ_AT_ONCE = 20
"""Decisions whose columns are fetched together; of 10,000 posts each they are some MB."""

_TABLES = DecisionRow.metadata.tables
_DECISIONS = _TABLES[DecisionRow.__tablename__]
_MANIFESTS = _TABLES[ManifestRow.__tablename__]
_COLUMNS = _TABLES[ReleasedColumnsRow.__tablename__]

_CONTENTS = (
    select(
        *(_DECISIONS.c.number, _COLUMNS.c.ids, _COLUMNS.c.author_ids),
        *(_COLUMNS.c.embed_offsets, _COLUMNS.c.embed_ids, _COLUMNS.c.embed_author_ids),
        *(_MANIFESTS.c.contributors, _MANIFESTS.c.post_offsets, _MANIFESTS.c.post_ids),
    )
    .outerjoin(_COLUMNS, _COLUMNS.c.number == _DECISIONS.c.number)
    # Large, and needed only where there is nothing better.
    .outerjoin(
        _MANIFESTS, and_(_COLUMNS.c.number.is_(None), _MANIFESTS.c.decision_id == _DECISIONS.c.decision_id)
    )
    .order_by(_DECISIONS.c.number)
)


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
    return dict(_read(connection, _CONTENTS.where(_DECISIONS.c.number.in_(list(numbers)))))


def contents_after(connection: Connection, number: int) -> Generator[tuple[int, Contents]]:
    """What all decisions after a number released, in their order."""
    return _read(connection, _CONTENTS.where(_DECISIONS.c.number > number))


def _read(connection: Connection, query: Select[Any]) -> Generator[tuple[int, Contents]]:
    with connection.execute(query, execution_options={"yield_per": READ_AT_ONCE}) as rows:
        for row in rows:
            yield row.number, _contents(row)


def _contents(row: Row[Any]) -> Contents:
    if row.ids is None:
        return Unresolved(
            contributors=np.frombuffer(row.contributors or b"", "<u8"),
            post_offsets=np.frombuffer(row.post_offsets or bytes(4), "<u4"),
            post_ids=np.frombuffer(row.post_ids or b"", "<u8"),
        )
    return Released(
        ids=np.frombuffer(row.ids, "<u8"),
        author_ids=np.frombuffer(row.author_ids, "<u8"),
        embed_offsets=np.frombuffer(row.embed_offsets, "<u4"),
        embed_ids=np.frombuffer(row.embed_ids, "<u8"),
        embed_author_ids=np.frombuffer(row.embed_author_ids, "<u8"),
    )
