"""Proofs as files: what was written is read back, and nothing else is a proof."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.logged import InclusionProof, receipts_in
from sluice_gate.verifying.proof_files import proof_file, read_proof
from tests.support.logs import ALog, some_leaves

LOG = ALog(some_leaves(5))
NOTE = LOG.note()


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_was_written_is_read_back(index: int, hashes: list[bytes]) -> None:
    assert read_proof(proof_file(index, hashes, NOTE)) == (InclusionProof(index, 5, hashes), NOTE)


def test_the_file_is_that_of_the_specification() -> None:
    lines = proof_file(3, LOG.inclusion(3, 5), NOTE).decode().split("\n")

    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 3"]
    assert [len(line) for line in lines[2:5]] == [44, 44, 44]
    assert lines[5:8] == ["", "platform.example/receipts", "5"]


def test_extra_data_is_passed_over() -> None:
    content = proof_file(3, LOG.inclusion(3, 5), NOTE).replace(b"index 3", b"extra YQ==\nindex 3")

    assert read_proof(content) == (InclusionProof(3, 5, LOG.inclusion(3, 5)), NOTE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        NOTE,
        b"c2sp.org/tlog-proof@v2\nindex 3\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 03\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex -3\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 3\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 3\n\nplatform.example/receipts\nmany\n",
        proof_file(3, [bytes(32)] * 64, NOTE),
    ],
)
def test_anything_else_is_no_proof(content: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        read_proof(content)

    assert caught.value.reason == "PROOF_MALFORMED"


def test_receipts_are_read_as_they_are_and_as_jobs_write_them(tmp_path: Path) -> None:
    path = tmp_path / "receipts"
    path.write_text('a.b.c\n{"batch":0,"receipt":"d.e.f"}\n')

    assert list(receipts_in(path)) == ["a.b.c", "d.e.f"]


@pytest.mark.parametrize("line", ["", '{"receipt":7}', "{}", "r\u00e9sum\u00e9"])
def test_a_line_without_a_receipt_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "receipts"
    path.write_text(f"{line}\n", encoding="utf-8")

    with pytest.raises(VerificationError) as caught:
        list(receipts_in(path))

    assert caught.value.reason == "RECEIPTS_UNREADABLE"
