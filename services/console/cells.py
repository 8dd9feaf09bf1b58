"""Cells of a file as values: each reader raises ValueError with a sentence that names the column."""

import re
from collections.abc import Callable
from typing import TypeVar

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

from services.console import moments
from services.console.names import value_name

LARGEST_ID = 2**64 - 1

_ID = re.compile(r"[0-9]{1,20}")

T = TypeVar("T")


def an_id(column: str, text: str) -> int:
    """An id of 1 to 20 decimal digits, exact to 64 bits."""
    if not _ID.fullmatch(text.strip()) or not 0 < int(text) <= LARGEST_ID:
        raise ValueError(f"{column}: a number from 1 to {LARGEST_ID} is expected, not {text!r}")
    return int(text)


def digest(column: str, text: str) -> bytes:
    """A SHA-256 digest in hex."""
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != 32:
        raise ValueError(f"{column}: 64 hex digits are expected, not {text!r}")
    return value


def word(column: str, enum: EnumDescriptor, text: str) -> str:
    """The full name of the value that a word stands for."""
    return in_column(column, lambda word: value_name(enum, word), text)


def moment(column: str, text: str) -> Timestamp | None:
    """A time; None for an empty cell."""
    return in_column(column, moments.read, text.strip()) if text.strip() else None


def listed(text: str) -> list[str]:
    """The parts of a cell that holds several, separated by |."""
    return [part.strip() for part in text.split("|") if part.strip()]


def in_column(column: str, read: Callable[[str], T], text: str) -> T:
    """What `read` makes of a cell; its ValueError gets the column's name."""
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
