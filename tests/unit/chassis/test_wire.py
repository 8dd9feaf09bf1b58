"""Fields are counted in a message's bytes as a parser would find them, and no bytes can upset the count."""

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.chassis.wire import check_fields, content_of
from tests.unit.chassis.words import Book, Words


def reason_of(payload: bytes, blank: Message, most: int) -> str:
    with pytest.raises(Refusal) as caught:
        check_fields(payload, blank, most)
    assert caught.value.kind is Kind.INVALID
    return caught.value.reason


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (Words(words=["ab"] * 5), 5),
        (Book(cover=Words(words=["ab"] * 5)), 6),
        (Book(part=Book(part=Book(cover=Words(words=["ab"] * 5)))), 8),
        (Book(pages=[Words(words=["ab"] * 5)] * 3), 3),
        (Timestamp(seconds=-1, nanos=1), 2),
    ],
    ids=str,
)
def test_each_field_counts_but_those_inside_of_elements(message: Message, fields: int) -> None:
    payload, blank = message.SerializeToString(), type(message)()

    check_fields(payload, blank, fields)
    assert reason_of(payload, blank, fields - 1) == "INVALID_REQUEST"


def test_a_message_given_in_parts_counts_as_the_whole_that_it_becomes() -> None:
    halves = Book(cover=Words(words=["ab"] * 5)).SerializeToString() * 2

    assert len(Book.FromString(halves).cover.words) == 10
    assert reason_of(halves, Book(), 11) == "INVALID_REQUEST"


def test_fields_that_the_contract_does_not_know_count_too() -> None:
    unknown = b"\x20\x01" + b"\x29" + bytes(8) + b"\x35" + bytes(4) + b"\x3a\x02ab"

    check_fields(unknown, Words(), 4)
    assert reason_of(unknown, Words(), 3) == "INVALID_REQUEST"


@pytest.mark.parametrize(
    "payload", [b"\x0b\x0c", b"\x0f", b"\x80", b"\xff" * 20, b"\x08", b"\x0a"], ids=bytes.hex
)
def test_groups_and_numbers_without_an_end_are_unreadable(payload: bytes) -> None:
    assert reason_of(payload, Words(), 100) == "REQUEST_UNREADABLE"


@given(payload=st.binary(max_size=60))
def test_any_bytes_are_counted_or_unreadable(payload: bytes) -> None:
    try:
        check_fields(payload, Book(), 60)
    except Refusal as refusal:
        assert refusal.reason == "REQUEST_UNREADABLE"


words = st.builds(Words, words=st.lists(st.text(max_size=5), max_size=3))


@given(parts=st.lists(words, max_size=3), pages=st.lists(words, max_size=3))
def test_a_message_is_taken_out_of_another_as_a_parser_would_read_it(
    parts: list[Message], pages: list[Message]
) -> None:
    payload = b"".join(Book(cover=part, pages=pages).SerializeToString() for part in parts)

    content = content_of(payload, Book.DESCRIPTOR.fields_by_name["cover"].number, 12)

    assert Words.FromString(content) == Book.FromString(payload).cover


@given(payload=st.binary(max_size=40), number=st.integers(1, 3))
def test_no_bytes_upset_the_taking_out(payload: bytes, number: int) -> None:
    try:
        assert len(content_of(payload, number, 40)) <= len(payload)
    except Refusal as refusal:
        assert refusal.reason == "REQUEST_UNREADABLE"


@pytest.mark.parametrize(
    "payload", [b"\x08\x01", b"\x0a\x05abc", b"\x0a", b"\x0b"], ids=["a number", "cut", "bare", "a group"]
)
def test_what_is_no_message_where_one_is_due_is_unreadable(payload: bytes) -> None:
    with pytest.raises(Refusal, match="REQUEST_UNREADABLE"):
        content_of(payload, 1, 100)


def test_nothing_is_taken_out_of_more_fields_than_there_may_be_and_the_rest_is_not_looked_at() -> None:
    fields = b"\x0a\x00" * 5

    assert content_of(fields, 1, 5) == b""
    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        # What follows cannot be read, which would be told had anybody come so far.
        content_of(fields + b"\x0a\x00\x0b", 1, 5)
