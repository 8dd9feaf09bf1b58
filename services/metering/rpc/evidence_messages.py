"""Rows of evidence as messages, none of them too large to be sent."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from services.metering.domain.damages.evidence import Rows
from sluice.metering.v1 import damages_service_pb2 as pb

MOST_BYTES = 2 * 1024 * 1024
"""Of a message, but for its last row: a chunk that is digested has as much as 70 MB, where ids are long."""
ROW_BYTES = 48
"""Of a row without its texts: columns, and what says how long a text is."""


def evidence_messages(rows: Rows) -> list[pb.ReadEvidenceResponse]:
    """A chunk of rows, cut where a message would get too large."""
    texts = zip(rows.parties, rows.sources, rows.ids, strict=True)
    # Parties and sources are sent once a message, so this is the most that it can come to.
    sizes = (ROW_BYTES + sum(len(text.encode()) for text in each) for each in texts)
    messages_of_rows = np.cumsum(np.fromiter(sizes, np.int64, len(rows))) // MOST_BYTES
    cuts = [0, *(np.flatnonzero(np.diff(messages_of_rows)) + 1).tolist(), len(rows)]
    return [_message(rows, slice(first, end)) for first, end in pairwise(cuts)]


def _message(rows: Rows, part: slice) -> pb.ReadEvidenceResponse:
    parties, party_indexes = _indexed(rows.parties[part])
    sources, source_indexes = _indexed(rows.sources[part])
    return pb.ReadEvidenceResponse(
        at_us=rows.at_us[part].astype("<i8").tobytes(),
        numbers=rows.numbers[part].astype("<i8").tobytes(),
        parties=parties,
        party_indexes=party_indexes,
        origins=rows.origins[part].astype(np.uint8).tobytes(),
        accesses=rows.accesses[part].astype(np.uint8).tobytes(),
        kinds=rows.kinds[part].astype(np.uint8).tobytes(),
        media_flags=rows.media_flags[part].astype(np.uint8).tobytes(),
        posts=rows.posts[part].astype("<i8").tobytes(),
        sources=sources,
        source_indexes=source_indexes,
        ids=rows.ids[part],
    )


def _indexed(texts: Sequence[str]) -> tuple[list[str], bytes]:
    distinct = sorted(set(texts))
    places = {text: place for place, text in enumerate(distinct)}
    return distinct, np.fromiter(map(places.__getitem__, texts), np.dtype("<u4"), len(texts)).tobytes()
