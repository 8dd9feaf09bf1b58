"""The digests over rows, by values worked out by hand from docs/evidence-format.md."""

import hashlib

import numpy as np

from services.console.damages_rows import Rows
from services.metering.domain.damages import evidence
from sluice_gate.damages.rows import COLUMNS, chunk_digest, need_arrow, root_digest, schema

# Two rows: a hold of 3 posts at the gate by "ü", and one access taken back of "bo" seen by "edge" as "x1".
CHUNK = Rows(
    at_us=np.array([1, 258], np.int64),
    number=np.array([7, 8], np.int64),
    party=["ü", "bo"],
    origin=np.array([1, 2], np.uint8),
    access=np.array([3, 2], np.uint8),
    kind=np.array([1, 4], np.uint8),
    media=np.array([0, 5], np.uint8),
    posts=np.array([3, -1], np.int64),
    source=["", "edge"],
    id=["", "x1"],
)
BYTES = bytes.fromhex(
    "736c756963652f65766964656e63652f7631"  # sluice/evidence/v1
    "0200000000000000"
    "0100000000000000 0201000000000000"  # at_us
    "0700000000000000 0800000000000000"  # number
    "02000000 02000000 c3bc 626f"  # party
    "0102 0302 0104 0005"  # origin, access, kind, media
    "0300000000000000 ffffffffffffffff"  # posts
    "00000000 04000000 65646765"  # source
    "00000000 02000000 7831"  # id
)


def table(chunk: Rows) -> object:
    arrow = need_arrow()
    return arrow.table({name: getattr(chunk, name) for name in COLUMNS}, schema=schema(arrow))


def test_a_chunk_is_digested_as_it_is_written_down() -> None:
    assert chunk_digest(table(CHUNK)) == hashlib.sha256(BYTES).digest()


def test_slices_and_pieces_of_a_table_have_the_digest_of_their_values() -> None:
    arrow = need_arrow()
    whole = table(CHUNK)
    twice = arrow.concat_tables([whole, whole])

    assert chunk_digest(twice.slice(2)) == hashlib.sha256(BYTES).digest()
    pieces = arrow.concat_tables([twice.slice(2, 1), twice.slice(3, 1)])
    assert chunk_digest(pieces) == hashlib.sha256(BYTES).digest()


def test_the_root_is_over_the_digests_and_how_many_there_are() -> None:
    one, other = b"\x01" * 32, b"\x02" * 32

    assert root_digest([]) == hashlib.sha256(b"sluice/evidence-root/v1" + bytes(8)).digest()
    assert (
        root_digest([one, other])
        == hashlib.sha256(b"sluice/evidence-root/v1" + b"\x02" + bytes(7) + one + other).digest()
    )


def test_metering_and_the_verifier_agree_on_digests() -> None:
    rows = evidence.Rows(
        at_us=CHUNK.at_us,
        numbers=CHUNK.number,
        parties=CHUNK.party,
        origins=CHUNK.origin.astype(np.int64),
        accesses=CHUNK.access.astype(np.int64),
        kinds=CHUNK.kind.astype(np.int64),
        media_flags=CHUNK.media.astype(np.int64),
        posts=CHUNK.posts,
        sources=CHUNK.source,
        ids=CHUNK.id,
    )

    digests = [rows.digest(), rows.digest()]

    assert digests[0] == chunk_digest(table(CHUNK))
    assert evidence.root(digests) == root_digest(digests)
