"""Bundles of evidence as the console writes them: for programs, for people, and as a picture."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from services.chassis.refusals import Refusal
from services.console.damages_bundles import write_bundle
from services.console.damages_windows import figure_of, fullest, shown_range
from sluice_gate.damages.counting import counted
from sluice_gate.damages.summary import summary
from tests.support.damages_bundles import (
    DAY_US,
    HOUR_US,
    SINCE_US,
    UNTIL_US,
    a_bundle,
    a_document,
    a_policy,
    as_bytes,
    chunk_of,
    seen,
)

ROWS = [seen(0, 60, number=1), seen(HOUR_US, 65, "bot2", 2), seen(DAY_US * 9, 120, number=3)]


def quiet(what: str, done: int, of: int) -> None:
    """Progress that nobody looks at."""


def test_a_bundle_holds_the_document_byte_for_byte_rows_in_parts_and_sums(tmp_path: Path) -> None:
    document = a_document(ROWS, chunk_rows=2)

    bundle = a_bundle(tmp_path / "bundle", ROWS, document)

    assert (bundle / "assessment.json").read_bytes() == as_bytes(document)
    assert sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*")) == [
        "README.md",
        "SHA256SUMS",
        "assessment.json",
        "evidence",
        "evidence/part-00000.parquet",
        "evidence/part-00001.parquet",
        "window.svg",
    ]
    assert len((bundle / "SHA256SUMS").read_text(encoding="ascii").splitlines()) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["bundle"]


def test_the_same_assessment_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (a_bundle(tmp_path / name, ROWS) for name in ("one", "other"))

    assert (one / "SHA256SUMS").read_bytes() == (other / "SHA256SUMS").read_bytes()


@pytest.mark.parametrize("name", ["bundle", "bundle.unfinished"])
def test_what_is_there_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", encoding="ascii")

    with pytest.raises(Refusal, match="BUNDLE_EXISTS"):
        a_bundle(tmp_path / "bundle", ROWS)

    assert [path.read_text(encoding="ascii") for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", [".", "..", "/"])
def test_a_folder_without_a_name_is_there_and_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Refusal, match="BUNDLE_EXISTS"):
        a_bundle(Path(name), ROWS)

    assert list(tmp_path.iterdir()) == []


def test_what_is_left_of_an_export_that_was_cut_off_may_be_removed(tmp_path: Path) -> None:
    (tmp_path / "bundle.unfinished").mkdir()

    with pytest.raises(Refusal, match=r"bundle\.unfinished is there already.*may be removed"):
        a_bundle(tmp_path / "bundle", ROWS)


def test_rows_other_than_those_of_the_assessment_leave_no_bundle(tmp_path: Path) -> None:
    document = as_bytes(a_document(ROWS))

    with pytest.raises(Refusal, match="EVIDENCE_DIFFERS"):
        write_bundle(document, [chunk_of(ROWS[:2])], tmp_path / "bundle", quiet)

    assert list(tmp_path.iterdir()) == []


def test_what_breaks_off_leaves_no_bundle(tmp_path: Path) -> None:
    def broken() -> Any:
        yield chunk_of(ROWS[:1])
        raise OSError("the line is dead")

    with pytest.raises(OSError, match="dead"):
        write_bundle(as_bytes(a_document(ROWS)), broken(), tmp_path / "bundle", quiet)

    assert list(tmp_path.iterdir()) == []


def test_the_summary_says_in_words_what_is_claimed_and_of_whom() -> None:
    document = a_document(
        ROWS,
        jurisdiction="FR",
        exempt=[{"party": "uni", "since_us": SINCE_US, "until_us": UNTIL_US}],
    )

    text = summary(document, "ab" * 32)

    assert "**60.00 USD** is claimed of group bots, for 2 period(s)" in text
    assert "**Not enforceable in FR**, where it would be claimed: a penalty." in text
    assert "More than 100 posts within 24 h cost 15.00 USD per 50 posts, for each full unit" in text
    assert (
        "| 2024-10-04 00:00:00.000000 UTC | 2024-10-05 00:00:00.000000 UTC | 125 | 30.00 USD"
        " | bot 60 (14.40 USD); bot2 65 (15.60 USD) |" in text
    )
    assert "jointly and severally: each of them owes the whole" in text
    assert "| bot | 180 | 44.40 USD | 60.00 USD |" in text
    assert "| broker | rented out addresses |" in text
    assert "| uni | 2024-10-04 00:00:00.000000 UTC | 2024-11-03 00:00:00.000000 UTC |" in text
    assert "| edge | 2024-11-03 00:59:59.000000 UTC |" in text
    assert "| **ACCESS, VIEW** | **left out** | **DISJOINT** | **WHOLE\\_UNITS** |" in text.replace(
        "WHOLE_UNITS", "WHOLE\\_UNITS"
    )
    assert f"sluice damages verify FOLDER --digest {'ab' * 32}" in text
    assert "- that nothing is missing" in text


def test_d4_the_summary_gives_the_reason_of_the_country_for_its_parts() -> None:
    text = summary(a_document(ROWS, jurisdiction="FR-IDF"), "ab" * 32)

    assert "**Not enforceable in FR-IDF**, where it would be claimed: a penalty." in text


def test_marks_in_names_stay_in_their_cells() -> None:
    rows = [seen(0, 200, "a|b\n*c*<script>")]

    text = summary(a_document(rows), "ab" * 32)

    assert "| a\\|b \\*c\\*\\<script\\> |" in text


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("see https://pay.example/now", "see https\\://pay.example/now"),
        ("see WWW.pay.example", "see WWW\\.pay.example"),
        ("[pay](https://pay.example)", "\\[pay\\]\\(https\\://pay.example\\)"),
        ("write to pay@pay.example", "write to pay\\@pay.example"),
        ("&#42;&lt;b&gt;", "\\&\\#42;\\&lt;b\\&gt;"),
        ("\x1b[2J\u202eback", "\ufffd\\[2J\ufffdback"),
        ("12:30, at 5 o'clock. Now", "12:30, at 5 o'clock. Now"),
    ],
)
def test_nothing_that_somebody_wrote_becomes_a_link_or_moves_a_cursor(how: str, told: str) -> None:
    document = a_document(ROWS, assisted=[{"party": "broker", "how": how}])

    text = summary(document, "ab" * 32)

    assert f"| broker | {told} |\n" in text


@pytest.mark.parametrize(
    ("title", "told"), [("", "- Clause: version 3;"), ("Terms", "- Clause: Terms, version 3;")]
)
def test_a_clause_without_a_title_is_told_by_its_version(title: str, told: str) -> None:
    assert f"\n{told} terms abab" in summary(a_document(ROWS, a_policy(title=title)), "ab" * 32)


def test_amounts_are_told_with_the_decimals_of_their_currency() -> None:
    yen = a_document(ROWS, a_policy(currency="JPY", decimals=0, rate_nanos=1_500 * 10**9))

    text = summary(yen, "ab" * 32)

    assert "**6,000 JPY**" in text
    assert "cost 1,500 JPY per 50 posts" in text


def test_the_picture_shows_the_window_the_threshold_and_the_periods(tmp_path: Path) -> None:
    picture = a_bundle(tmp_path / "bundle", ROWS) / "window.svg"

    words = {
        "".join(text.itertext())
        for text in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")
    }

    assert {"group bots: 2 period(s) claimed", "threshold: 100 posts", "periods that are claimed"} <= words


def test_all_periods_are_drawn_as_two_things_however_many_there_are() -> None:
    days = range(0, 28, 2)
    document = a_document([seen(day * DAY_US, 200, number=day + 1) for day in days])
    at_us = np.array([SINCE_US + day * DAY_US for day in days])

    (axes,) = figure_of(document, counted(at_us, np.full(len(days), 200))).axes

    boxes, lines = axes.collections
    assert len(document["periods"]) == len(boxes.get_paths()) == len(lines.get_paths()) == 14
    first = boxes.get_paths()[0].get_extents()
    assert (first.x0, first.x1, first.y0, first.y1) == (20_000, 20_001, 0, 1)


def test_the_picture_of_nothing_claimed_has_no_periods() -> None:
    document = a_document([seen(0, 50)])

    (axes,) = figure_of(document, counted(np.array([SINCE_US]), np.array([50]))).axes

    assert list(axes.collections) == []


def test_the_fullest_window_that_ends_in_a_part_is_found_between_its_edges() -> None:
    ground = counted(np.array([10, 12, 30]), np.array([5, 6, 1]))

    # Windows (t-5, t]: at 12 both count, at 15 only the second, from 17 on none.
    assert fullest(ground, 5, np.array([0, 10, 13, 15, 16, 17, 40])).tolist() == [0, 11, 11, 6, 6, 1]


def test_the_picture_spans_what_counts_and_whole_periods() -> None:
    document = a_document([seen(5 * DAY_US, 200), seen(30 * DAY_US - HOUR_US, 200, number=2)])
    ground = counted(np.array([SINCE_US + 5 * DAY_US, UNTIL_US - HOUR_US]), np.array([200, 200]))

    since_us, until_us = shown_range(document, ground)

    assert (since_us, until_us) == (SINCE_US + 5 * DAY_US - DAY_US // 2, UNTIL_US + DAY_US - HOUR_US)
    assert json.loads(as_bytes(document))["periods"][1]["until_us"] == until_us
