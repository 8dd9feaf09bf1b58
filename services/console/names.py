"""The words people use for enum values: lower case, without the enum's prefix (`ai_training_generative`).

The value `..._UNSPECIFIED` has no word: nobody can ask for it by name.
"""

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.console.moments import written


@functools.cache
def words(enum: EnumDescriptor) -> Mapping[str, int]:
    """The enum's words and their numbers, in the order of the contract."""
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values if value.number}


def number_of(enum: EnumDescriptor, word: str) -> int:
    """The number of a word; raises ValueError, with the nearest word or all of them, when there is none."""
    known = words(enum)
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word.lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise ValueError(f"{word!r} is not known here; {hint}")


def value_name(enum: EnumDescriptor, word: str) -> str:
    """The full name of a word's value, as constructors of messages take it; raises ValueError."""
    return enum.values_by_number[number_of(enum, word)].name


def word_of(enum: EnumDescriptor, number: int) -> str:
    """The word of a number; the number itself where it has none."""
    return next((word for word, known in words(enum).items() if known == number), str(number))


def plain(message: Message) -> dict[str, Any]:
    """A message as JSON values: enum words, digests in hex, times in RFC 3339; what is unset is left out."""
    return dict(_plain_fields(message))


def complete(message: Message) -> dict[str, Any]:
    """As `plain`, and with what is 0, false or empty: only messages and enum values are left out if unset."""
    found: dict[str, Any] = {}
    for field in cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields):
        value = getattr(message, field.name)
        if field.is_repeated and field.message_type is not None:
            found[field.name] = [_complete_value(field, element) for element in value]
        elif field.is_repeated:
            found[field.name] = _plain_repeated(field, value)
        elif message.HasField(field.name) if field.has_presence else field.enum_type is None or value:
            found[field.name] = _complete_value(field, value)
    return found


def _complete_value(field: FieldDescriptor, value: Any) -> Any:
    is_fields = isinstance(value, Message) and not isinstance(value, Timestamp)
    return complete(value) if is_fields else _plain_value(field, value)


def _plain_fields(message: Message) -> Iterator[tuple[str, Any]]:
    for field, value in message.ListFields():
        if field.is_repeated:
            yield field.name, _plain_repeated(field, value)
        else:
            yield field.name, _plain_value(field, value)


def _plain_repeated(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain_value(field, element) for element in value]


def _plain_value(field: FieldDescriptor, value: Any) -> Any:
    if field.enum_type is not None:
        return word_of(field.enum_type, value)
    if isinstance(value, Timestamp):
        return written(value)
    if isinstance(value, Message):
        return plain(value)
    if isinstance(value, bytes):
        return value.hex()
    return value
