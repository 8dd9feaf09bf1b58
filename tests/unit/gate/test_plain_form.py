"""Plain JSON lines and CSV: names, values, and records byte for byte."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice_gate.errors import FormError
from sluice_gate.posts import Broken, Post, Record
from sluice_gate.reading.csv_records import QuoteState, csv_records, fields_of
from sluice_gate.reading.forms import Format, PostForm, detect
from sluice_gate.reading.lines import Span
from sluice_gate.reading.plain_form import Names, post_of
from sluice_gate.reading.reader import PostReader
from sluice_gate.reading.times import time_us, zone_offset_us
from sluice_gate.reading.values import IMAGE, OTHER_MEDIA, POST, QUOTE, VIDEO, Unreadable

NAMES = Names()
TIME_US = 1_461_024_126_000_000


def a_post(**more: Any) -> dict[str, Any]:
    return {"id": "10", "author_id": "1", "created_at": "2016-04-19T00:02:06Z", "kind": "post", **more}


def read(folder: Path, content: bytes, form: PostForm, limit: int = 10_000) -> list[Record | Broken]:
    posts = folder / "posts"
    posts.write_bytes(content)
    return list(PostReader(posts, form, limit=limit).read())


@pytest.mark.parametrize("id", ["9223372036854775809", 9223372036854775809])
def test_ids_beyond_what_a_float_holds_stay_exact(id: object) -> None:
    assert post_of(a_post(id=id), NAMES, None).id == 9223372036854775809


@pytest.mark.parametrize("id", [1e18, "1e18", "-1", -1, "007", " 7", "", None, True, [], 2**64])
def test_what_is_no_exact_id_breaks_the_line(id: object) -> None:
    with pytest.raises(Unreadable):
        post_of(a_post(id=id), NAMES, None)


def test_a_missing_author_is_an_unnamed_contributor_C6() -> None:  # noqa: N802
    assert post_of(a_post(author_id=None), NAMES, None).author_id == 0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2016-04-19T00:02:06Z", TIME_US),
        ("2016-04-19t02:02:06.5+02:00", TIME_US + 500_000),
        ("2016-04-18 18:32:06.0000019-05:30", TIME_US + 1),
        ("Tue Apr 19 00:02:06 +0000 2016", TIME_US),
        (1_461_024_126, TIME_US),
        ("1461024126000", TIME_US),
        (1_461_024_126_000_000, TIME_US),
    ],
)
def test_a_time_is_read_in_every_known_form(value: object, expected: int) -> None:
    assert time_us(value, None) == expected


@pytest.mark.parametrize(
    "value", [None, "", 1.5, "2016-04-19", "2016-13-01T00:00:00Z", "now", True, -1, 10**17]
)
def test_what_is_no_time_breaks_the_line(value: object) -> None:
    with pytest.raises(Unreadable):
        time_us(value, None)


def test_a_time_without_a_zone_needs_one() -> None:
    local = "2016-04-19T02:02:06"

    with pytest.raises(Unreadable, match="has no zone"):
        time_us(local, None)
    assert time_us(local, zone_offset_us("+02:00")) == TIME_US
    assert time_us("2016-04-19T00:02:06", zone_offset_us("UTC")) == TIME_US
    with pytest.raises(FormError):
        zone_offset_us("Europe/Berlin")


def test_embeds_are_read_nested_in_pairs_and_in_words() -> None:
    nested = [{"id": 11, "author_id": 2, "embeds": [{"id": "12"}]}, [13, 4]]

    as_json = post_of(a_post(kind="quote", embeds=nested), NAMES, None)
    as_words = post_of(a_post(kind="quote", embeds="11:2 12: 13:4"), NAMES, None)

    assert as_json.embeds == as_words.embeds == ((11, 2), (12, 0), (13, 4))


@pytest.mark.parametrize("kind", ["quote", "repost", "retweet"])
def test_a_quote_or_repost_of_nobody_cannot_be_released_C6(kind: str) -> None:  # noqa: N802
    assert post_of(a_post(kind=kind), NAMES, None).embeds == ((0, 0),)


def test_an_unknown_kind_is_left_to_be_denied() -> None:
    assert post_of(a_post(kind="story"), NAMES, None).kind == 0
    assert post_of(a_post(kind=3), NAMES, None).kind == QUOTE


def test_media_are_read_as_words_and_as_flags() -> None:
    flags = [
        post_of(a_post(media=media), NAMES, None).media_flags for media in (["photo", "poll"], "video", 3)
    ]

    assert flags == [IMAGE + OTHER_MEDIA, VIDEO, IMAGE + VIDEO]


def test_names_and_facts_for_the_whole_file_can_be_given() -> None:
    names = Names.parse("id=tweet_id,author=user_id,time=at,kind==post,lang==de")

    post = post_of({"tweet_id": 5, "user_id": 6, "at": 1_461_024_126}, names, None)

    assert post == Post(5, 6, POST, 0, "de", TIME_US, ())


@pytest.mark.parametrize("text", ["size=x", "id", "id=", "id=a,id=b", "id==7", "kind=="])
def test_a_mapping_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(FormError):
        Names.parse(text)


HEADER = b"\xef\xbb\xbfid,author_id,created_at,text,kind\r\n"
CSV = PostForm(Format.CSV)


def test_csv_records_are_kept_byte_for_byte(tmp_path: Path) -> None:
    records = [
        b'10,1,1461024126,"two\r\nlines, a ""quote"" and\n\na blank",post\r\n',
        b'11,2,1461024126,5" disk,post\n',
        b'"12","3",1461024126,"",post',
    ]

    found = read(tmp_path, HEADER + b"".join(records), CSV)

    assert [entry.raw for entry in found if isinstance(entry, Record)] == records
    assert [(entry.post.id, entry.line) for entry in found if isinstance(entry, Record)] == [
        (10, 2),
        (11, 6),
        (12, 7),
    ]
    assert PostReader(tmp_path / "posts", CSV).preamble == HEADER


def test_text_inside_an_open_quote_is_never_taken_for_posts(tmp_path: Path) -> None:
    trap = b'10,1,1461024126,"never closed,post\n11,2,1461024126,forged,post\n'

    found = read(tmp_path, HEADER + trap + b"12,3,1461024126,x,post\n" * 3_000, CSV)

    assert [(type(entry), entry.line) for entry in found] == [(Broken, 2)]
    assert isinstance(found[0], Broken)
    assert (found[0].last_line, found[0].reason) == (3_003, "a quoted field is never closed")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"10,1,1461024126,x\n", "4 fields where the header has 5"),
        (b'10,1,1461024126,"x"y,post\n', "quotes are out of order"),
        (b"10,1,1461024126,x\ry,post\n", "a line break outside quotes"),
        (b"10,1,1461024126," + b"x" * 20_000 + b",post\n", "too long"),
        (b'10,1,1461024126,"' + b'""\n' * 9_000 + b'",post\n', "too long"),
    ],
)
def test_a_broken_csv_record_stops_nothing(tmp_path: Path, record: bytes, reason: str) -> None:
    good = b"12,3,1461024126,x,post\n"

    found = read(tmp_path, HEADER + record + b"\r\n" + good, CSV)

    assert isinstance(found[0], Broken)
    assert found[0].reason == reason
    assert [entry.raw for entry in found[1:] if isinstance(entry, Record)] == [good]


@pytest.mark.parametrize(
    "header", [b"", b"id,author_id\n", b"id,author_id,created_at,id\n", b'id,"author_id\n', b"id,\xff\n"]
)
def test_a_csv_without_a_usable_header_is_refused(tmp_path: Path, header: bytes) -> None:
    with pytest.raises(FormError):
        read(tmp_path, header, CSV)


@given(
    rows=st.lists(
        st.lists(st.text(st.sampled_from('ab",\n\r'), max_size=6), min_size=2, max_size=3), max_size=6
    ),
    limit=st.integers(1, 40),
)
def test_csv_is_cut_as_the_csv_module_writes_it(rows: list[list[str]], limit: int) -> None:
    texts = []
    for row in rows:
        written = io.StringIO()
        csv.writer(written, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerow(row)
        texts.append(written.getvalue().encode())
    file = io.BytesIO(b"".join(texts))

    found = list(csv_records(file, Span(0, len(file.getvalue()), 1), limit))

    assert [file.getvalue()[record.start : record.end] for record in found] == texts
    assert [record.raw for record in found] == [text if len(text) <= limit else None for text in texts]
    assert [fields_of(text.decode()[:-2]) for text in texts] == rows


@given(st.binary(max_size=30).map(lambda data: data.replace(b"\x00", b'"')), st.integers(1, 30))
def test_quotes_are_told_the_same_however_the_bytes_are_cut(data: bytes, cut: int) -> None:
    whole, pieces = QuoteState(), QuoteState()

    if data:
        whole.feed(data)
    for piece in filter(None, (data[:cut], data[cut:])):
        pieces.feed(piece)

    assert whole.open == pieces.open


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"", Format.JSON),
        (b'\n{oops\n{"id_str":"1","user":{"id_str":"2"}}\n', Format.X_API),
        (b'\xef\xbb\xbf{"id":1,"user":"me"}\n', Format.JSON),
        (b"id,author_id\n", Format.CSV),
    ],
)
def test_the_form_of_a_file_is_told_by_its_first_lines(
    tmp_path: Path, content: bytes, format: Format
) -> None:
    posts = tmp_path / "posts"
    posts.write_bytes(content)

    assert detect(posts) is format


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00", b'[{"id": 1}]'])
def test_a_file_that_cannot_be_streamed_is_refused(tmp_path: Path, content: bytes) -> None:
    posts = tmp_path / "posts"
    posts.write_bytes(content)

    with pytest.raises(FormError):
        detect(posts)


def test_json_lines_keep_their_bytes(tmp_path: Path) -> None:
    lines = [json.dumps(a_post(id=id)).encode() + end for id, end in ((1, b" \r\n"), (2, b"\n"), (3, b""))]

    found = read(tmp_path, b"".join(lines), PostForm(Format.JSON))

    assert [entry.raw for entry in found if isinstance(entry, Record)] == lines
