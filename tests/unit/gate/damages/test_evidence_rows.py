"""The rows of a bundle, read as a stranger's: whatever is wrong with them is named, and where."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice_gate.damages.row_faults import MOST_POSTS
from sluice_gate.damages.verify import Report, verify
from tests.support.damages_bundles import (
    DAY_US,
    HOUR_US,
    SINCE_US,
    UNTIL_US,
    Row,
    a_bundle,
    a_document,
    released,
    seen,
    sum_up,
)

PART = "evidence/part-00000.parquet"
ROWS = [seen(0, 60, number=1), seen(HOUR_US, 70, "bot2", 2), released(2 * HOUR_US, 40, number=3)]
MEMBERS = [{"party": party, "since_us": SINCE_US, "until_us": UNTIL_US} for party in ("bot", "bot2")]


def checked(bundle: Path) -> Report:
    return verify(bundle, None, lambda what, done, of: None)


def places(report: Report) -> set[str]:
    return {each.field for each in report.differences}


def said(report: Report) -> list[str]:
    return [each.said for each in report.differences]


def report_of(folder: Path, rows: Sequence[Row], **others: Any) -> Report:
    """Of a bundle whose document is right about these rows, but for what they must not be."""
    document = a_document(rows, **({"members": MEMBERS} | others))
    return checked(a_bundle(folder / "bundle", rows, document))


def rewritten(folder: Path, change: Callable[[pa.Table], pa.Table]) -> Report:
    """Of a bundle whose part was written anew, with sums made right."""
    bundle = a_bundle(folder / "bundle", ROWS)
    pq.write_table(change(pq.read_table(bundle / PART)), bundle / PART)
    sum_up(bundle)
    return checked(bundle)


def test_nothing_is_wrong_with_rows_in_order(tmp_path: Path) -> None:
    assert report_of(tmp_path, ROWS).agrees


def test_rows_taken_back_at_their_own_time_are_as_they_should_be(tmp_path: Path) -> None:
    rows = [*ROWS, seen(DAY_US, 9, number=4), seen(DAY_US, -9, number=5, source="", id="")]

    assert report_of(tmp_path, rows).agrees


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (seen(3 * HOUR_US, 5, number=9, origin=3), "an unknown origin"),
        (seen(3 * HOUR_US, 5, number=9, access=0), "an unknown kind of access"),
        (seen(3 * HOUR_US, 5, number=9, kind=5), "an unknown kind of content"),
        (seen(3 * HOUR_US, 5, number=9, media=8), "unknown media"),
        (seen(3 * HOUR_US, 5, number=1_001), "the number of no change"),
        (seen(3 * HOUR_US, 5, number=0), "the number of no change"),
        (seen(3 * HOUR_US, 5, number=9, id=""), "half a key"),
        (seen(3 * HOUR_US, 5, number=9, source=""), "half a key"),
        (seen(3 * HOUR_US, 5, number=9, id="line-9"), "an id of no form"),
        (seen(3 * HOUR_US, 5, number=9, id="sha256:ab"), "an id of no form"),
        (released(3 * HOUR_US, 5, number=9, source="edge"), "a key, of what passed the gate"),
    ],
)
def test_a_row_with_a_value_that_cannot_be_is_named(tmp_path: Path, row: Row, words: str) -> None:
    report = report_of(tmp_path, [*ROWS, row])

    assert f"{PART}: row 3" in places(report)
    assert words in said(report)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (seen(3 * HOUR_US, 500, "stranger", 9), "a party that is no member"),
        (seen(30 * DAY_US, 500, number=9), "a time outside of its party's stretches"),
        (seen(2**62 - SINCE_US, 500, number=9), "a time outside of its party's stretches"),
    ],
)
def test_a_row_of_no_member_is_named_and_counts_nothing(tmp_path: Path, row: Row, words: str) -> None:
    document = a_document(ROWS, members=MEMBERS)
    document["evidence"] = a_document([*ROWS, row], members=MEMBERS, since_us=0, until_us=0)["evidence"]
    report = checked(a_bundle(tmp_path / "bundle", [*ROWS, row], document))

    assert [(each.field, each.said) for each in report.differences] == [(f"{PART}: row 3", words)]


def test_a_time_between_two_stretches_of_a_party_is_outside(tmp_path: Path) -> None:
    members = [
        {"party": "bot", "since_us": SINCE_US, "until_us": SINCE_US + HOUR_US},
        {"party": "bot", "since_us": SINCE_US + 2 * HOUR_US, "until_us": UNTIL_US},
        {"party": "bot2", "since_us": SINCE_US, "until_us": UNTIL_US},
    ]
    rows = [seen(0, 60), seen(HOUR_US, 9, number=2), seen(2 * HOUR_US, 9, number=3)]
    document = a_document([rows[0], rows[2]], members=members)
    document["evidence"] = a_document(rows)["evidence"]

    report = checked(a_bundle(tmp_path / "bundle", rows, document))

    assert places(report) == {f"{PART}: row 1"}


@pytest.mark.parametrize(
    "rows",
    [
        [ROWS[1], ROWS[0], ROWS[2]],
        [seen(0, 1, number=2), seen(0, 1, number=1)],
        [seen(0, 1, "bot2"), seen(0, 1, "bot")],
        [seen(0, 1), released(0, 1)],
        [seen(0, 1, kind=2), seen(0, 1, kind=1)],
        [seen(0, 1, media=2), seen(0, 1, media=1)],
    ],
)
def test_rows_out_of_order_are_named(tmp_path: Path, rows: list[Row]) -> None:
    report = report_of(tmp_path, rows)

    assert "a row before the one before it" in said(report)


def test_rows_out_of_order_across_parts_are_named_with_their_place(tmp_path: Path) -> None:
    rows = [*(seen(HOUR_US, 1, number=number) for number in range(1, 5)), seen(0, 1, number=5)]

    report = report_of(tmp_path, rows)

    assert places(report) == {"evidence/part-00001.parquet: row 0"}


@pytest.mark.parametrize("before", [0, 3])
def test_a_row_that_is_there_twice_is_named_also_across_parts(tmp_path: Path, before: int) -> None:
    rows = [
        *(seen(0, 1, number=number) for number in range(1, before + 1)),
        *[seen(HOUR_US, 1, number=9)] * 2,
    ]

    report = report_of(tmp_path, rows)

    assert said(report) == ["1 rows that are there already"]


def test_rows_of_one_change_under_different_keys_are_different(tmp_path: Path) -> None:
    rows = [seen(0, 1, number=9, id="id:b"), seen(0, 1, number=9, id="id:a"), seen(0, 1, number=9, access=2)]

    assert report_of(tmp_path, rows).agrees


def test_less_than_nothing_of_a_kind_at_a_time_stops_the_figures_and_is_named(tmp_path: Path) -> None:
    rows = [seen(0, 60), seen(HOUR_US, 5, number=2), seen(HOUR_US, -6, number=3, id="id:line-2")]
    document = a_document(rows[:1], members=MEMBERS)
    document["evidence"] = a_document(rows[:1] * 3)["evidence"]

    report = checked(_unjudged(tmp_path, rows, document))

    assert f"-1 posts of a party, origin and access at_us {SINCE_US + HOUR_US}" in said(report)
    assert report.not_checked == (
        "every field that follows from the rows",
        "README.md, the document in words",
    )


def _unjudged(folder: Path, rows: Sequence[Row], document: dict[str, Any]) -> Path:
    """A bundle of rows that metering's domain would not compute with."""
    from tests.support.damages_bundles import root_of

    document["evidence"]["root"] = root_of(rows, document["evidence"]["chunk_rows"])
    return a_bundle(folder / "bundle", rows, document)


