"""D2: the words of a bundle for people say what its document says, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from sluice_gate.damages.verify import verify
from tests.support.damages_bundles import HOUR_US, a_bundle, a_document, seen, sum_up

ROWS = [seen(0, 60, number=1), seen(HOUR_US, 65, "bot2", 2)]


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return a_bundle(tmp_path / "bundle", ROWS)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"**30.00 USD**", b"**999.00 USD**", 3),
        (b"# Liquidated damages: group bots\n", b"", 1),
        (b"\n", b"\r\n", 1),
        (b"USD", b"\xff\x1b[2J", 3),
    ],
)
def test_d2_words_for_people_that_the_document_does_not_say_are_named(
    bundle: Path, old: bytes, new: bytes, line: int
) -> None:
    readme = bundle / "README.md"
    readme.write_bytes(readme.read_bytes().replace(old, new))
    sum_up(bundle)

    report = verify(bundle, None, quiet)

    assert [each.field for each in report.differences] == [f"README.md: line {line}"]
    assert all(each.said.isascii() and "\x1b" not in each.said for each in report.differences)


@pytest.mark.parametrize("change", [lambda data: data + b"x" * 2**20, lambda data: data[:-1]])
def test_d2_words_that_were_added_or_cut_off_are_named(bundle: Path, change: Any) -> None:
    readme = bundle / "README.md"
    readme.write_bytes(change(readme.read_bytes()))
    sum_up(bundle)

    assert not verify(bundle, None, quiet).agrees


def test_a_time_that_no_calendar_reaches_is_told_as_a_number(tmp_path: Path) -> None:
    document = a_document(ROWS, recorded_at_us=2**61)
    bundle = a_bundle(tmp_path / "bundle", ROWS, document)

    assert verify(bundle, None, quiet).agrees
    assert b"2,305,843,009,213,693,952 microseconds since 1970 UTC" in (bundle / "README.md").read_bytes()
