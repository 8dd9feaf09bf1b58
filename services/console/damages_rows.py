"""Rows of evidence as metering sends them: what they say, and their digest (docs/evidence-format.md)."""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Kind, Refusal
from sluice.metering.v1.damages_service_pb2 import ReadEvidenceResponse

Longs: TypeAlias = NDArray[np.int64]
Bytes: TypeAlias = NDArray[np.integer[Any]]

_CHUNK, _ROOT = b"sluice/evidence/v1", b"sluice/evidence-root/v1"


@dataclass(frozen=True)
class Rows:
    """Columns of n rows, by their names in the format."""

    at_us: Longs
    """Microseconds since 1970 UTC, int64."""
    number: Longs
    party: list[str]
    origin: Bytes
    access: Bytes
    kind: Bytes
    media: Bytes
    posts: Longs
    source: list[str]
    id: list[str]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.at_us)

    def part(self, begin: int, end: int) -> "Rows":
        """The rows from one place until just before another."""
        return Rows(**{name: column[begin:end] for name, column in vars(self).items()})

    def digest(self) -> bytes:
        """Of this chunk."""
        narrow = [each.astype("u1").tobytes() for each in (self.origin, self.access, self.kind, self.media)]
        columns = [
            self.at_us.astype("<i8").tobytes(),
            self.number.astype("<i8").tobytes(),
            _texts(self.party),
            *narrow,
            self.posts.astype("<i8").tobytes(),
            _texts(self.source),
            _texts(self.id),
        ]
        return hashlib.sha256(b"".join([_CHUNK, struct.pack("<Q", len(self)), *columns])).digest()


def rows_of(chunk: ReadEvidenceResponse) -> Rows:
    """A message of the stream; raises Refusal (internal, ANSWER_MALFORMED) where its columns do not fit."""
    try:
        rows = Rows(
            at_us=np.frombuffer(chunk.at_us, "<i8"),
            number=np.frombuffer(chunk.numbers, "<i8"),
            party=_looked_up(chunk.parties, chunk.party_indexes),
            origin=np.frombuffer(chunk.origins, "u1"),
            access=np.frombuffer(chunk.accesses, "u1"),
            kind=np.frombuffer(chunk.kinds, "u1"),
            media=np.frombuffer(chunk.media_flags, "u1"),
            posts=np.frombuffer(chunk.posts, "<i8"),
            source=_looked_up(chunk.sources, chunk.source_indexes),
            id=list(chunk.ids),
        )
    except (ValueError, IndexError) as error:
        raise _malformed() from error
    if any(len(column) != len(rows) for column in vars(rows).values()):
        raise _malformed()
    return rows


def in_chunks(pieces: Iterable[Rows], size: int) -> Iterator[Rows]:
    """The same rows, `size` (at least 1) in each chunk but the last."""
    waiting: list[Rows] = []
    count = 0
    for piece in pieces:
        waiting.append(piece)
        count += len(piece)
        if count < size:
            continue
        whole = _joined(waiting)
        full = count - count % size
        yield from (whole.part(begin, begin + size) for begin in range(0, full, size))
        waiting, count = [whole.part(full, count)], count - full
    if count:
        yield _joined(waiting)


def root(digests: Iterable[bytes]) -> bytes:
    """The digest of all chunks, by their digests in order."""
    chunks = list(digests)
    return hashlib.sha256(b"".join([_ROOT, struct.pack("<Q", len(chunks)), *chunks])).digest()


def _joined(pieces: Sequence[Rows]) -> Rows:
    if len(pieces) == 1:
        return pieces[0]
    columns: dict[str, Any] = {}
    for name, first in vars(pieces[0]).items():
        each = [getattr(piece, name) for piece in pieces]
        columns[name] = list(chain(*each)) if isinstance(first, list) else np.concatenate(each)
    return Rows(**columns)


def _looked_up(texts: Sequence[str], places: bytes) -> list[str]:
    known = list(texts)
    return [known[place] for place in np.frombuffer(places, "<u4").tolist()]


def _texts(texts: Sequence[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.dtype("<u4"), len(encoded))
    return lengths.tobytes() + b"".join(encoded)


def _malformed() -> Refusal:
    return Refusal(Kind.INTERNAL, "ANSWER_MALFORMED", "metering sent rows whose columns do not fit together")
