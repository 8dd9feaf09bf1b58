"""Parquet files of imports mean what the same rows in CSV mean, whatever types their columns have."""

import builtins
import datetime
import decimal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet
import pytest

from services.chassis.refusals import Kind, Refusal
from services.console import choices, rows, states, subjects
from services.console.rows import Chunk, read_chunks
from sluice.consent.v1.choice_pb2 import Choice
from sluice.consent.v1.state_change_pb2 import StateChange
from sluice.consent.v1.subject_pb2 import Subject, SubjectState

NOTICE = b"\x0f" * 32
NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def a_file(folder: Path, columns: Mapping[str, Any], name: str = "rows.parquet") -> Path:
    path = folder / name
    arrow.parquet.write_table(arrow.table(dict(columns)), path)
    return path


def choice_columns(subject_ids: Any, stated_at: Any, notices: Any = ("", "")) -> dict[str, Any]:
    return {
        "subject_id": subject_ids,
        "stance": ["deny", "allow"],
        "licensee": [None, "acme"],
        "purpose": ["", "ai_input"],
        "stated_at": stated_at,
        "notice_digest": notices,
    }


def read_choices(path: Path) -> list[Chunk[Choice]]:
    return list(read_chunks(path, choices.FORM, choices.read_choice))


def stated(chunk: Chunk[Choice]) -> list[str]:
    return [choice.stated_at.ToJsonString() for _, choice in chunk.rows]


def test_a_row_means_what_it_means_in_csv(tmp_path: Path) -> None:
    columns = choice_columns(["7", "18446744073709551615"], ["2026-01-31T12:00:00Z"] * 2, ["", NOTICE.hex()])
    text = [",".join(columns)] + [
        ",".join(cell or "" for cell in row) for row in zip(*columns.values(), strict=True)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(text), encoding="ascii")

    [parquet] = read_choices(a_file(tmp_path, columns))
    [csv] = read_choices(tmp_path / "rows.csv")

    assert [choice for _, choice in parquet.rows] == [choice for _, choice in csv.rows]
    assert not parquet.bad + csv.bad
    # The header of a CSV file is its first line; a Parquet file has none.
    assert [line for line, _ in parquet.rows] == [1, 2]
    assert [line for line, _ in csv.rows] == [2, 3]


