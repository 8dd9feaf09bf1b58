"""Reads a message in its bytes: counts its fields before a parser makes an object of each, and takes one out.

Two bytes can become an object of over a hundred: a few megabytes of them would stop the process for a second.
"""

import functools
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from services.chassis.refusals import Refusal, invalid

SIZED = 2
"""Wire type of what carries its own length: strings, bytes, messages, packed lists."""
VARINT = 0
LONGEST_VARINT_BITS = 70
_FIXED = {1: 8, 5: 4}  # bytes, by wire type


def check_fields(payload: bytes, blank: Message, most: int) -> None:
    """Raises Refusal (invalid, INVALID_REQUEST) if there are over `most` fields outside of lists' elements.

    `payload` holds a message like `blank`, which is empty.
    Each element of a list that is not packed is such a field, what is inside of it is not. Stops there, so
    that it takes no longer than `most` allows. Raises Refusal (invalid, REQUEST_UNREADABLE) for groups, which
    no contract has, and for fields without an end; other faults are left to the parser.
    Format: protobuf.dev/programming-guides/encoding.
    """
    fields = 0
    parts: list[tuple[int, int, Any]] = [(0, len(payload), blank.DESCRIPTOR)]
    while parts:
        at, end, inside = parts.pop()
        inner = messages_with_lists(inside)
        while at < end:
            fields += 1
            if fields > most:
                raise _too_many(most)
            tag, at = _varint(payload, at)
            start, at = _skipped(payload, at, tag & 7)
            if tag & 7 == SIZED and tag >> 3 in inner:
                parts.append((start, min(at, end), inner[tag >> 3]))


def content_of(payload: bytes, number: int, most: int) -> bytes:
    """The bytes of the message in the field `number` of a message; none where it is not set.

    Where the field comes again, both are one message, merged as a parser merges them. Raises Refusal
    (invalid): INVALID_REQUEST if there are over `most` fields, where it stops, and REQUEST_UNREADABLE where
    the bytes are not fields from beginning to end.
    """
    found, at, fields = [], 0, 0
    while at < len(payload):
        fields += 1
        if fields > most:
            raise _too_many(most)
        tag, at = _varint(payload, at)
        start, at = _skipped(payload, at, tag & 7)
        if at > len(payload) or (tag >> 3 == number and tag & 7 != SIZED):
            raise unreadable()
        if tag >> 3 == number:
            found.append(payload[start:at])
    return found[0] if len(found) == 1 else b"".join(found)


@functools.cache
def messages_with_lists(descriptor: Descriptor) -> Mapping[int, Descriptor]:
    """The fields, by number, that are one message (not a list) with a list somewhere inside."""
    return {
        field.number: field.message_type
        for field in descriptor.fields
        if field.message_type is not None and not field.is_repeated and has_lists(field)
    }


def has_lists(field: FieldDescriptor, above: frozenset[str] = frozenset()) -> bool:
    """Whether the field is a message with a list somewhere inside; `above` are the messages around it."""
    inside = field.message_type
    if inside is None or inside.GetOptions().map_entry or inside.full_name in above:
        return False
    above |= {inside.full_name}
    return any(each.is_repeated or has_lists(each, above) for each in inside.fields)


def _skipped(payload: bytes, at: int, wire_type: int) -> tuple[int, int]:
    """Where the value that begins at `at` has its content, and where the next field begins."""
    if wire_type == SIZED:
        size, start = _varint(payload, at)
        return start, start + size
    if wire_type == VARINT:
        return at, _varint(payload, at)[1]
    if wire_type in _FIXED:
        return at, at + _FIXED[wire_type]
    raise unreadable()


def _varint(payload: bytes, at: int) -> tuple[int, int]:
    # Most take one byte, and this runs for each field.
    if at < len(payload) and (value := payload[at]) < 128:
        return value, at + 1
    value = 0
    for bits in range(0, LONGEST_VARINT_BITS, 7):
        if at >= len(payload):
            break
        byte = payload[at]
        at += 1
        value |= (byte & 127) << bits
        if byte < 128:
            return value, at
    raise unreadable()


def _too_many(most: int) -> Refusal:
    return invalid("INVALID_REQUEST", f"the request holds over {most} fields")


def unreadable() -> Refusal:
    """The request's bytes are none that its message can be read from."""
    return invalid("REQUEST_UNREADABLE", "the request is not a message of this call")
