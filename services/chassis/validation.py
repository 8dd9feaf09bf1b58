"""What a caller sent, read at the edge before the handler: parsed, small enough, and as its contract rules.

Parsing and protovalidate hold the interpreter's lock from beginning to end, so a thread would not keep the
event loop going: what they may be given to do is bounded instead.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import protovalidate
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

from services.chassis.refusals import FieldViolation, Kind, Refusal, invalid
from services.chassis.wire import check_fields, has_lists, unreadable

LONGEST_LIST = 16_384
"""Elements of one list. The contracts stop at 10,000; what is a little over gets an exacter refusal there."""
MOST_FIELDS = 2 * LONGEST_LIST
"""Fields that are looked at one by one before a message is parsed; 10,000 elements take 5 ms."""
MOST_ELEMENTS = 131_072
"""Elements of all lists of a message: 10,000 posts with 100,000 embeds in all take 0.1 s to check."""


def read_message(payload: bytes, parse: Callable[[bytes], Message] | None) -> Any:
    """The message that `payload` holds, known to keep the rules of its contract; the bytes without `parse`.

    Raises Refusal (invalid): REQUEST_UNREADABLE, or INVALID_REQUEST with the fields at fault, of a long
    message only the first.
    """
    if parse is None:
        return payload
    # An element takes a byte at least, so short messages need no counting.
    is_long = len(payload) > LONGEST_LIST
    if is_long:
        check_fields(payload, parse(b""), MOST_FIELDS)
    try:
        message = parse(payload)
    except DecodeError as error:
        raise unreadable() from error
    if is_long:
        check_lengths(message)
    check_message(message, first_only=is_long)
    return message


def check_lengths(message: Message) -> None:
    """Raises Refusal (invalid, INVALID_REQUEST) if any list, or all together, would take too long to check.

    protovalidate reads every element of a list even if the list is longer than its rule allows.
    """
    if _elements(message, "") > MOST_ELEMENTS:
        raise invalid("INVALID_REQUEST", f"the request's lists hold over {MOST_ELEMENTS} elements together")


def check_message(message: object, *, first_only: bool = False) -> None:
    """Raises Refusal (invalid, INVALID_REQUEST) with the fields that break a rule of their contract.

    `first_only` stops at the first: each that is found takes as long as a hundred that are in order.
    """
    if not isinstance(message, Message):
        return
    violations = protovalidate.collect_violations(message, fail_fast=first_only)
    if violations:
        raise Refusal(
            Kind.INVALID,
            "INVALID_REQUEST",
            "the request breaks a rule of its contract",
            violations=[_field_violation(violation.proto) for violation in violations],
        )


def _field_violation(violation: Any) -> FieldViolation:
    elements = violation.field.elements if violation.field is not None else ()
    path = ".".join(_path_element(element) for element in elements)
    return FieldViolation(path, violation.message or violation.rule_id)


def _path_element(element: Any) -> str:
    name = str(element.field_name)
    return name if element.subscript is None else f"{name}[{element.subscript.value}]"


class _Lists(NamedTuple):
    """A field that is a list, or a message that has lists inside."""

    name: str
    repeated: bool
    has_lists_inside: bool


def _elements(message: Message, path: str) -> int:
    elements = 0
    for name, repeated, has_lists_inside in _lists_of(message.DESCRIPTOR):
        if repeated:
            values = getattr(message, name)
            if len(values) > LONGEST_LIST:
                raise _too_long(path + name)
            elements += len(values)
            if has_lists_inside:
                elements += sum(_elements(value, f"{path}{name}[].") for value in values)
        elif message.HasField(name):
            elements += _elements(getattr(message, name), f"{path}{name}.")
    return elements


@functools.cache
def _lists_of(descriptor: Descriptor) -> tuple[_Lists, ...]:
    fields = [_Lists(field.name, field.is_repeated, has_lists(field)) for field in descriptor.fields]
    return tuple(field for field in fields if field.repeated or field.has_lists_inside)


def _too_long(path: str) -> Refusal:
    return invalid("INVALID_REQUEST", f"a list holds over {LONGEST_LIST} elements", field=path)