@pytest.mark.parametrize("sign", [1, -1])
def test_more_posts_than_can_be_added_up_are_named(tmp_path: Path, sign: int) -> None:
    rows = [seen(0, MOST_POSTS, number=1), seen(HOUR_US, sign, number=2)]
    document = a_document(ROWS[:2], members=MEMBERS)

    report = checked(_unjudged(tmp_path, rows, document))

    assert f"{MOST_POSTS + 1} posts in all" in said(report)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop_columns(["id"]),
        lambda table: table.append_column("more", pa.array([1, 2, 3])),
        lambda table: table.select(["number", "at_us", *table.column_names[2:]]),
        lambda table: table.set_column(7, "posts", table["posts"].cast(pa.int32())),
        lambda table: table.set_column(7, "posts", table["posts"].cast(pa.float64())),
        lambda table: table.set_column(2, "party", table["party"].cast(pa.binary())),
        lambda table: table.set_column(2, "party", table["party"].dictionary_encode()),
        lambda table: table.set_column(7, "posts", pa.array([1, None, 3], pa.int64())),
        lambda table: table.set_column(8, "source", pa.array(["a", None, ""], pa.string())),
        lambda table: table.slice(1),
        lambda table: pa.concat_tables([table, table]),
    ],
)
def test_a_part_with_other_columns_types_nulls_or_rows_is_named_and_not_used(
    tmp_path: Path, change: Callable[[pa.Table], pa.Table]
) -> None:
    report = rewritten(tmp_path, change)

    assert places(report) == {PART, "evidence.root"}
    assert not report.agrees


def test_text_that_is_no_text_is_named(tmp_path: Path) -> None:
    def broken(table: pa.Table) -> pa.Table:
        data = pa.py_buffer(b"\xff\xfe\xfd")
        offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
        return table.set_column(9, "id", pa.StringArray.from_buffers(3, offsets, data))

    assert PART in places(rewritten(tmp_path, broken))


def test_the_same_values_in_another_form_of_parquet_agree(tmp_path: Path) -> None:
    bundle = a_bundle(tmp_path / "bundle", ROWS)
    table = pq.read_table(bundle / PART)
    pq.write_table(table, bundle / PART, compression="none", row_group_size=1, use_dictionary=False)
    sum_up(bundle)

    assert checked(bundle).agrees


def test_other_values_are_found_by_the_root(tmp_path: Path) -> None:
    def other(table: pa.Table) -> pa.Table:
        return table.set_column(8, "source", pa.array(["edgf", "edge", ""], pa.string()))

    assert places(rewritten(tmp_path, other)) == {"evidence.root"}