@pytest.mark.parametrize(
    "ids",
    [
        arrow.array([7, 2**64 - 1], arrow.uint64()),
        arrow.array([decimal.Decimal(7), decimal.Decimal(2**64 - 1)], arrow.decimal128(20, 0)),
        arrow.array(["7", str(2**64 - 1)], arrow.large_string()),
        arrow.array(["7", str(2**64 - 1)], arrow.string_view()),
        arrow.array([b"7", str(2**64 - 1).encode()], arrow.binary()),
        arrow.array(["7", str(2**64 - 1)]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_ids_may_be_integers_or_texts_and_stay_exact(tmp_path: Path, ids: Any) -> None:
    [chunk] = read_choices(a_file(tmp_path, choice_columns(ids, ["2026-01-31", "2026-01-31"])))

    assert [choice.subject_id for _, choice in chunk.rows] == [7, 2**64 - 1]


@pytest.mark.parametrize(
    "ids",
    [
        arrow.array([7.0, float("nan")]),
        arrow.array([None, -1], arrow.int64()),
        arrow.array([0, 0]),
        arrow.array([True, False]),
        arrow.array([[7], [7, 8]]).slice(1).take(arrow.array([0, 0])),
        arrow.array([{"id": 7}, None]),
        arrow.array([b"\xff" * 8, b"\x07" * 32]),
        arrow.nulls(2),
    ],
    ids=lambda column: str(column.type),
)
def test_ids_of_other_kinds_are_bad_rows_and_never_rounded(tmp_path: Path, ids: Any) -> None:
    [chunk] = read_choices(a_file(tmp_path, choice_columns(ids, ["2026-01-31", "2026-01-31"])))

    assert not chunk.rows
    assert [(bad.line, bad.reason) for bad in chunk.bad] == [(1, "CELL_MALFORMED"), (2, "CELL_MALFORMED")]


@pytest.mark.parametrize(
    "times",
    [
        arrow.array([NOON] * 2, arrow.timestamp("us", "UTC")),
        arrow.array([NOON] * 2, arrow.timestamp("ns", "Europe/Berlin")),
        arrow.array([NOON.replace(tzinfo=None)] * 2, arrow.timestamp("ms")),
        arrow.array([NOON.replace(tzinfo=None)] * 2, arrow.timestamp("s")),
        arrow.array(["2026-01-31T13:00:00+01:00"] * 2),
    ],
    ids=lambda column: str(column.type),
)
def test_times_may_be_timestamps_or_texts_and_are_utc_where_no_zone_is_named(
    tmp_path: Path, times: Any
) -> None:
    [chunk] = read_choices(a_file(tmp_path, choice_columns([7, 8], times)))

    assert stated(chunk) == ["2026-01-31T12:00:00Z"] * 2


def test_times_are_exact_to_the_microsecond(tmp_path: Path) -> None:
    times = arrow.array([1_769_860_800_123_456_789, 1_769_860_800_000_000_001], arrow.timestamp("ns", "UTC"))

    [chunk] = read_choices(a_file(tmp_path, choice_columns([7, 8], times)))

    assert stated(chunk) == ["2026-01-31T12:00:00.123456Z", "2026-01-31T12:00:00Z"]


def test_a_date_is_its_first_instant(tmp_path: Path) -> None:
    times = arrow.array([NOON.date()] * 2)

    [chunk] = read_choices(a_file(tmp_path, choice_columns([7, 8], times)))

    assert stated(chunk) == ["2026-01-31T00:00:00Z"] * 2


def test_a_time_that_no_date_is_left_for_is_a_bad_row_alone(tmp_path: Path) -> None:
    times = arrow.array([2**62, 0], arrow.timestamp("us", "UTC"))

    [chunk] = read_choices(a_file(tmp_path, choice_columns([7, 8], times)))

    assert [bad.line for bad in chunk.bad] == [1]
    assert stated(chunk) == ["1970-01-01T00:00:00Z"]


@pytest.mark.parametrize(
    "notices",
    [
        arrow.array([None, NOTICE]),
        arrow.array([NOTICE, NOTICE], arrow.binary(32)),
        arrow.array([b"", NOTICE.hex().encode()]),
        arrow.array([None, NOTICE.hex().upper()]),
    ],
    ids=lambda column: str(column.type),
)
def test_digests_may_be_bytes_or_hex(tmp_path: Path, notices: Any) -> None:
    columns = choice_columns([7, 8], ["2026-01-31", "2026-01-31"], notices)

    [chunk] = read_choices(a_file(tmp_path, columns))

    assert chunk.rows[1][1].notice_digest == NOTICE


def read_subjects(path: Path) -> list[Chunk[Subject]]:
    return list(read_chunks(path, subjects.FORM, subjects.read_subject))


def test_what_csv_separates_may_be_a_list(tmp_path: Path) -> None:
    columns = {
        "subject_id": [7, 8],
        "jurisdiction": ["US", "DE"],
        "states": [["minor", "protected"], None],
        "notice": [[NOTICE, b"\xff" * 32], []],
        "withheld": ["DE|FR", ""],
    }

    [chunk] = read_subjects(a_file(tmp_path, columns))

    (_, first), (_, second) = chunk.rows
    assert list(first.states) == [SubjectState.SUBJECT_STATE_MINOR, SubjectState.SUBJECT_STATE_PROTECTED]
    assert list(first.notice_digests) == [NOTICE, b"\xff" * 32]
    assert list(first.withheld_countries) == ["DE", "FR"]
    assert not second.states


def test_a_text_that_is_none_is_a_bad_row_alone(tmp_path: Path) -> None:
    ids = arrow.Array.from_buffers(
        arrow.string(), 2, [None, arrow.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), arrow.py_buffer(b"\xff\xfe7")]
    )

    [chunk] = read_choices(a_file(tmp_path, choice_columns(ids, ["2026-01-31", "2026-01-31"])))

    assert [bad.line for bad in chunk.bad] == [1]
    assert [choice.subject_id for _, choice in chunk.rows] == [7]


def test_changes_of_subjects_and_posts_stand_in_one_file(tmp_path: Path) -> None:
    columns = {
        "subject_id": [7, None],
        "post_id": arrow.array([None, 2**63], arrow.uint64()),
        "change": ["protect", "deny"],
        "occurred_at": [NOON, None],
    }

    path = a_file(tmp_path, columns, "states.PQ")
    [chunk] = read_chunks(path, states.FORM, states.read_change)

    found: Sequence[StateChange] = [change for _, change in chunk.rows]
    assert [(change.subject_id, change.post_id) for change in found] == [(7, 0), (0, 2**63)]
    assert [change.HasField("occurred_at") for change in found] == [True, False]


def test_a_file_is_read_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_ROWS", 2)
    columns = {
        "subject_id": range(1, 6),
        "jurisdiction": ["US"] * 5,
        "states": arrow.nulls(5),
        "notice": arrow.nulls(5),
    }

    path = a_file(tmp_path, {name: arrow.array(cells) for name, cells in columns.items()})
    chunks = read_subjects(path)

    assert [[subject.subject_id for _, subject in chunk.rows] for chunk in chunks] == [[1, 2], [3, 4], [5]]
    size = path.stat().st_size
    assert [chunk.bytes_read for chunk in chunks] == [size * 2 // 5, size * 4 // 5, size]


@pytest.mark.parametrize("columns", [["subject_id"], ["subject_id", "change", "color"], ["change", "Change"]])
def test_other_columns_are_refused(tmp_path: Path, columns: list[str]) -> None:
    path = a_file(tmp_path, {name: arrow.array(["1"]) for name in columns})

    with pytest.raises(Refusal) as refused:
        list(read_chunks(path, states.FORM, states.read_change))

    assert refused.value.reason == "PARQUET_COLUMNS"


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    path.write_text("subject_id,jurisdiction,states,notice\n", encoding="ascii")

    with pytest.raises(Refusal, match="PARQUET_UNREADABLE"):
        read_subjects(path)


def test_a_file_that_is_broken_in_the_middle_is_refused_there(tmp_path: Path) -> None:
    columns = {"change": arrow.array(["delete"] * 1000), "subject_id": arrow.array(range(1000))}
    path = a_file(tmp_path, columns)
    content = bytearray(path.read_bytes())
    content[4:200] = b"\0" * 196
    path.write_bytes(content)

    with pytest.raises(Refusal, match="PARQUET_UNREADABLE"):
        list(read_chunks(path, states.FORM, states.read_change))


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_file(tmp_path, {"change": arrow.array(["delete"])})
    load = builtins.__import__

    def missing(name: str, *args: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(Refusal) as refused:
        list(read_chunks(path, states.FORM, states.read_change))

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "PARQUET_MISSING")
    assert "pip install sluice[parquet]" in refused.value.message
