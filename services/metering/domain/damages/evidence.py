"""The rows that an assessment rests on, and the one digest of them all (docs/evidence-format.md)."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from services.metering.domain.damages.cells import Ints

CHUNK_ROWS = 65_536
_CHUNK, _ROOT = b"sluice/evidence/v1", b"sluice/evidence-root/v1"


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of n rows, in the order of the format."""

    at_us: Ints
    numbers: Ints
    parties: Sequence[str]
    origins: Ints
    accesses: Ints
    kinds: Ints
    media_flags: Ints
    posts: Ints
    sources: Sequence[str]
    ids: Sequence[str]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.at_us)

    def digest(self) -> bytes:
        """Of this chunk."""
        columns = [
            self.at_us.astype("<i8").tobytes(),
            self.numbers.astype("<i8").tobytes(),
            _texts(self.parties),
            *(each.astype(np.uint8).tobytes() for each in self._bytes()),
            self.posts.astype("<i8").tobytes(),
            _texts(self.sources),
            _texts(self.ids),
        ]
        return hashlib.sha256(b"".join([_CHUNK, struct.pack("<Q", len(self)), *columns])).digest()

    def _bytes(self) -> tuple[Ints, ...]:
        return self.origins, self.accesses, self.kinds, self.media_flags


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rows of an assessment are."""

    rows: int
    root: bytes


def root(digests: Iterable[bytes]) -> bytes:
    """The digest of all chunks, by their digests in order."""
    chunks = list(digests)
    return hashlib.sha256(b"".join([_ROOT, struct.pack("<Q", len(chunks)), *chunks])).digest()


def _texts(texts: Sequence[str]) -> bytes:
    encoded = [text.encode() for text in texts]
    lengths = np.fromiter(map(len, encoded), np.dtype("<u4"), len(encoded))
    return lengths.tobytes() + b"".join(encoded)
