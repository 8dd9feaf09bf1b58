"""What a caller sent is parsed, counted and checked against its contract before a handler sees it."""

import pytest
from google.protobuf.message import Message

from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.validation import check_message, read_message
from tests.unit.chassis.words import Book, Words

LONGEST_LIST = 16_384


def refused(message: Message) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_message(message.SerializeToString(), type(message).FromString)
    return caught.value


def test_a_message_that_keeps_its_rules_passes() -> None:
    message = Words(words=["ab", "cd"])

    check_message(message)
    assert read_message(message.SerializeToString(), Words.FromString) == message


def test_bytes_without_a_contract_have_no_rules() -> None:
    check_message(b"what is no message has no rules")
    assert read_message(b"\xff", None) == b"\xff"


def test_a_broken_rule_names_the_field() -> None:
    refusal = refused(Words(words=["ab", "c", "d"]))

    assert (refusal.kind, refusal.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert refusal.violations == (
        FieldViolation("words[1]", "must be at least 2 characters"),
        FieldViolation("words[2]", "must be at least 2 characters"),
    )


@pytest.mark.parametrize("payload", [b"\xff\xff\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x0b" * 1_000])
def test_what_cannot_be_parsed_is_refused_without_the_parsers_words(payload: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        read_message(payload, Words.FromString)

    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "REQUEST_UNREADABLE")
    assert caught.value.message == "the request is not a message of this call"


def test_a_long_message_names_its_first_fault_only() -> None:
    refusal = refused(Words(words=["c"] * 10_000))

    assert refusal.violations == (FieldViolation("words[0]", "must be at least 2 characters"),)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (Words(words=["c"] * (LONGEST_LIST + 1)), "words"),
        (Book(cover=Words(words=["c"] * (LONGEST_LIST + 1))), "cover.words"),
        (Book(pages=[Words()] * (LONGEST_LIST + 1)), "pages"),
        (Book(pages=[Words(), Words(words=["c"] * (LONGEST_LIST + 1))]), "pages[].words"),
        (Book(part=Book(part=Book(pages=[Words()] * (LONGEST_LIST + 1)))), "part.part.pages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_list_that_would_take_too_long_is_refused_before_its_elements_are_looked_at(
    message: Message, field: str
) -> None:
    refusal = refused(message)

    assert (refusal.kind, refusal.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert refusal.violations == (FieldViolation(field, "a list holds over 16384 elements"),)


def test_lists_that_together_would_take_too_long_are_refused() -> None:
    many_pages = Book(pages=[Words(words=["ab"] * (LONGEST_LIST - 1))] * 8)
    read_message(many_pages.SerializeToString(), Book.FromString)

    refusal = refused(Book(pages=[*many_pages.pages, Words()]))

    assert (refusal.kind, refusal.reason) == (Kind.INVALID, "INVALID_REQUEST")
    assert refusal.message == "the request's lists hold over 131072 elements together"


@pytest.mark.parametrize(
    "message", [Words(words=["ab"] * 40_000), Book(pages=[Words()] * 40_000)], ids=["words", "pages"]
)
def test_a_list_that_would_take_too_long_to_parse_is_not_parsed(message: Message) -> None:
    def parse(payload: bytes) -> Message:
        assert payload == b""
        return type(message)()

    with pytest.raises(Refusal) as caught:
        read_message(message.SerializeToString(), parse)

    assert (caught.value.kind, caught.value.reason) == (Kind.INVALID, "INVALID_REQUEST")
