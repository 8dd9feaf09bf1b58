"""Rules of protovalidate as keywords of JSON Schema, in words where there is no keyword, and as "required".

A field is required where its absence is refused: it says so, or its type knows no absence (proto3) and its
default breaks a rule. Raises ValueError for a rule that has no line here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from buf.validate import validate_pb2
from services.console.gateway.openapi.asked_for import ASKED_FOR

Json = dict[str, Any]
_COMPARED: dict[str, tuple[str, str, Callable[[int, int], bool]]] = {
    "gt": ("exclusiveMinimum", "more than", lambda value, limit: value > limit),
    "gte": ("minimum", "at least", lambda value, limit: value >= limit),
    "lt": ("exclusiveMaximum", "less than", lambda value, limit: value < limit),
    "lte": ("maximum", "at most", lambda value, limit: value <= limit),
}
"""Keyword, words, and what is meant."""
_FIELD: Any = validate_pb2.field
_LARGE = {"int64", "uint64", "sint64", "fixed64", "sfixed64"}
"""Numbers that are strings in JSON, for which keywords of numbers mean nothing."""
_SMALL = {"int32", "uint32", "sint32", "fixed32", "sfixed32"}


@dataclass
class Constraint:
    """What rules say of a value."""

    keywords: Json = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    """For people, where no keyword says it."""
    default_breaks: bool = False
    """Whether 0, the empty string, an empty list and so on break a rule."""


def rules_of(described: FieldDescriptor) -> validate_pb2.FieldRules:
    """The rules of a field; of one that is never checked, none."""
    rules: validate_pb2.FieldRules = described.GetOptions().Extensions[_FIELD]
    return validate_pb2.FieldRules() if rules.ignore == validate_pb2.IGNORE_ALWAYS else rules


def is_required(described: FieldDescriptor) -> bool:
    """Whether a message without the field is refused."""
    if described.full_name in ASKED_FOR:
        return True
    rules = rules_of(described)
    may_be_zero = described.has_presence or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE
    return rules.required or (not may_be_zero and constraint(rules, described.enum_type).default_breaks)


def constraint(rules: validate_pb2.FieldRules, enum: EnumDescriptor | None = None) -> Constraint:
    """What the rules of a field, or of the elements of a list, say; `enum` is that of the values, if any."""
    found = Constraint(words=[rule.message or rule.expression for rule in rules.cel])
    kind = rules.WhichOneof("type")
    if kind is None:
        return found
    for rule, value in getattr(rules, kind).ListFields():
        if kind in _SMALL | _LARGE and rule.name in _COMPARED:
            _compare(found, rule.name, value, is_large=kind in _LARGE)
        elif kind in {"duration", "timestamp"} and rule.name in _COMPARED:
            found.words.append(f"{_COMPARED[rule.name][1]} {value.ToJsonString()}")
        elif kind == "enum" and enum is not None:
            _choose(found, rule.name, value, enum)
        elif (kind, rule.name) in _RULES:
            _RULES[kind, rule.name](found, value)
        else:
            raise ValueError(f"the rule {kind}.{rule.name} has no words")
    return found


def _compare(found: Constraint, name: str, limit: int, *, is_large: bool) -> None:
    keyword, words, holds = _COMPARED[name]
    if is_large:
        found.words.append(f"{words} {limit}")
    else:
        found.keywords[keyword] = limit
    found.default_breaks |= not holds(0, limit)


def _choose(found: Constraint, name: str, value: Any, enum: EnumDescriptor) -> None:
    if name == "defined_only":
        return
    names = [enum.values_by_number[number].name for number in value]
    if name == "in":
        found.keywords["enum"] = names
        found.default_breaks |= 0 not in value
    elif name == "not_in":
        found.keywords["not"] = {"enum": names}
        found.default_breaks |= 0 in value
    else:
        raise ValueError(f"the rule enum.{name} has no words")


def _keyword(name: str) -> Callable[[Constraint, Any], None]:
    def put(found: Constraint, value: Any) -> None:
        found.keywords[name] = value

    return put


def _at_least(name: str) -> Callable[[Constraint, int], None]:
    def put(found: Constraint, value: int) -> None:
        found.keywords[name] = value
        found.default_breaks |= value > 0

    return put


def _words(text: str) -> Callable[[Constraint, int], None]:
    return lambda found, value: found.words.append(text.format(f"{value:,}"))


def _pattern(found: Constraint, value: str) -> None:
    found.keywords["pattern"] = value
    found.default_breaks |= re.search(value, "") is None


def _uuid(found: Constraint, value: bool) -> None:
    found.keywords["format"] = "uuid"
    found.default_breaks |= value


def _not_in(found: Constraint, value: Any) -> None:
    found.keywords["not"] = {"enum": list(value)}


def _bool(found: Constraint, value: bool) -> None:
    found.keywords["const"] = value
    found.default_breaks |= value


def _bytes(found: Constraint, value: int) -> None:
    found.words.append(f"{value:,} bytes")
    found.default_breaks |= value > 0


_RULES: dict[tuple[str, str], Callable[[Constraint, Any], None]] = {
    ("string", "uuid"): _uuid,
    ("string", "pattern"): _pattern,
    ("string", "min_len"): _at_least("minLength"),
    ("string", "max_len"): _keyword("maxLength"),
    ("string", "max_bytes"): _words("at most {} bytes in UTF-8"),
    ("string", "not_in"): _not_in,
    ("bytes", "len"): _bytes,
    ("bytes", "max_len"): _words("at most {} bytes"),
    ("bool", "const"): _bool,
    ("repeated", "min_items"): _at_least("minItems"),
    ("repeated", "max_items"): _keyword("maxItems"),
    ("repeated", "unique"): _keyword("uniqueItems"),
    # What the elements keep stands with them.
    ("repeated", "items"): lambda found, value: None,
}
