"""`sluice damages verify`: what it says, and how it ends."""

import hashlib
import sys
from pathlib import Path

import pytest

from services.console.damages_verify import DIFFERS
from tests.support.command_line import Cli
from tests.support.damages_bundles import HOUR_US, a_bundle, seen

ROWS = [seen(0, 60, number=1), seen(HOUR_US, 65, "bot2", 2)]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "bundle", ROWS)


@pytest.fixture
def offline(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Commands with no installation and no server."""
    return Cli(tmp_path / "nothing", capsys, monkeypatch)


def test_a_bundle_that_agrees_ends_with_0_and_says_what_was_checked(offline: Cli, bundle: Path) -> None:
    digest = hashlib.sha256((bundle / "assessment.json").read_bytes()).hexdigest()

    out = offline("damages", "verify", bundle, "--digest", digest)

    assert f"All of it agrees. Digest of the assessment: {digest}" in out
    assert "2 rows: their order, values, parties and stretches" in out
    assert "64 readings of the clause" in out
    assert "README.md: every word of it" in out
    assert "that nothing is missing" in offline.err
    assert "that the picture (window.svg) is true" in offline.err
    assert "readings ..." in offline.err


def test_differences_end_with_1_and_each_is_named(offline: Cli, bundle: Path) -> None:
    path = bundle / "assessment.json"
    path.write_bytes(path.read_bytes().replace(b'"posts":125,', b'"posts":126,'))

    out = offline("damages", "verify", bundle, status=DIFFERS)

    assert "SHA256SUMS" in out
    assert "periods[0].posts" in out
    assert "It does not agree" in out
    assert "The digest was not compared" in offline.err


def test_another_digest_than_the_one_quoted_is_a_difference(offline: Cli, bundle: Path) -> None:
    answer = offline.json("damages", "verify", bundle, "--digest", "0" * 64, status=DIFFERS)

    assert answer["agrees"] is False
    assert answer["digest_compared"] is True
    assert [each["field"] for each in answer["differences"]] == ["assessment.json"]


def test_programs_get_one_document_and_steps_beside_it(offline: Cli, bundle: Path) -> None:
    answer = offline.json("damages", "verify", bundle)

    assert answer["agrees"] is True
    assert answer["differences"] == answer["not_checked"] == []
    assert len(answer["not_shown"]) == 6
    assert '{"step": "readings"}' in offline.err.splitlines()


def test_wrong_paths_and_digests_are_named(offline: Cli, bundle: Path, tmp_path: Path) -> None:
    assert "does not exist" in offline.wrong("damages", "verify", tmp_path / "nowhere")
    assert "is a file" in offline.wrong("damages", "verify", bundle / "README.md")
    assert "64 hex digits are expected" in offline.wrong("damages", "verify", bundle, "--digest", "ab")


def test_a_folder_that_is_no_bundle_is_refused(offline: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert offline.refusal("damages", "verify", tmp_path / "empty")["reason"] == "NOT_A_BUNDLE"


def test_it_is_said_what_to_install_where_parquet_cannot_be_read(
    offline: Cli, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    refusal = offline.refusal("damages", "verify", bundle)

    assert refusal["reason"] == "PARQUET_MISSING"
    assert "pip install sluice[parquet]" in refusal["message"]
