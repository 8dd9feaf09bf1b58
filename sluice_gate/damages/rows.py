"""The rows of evidence: their columns, how Parquet holds them, and the digests over them.

A digest is over values, not over Parquet: the same rows have the same digest whoever wrote the file.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from sluice_gate.errors import VerificationError

TEXT = "string"
COLUMNS = {
    "at_us": "int64",
    "number": "int64",
    "party": TEXT,
    "origin": "uint8",
    "access": "uint8",
    "kind": "uint8",
    "media": "uint8",
    "posts": "int64",
    "source": TEXT,
    "id": TEXT,
}
"""All columns with their types, in their order."""
GATE, ELSEWHERE = 1, 2
"""Origins."""
ACCESSES = {"REQUEST": 1, "VIEW": 2, "ACCESS": 3}
KINDS = range(1, 5)
MEDIA = range(8)
"""Flags: 1 image, 2 video, 4 other."""
_CHUNK = b"sluice/evidence/v1"
_ROOT = b"sluice/evidence-root/v1"


def need_arrow() -> Any:
    """The library; raises VerificationError (PARQUET_MISSING)."""
    # Inside: who verifies receipts alone does not need it, and it is large.
    try:
        import pyarrow as arrow  # noqa: PLC0415
        import pyarrow.compute  # noqa: PLC0415
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError as error:
        raise VerificationError(
            "PARQUET_MISSING",
            "the rows of evidence are Parquet, which is read with pyarrow: pip install sluice[parquet]",
        ) from error
    return arrow


def schema(arrow: Any) -> Any:
    """The columns as pyarrow has them."""
    return arrow.schema([(name, getattr(arrow, kind)()) for name, kind in COLUMNS.items()])


def chunk_digest(table: Any) -> bytes:
    """Of a table of such columns without nulls, whose buffers hold what they say."""
    digest = hashlib.sha256(_CHUNK)
    digest.update(table.num_rows.to_bytes(8, "little"))
    for name, kind in COLUMNS.items():
        pieces = table.column(name).chunks
        for piece in _texts(pieces) if kind == TEXT else _numbers(pieces):
            digest.update(piece)
    return digest.digest()


def root_digest(chunks: Sequence[bytes]) -> bytes:
    """Over the digests of all chunks in order."""
    return hashlib.sha256(_ROOT + len(chunks).to_bytes(8, "little") + b"".join(chunks)).digest()


def _numbers(pieces: Iterable[Any]) -> Iterator[bytes]:
    for piece in pieces:
        values = piece.to_numpy(zero_copy_only=False)
        yield np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _texts(pieces: Sequence[Any]) -> Iterator[bytes]:
    """All lengths, then all bytes (Arrow's layout: offsets of 32 bits into one buffer)."""
    ends = [_offsets(piece) for piece in pieces]
    for offsets in ends:
        yield np.diff(offsets).astype("<u4").tobytes()
    for piece, offsets in zip(pieces, ends, strict=True):
        if (data := piece.buffers()[2]) is not None:
            yield data[int(offsets[0]) : int(offsets[-1])].to_pybytes()


def _offsets(piece: Any) -> np.ndarray:
    if not len(piece):
        return np.zeros(1, np.int32)
    return np.frombuffer(piece.buffers()[1], np.int32)[piece.offset : piece.offset + len(piece) + 1]
