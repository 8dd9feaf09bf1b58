"""Ids of subjects as people hand them in."""

import codecs
import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.settings_page.subject_ids import cells_of_csv, cells_of_text, named, subject_id_in

IDS = st.integers(1, 2**64 - 1)


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "+1", "01", "1.0", "1e3", "1_000", "1 ", "²", "\u0661", str(2**64), "9" * 5_000]
)
def test_what_is_only_like_an_id_is_none(text: str) -> None:
    assert subject_id_in(text) is None


@given(ids=st.lists(IDS, max_size=20), others=st.lists(st.sampled_from(["bob", "0", "-7"]), max_size=5))
def test_a_list_names_each_once_in_its_order_and_tells_apart_what_is_no_id(
    ids: list[int], others: list[str]
) -> None:
    found = named([*map(str, ids), *others, "", *map(str, ids)])

    assert list(found.ids) == list(dict.fromkeys(ids))
    assert list(found.faults) == list(dict.fromkeys(others))


@given(ids=st.lists(IDS, min_size=1, max_size=20), between=st.sampled_from(["\n", "\r\n", ", ", ";", " "]))
def test_a_text_may_part_ids_by_lines_commas_and_spaces(ids: list[int], between: str) -> None:
    found = named(cells_of_text(between.join(map(str, ids))))

    assert set(found.ids) == set(ids)
    assert not found.faults


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (b"7\n8\n", (7, 8)),
        (b"\xef\xbb\xbfsubject_id\r\n7\r\n\r\n8\r\n", (7, 8)),
        (b'name,Subject_ID,note\n"Lovelace, Ada",7,9\nBob,8\n', (7, 8)),
        (b"7,9\n8,9\n", (7, 8)),
        (b"subject_id\n", ()),
        (b'\xef\xbb\xbfname;subject_id\r\n"Lovelace; Ada, of London";7\r\nBob;8\r\n', (7, 8)),
        (b'"Lovelace; Ada; L.",subject_id\nAda,7\nBob,8\n', (7, 8)),
        ("name\tsubject_id\r\nJörg\t7\r\nBob\t8\r\n".encode("utf-16"), (7, 8)),
        (codecs.BOM_UTF16_BE + "7\n8\n".encode("utf-16-be"), (7, 8)),
        (b"", ()),
    ],
)
def test_a_file_has_ids_in_their_column_or_in_the_first(content: bytes, ids: tuple[int, ...]) -> None:
    found = named(cells_of_csv(content))

    assert found.ids == ids
    assert not found.faults


def test_a_row_that_ends_before_the_column_names_nobody() -> None:
    assert cells_of_csv(b"name,subject_id\nAda\nBob,8\n") == ["8"]


def test_bytes_that_are_no_text_are_faults_and_not_ids() -> None:
    found = named(cells_of_csv(b"\xff7\n8\n"))

    assert found.ids == (8,)
    assert len(found.faults) == 1


def test_what_is_no_csv_is_refused() -> None:
    with pytest.raises(csv.Error):
        cells_of_csv(b'"7\n8\n')
