"""Messages, enums and fields as JSON Schema 2020-12, by the JSON mapping of proto3.

https://protobuf.dev/programming-guides/json: names in lower camel case, 64-bit integers as strings, bytes in
base64, enums by name, times and durations as strings.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from buf.validate import validate_pb2
from services.console.gateway.openapi.asked_for import ASKED_FOR
from services.console.gateway.openapi.image import Contracts
from services.console.gateway.openapi.rules import Json, constraint, is_required, rules_of

_MESSAGE: Any = validate_pb2.message
_ONEOF: Any = validate_pb2.oneof
NOTHING: frozenset[str] = frozenset()
_INTEGER = {"type": "integer"}
_SIGNED_32 = {**_INTEGER, "format": "int32"}
_UNSIGNED_32 = {**_INTEGER, "format": "uint32", "minimum": 0, "maximum": 2**32 - 1}
_SIGNED_64 = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
_UNSIGNED_64 = {"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}
_SCALARS: dict[int, Json] = {
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_INT32: _SIGNED_32,
    FieldDescriptor.TYPE_SINT32: _SIGNED_32,
    FieldDescriptor.TYPE_SFIXED32: _SIGNED_32,
    FieldDescriptor.TYPE_UINT32: _UNSIGNED_32,
    FieldDescriptor.TYPE_FIXED32: _UNSIGNED_32,
    FieldDescriptor.TYPE_INT64: _SIGNED_64,
    FieldDescriptor.TYPE_SINT64: _SIGNED_64,
    FieldDescriptor.TYPE_SFIXED64: _SIGNED_64,
    FieldDescriptor.TYPE_UINT64: _UNSIGNED_64,
    FieldDescriptor.TYPE_FIXED64: _UNSIGNED_64,
    # Infinities and NaN are strings in JSON.
    FieldDescriptor.TYPE_DOUBLE: {"type": ["number", "string"], "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": ["number", "string"], "format": "float"},
}
WELL_KNOWN: dict[str, Json] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string"},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    },
}
"""Messages that have a form of their own in JSON."""


class Schemas:
    """Makes schemas, and remembers which messages and enums they name, to give them once all is said."""

    def __init__(self, contracts: Contracts) -> None:
        self._contracts = contracts
        self._named: dict[str, Descriptor | EnumDescriptor] = {}

    def components(self) -> dict[str, Json]:
        """The schemas of everything that was named so far, by full name; and of what these name in turn."""
        made: dict[str, Json] = {}
        while left := [each for name, each in self._named.items() if name not in made]:
            for each in left:
                made[each.full_name] = (
                    self.enum(each) if isinstance(each, EnumDescriptor) else self.message(each)
                )
        return dict(sorted(made.items()))

    def reference(self, named: Descriptor | EnumDescriptor) -> Json:
        """Points to the schema of a message or an enum."""
        self._named.setdefault(named.full_name, named)
        return {"$ref": f"#/components/schemas/{named.full_name}"}

    def enum(self, enum: EnumDescriptor) -> Json:
        """The names of an enum, each with its sentence."""
        lines = [f"- `{value.name}`: {self._value_comment(enum, value.name)}" for value in enum.values]
        names = [value.name for value in enum.values]
        description = "\n".join([self._contracts.comment(enum), "", *lines])
        return {"type": "string", "enum": names, "description": description}

    def message(self, message: Descriptor, without: frozenset[str] = NOTHING) -> Json:
        """A message as an object.

        `without` are paths of fields, as in the contract ("choice.subject_id"), that are told elsewhere; the
        messages on their way stand in place of their names.
        """
        fields = [each for each in message.fields if each.name not in without]
        required = [each.json_name for each in fields if is_required(each)]
        schema: Json = {
            "type": "object",
            "description": described(self._contracts.comment(message), _rules_in_words(message)),
            "properties": {each.json_name: self.field(each, below(each.name, without)) for each in fields},
        }
        if required:
            schema["required"] = required
        if choices := [_one_of(each) for each in real_oneofs(message) if not _names(each) & without]:
            schema["allOf"] = choices
        return schema

    def field(self, field: FieldDescriptor, without: frozenset[str] = NOTHING) -> Json:
        """The value of a field, with its sentence and its rules."""
        rules = rules_of(field)
        found = constraint(rules, field.enum_type)
        if is_map(field):
            assert field.message_type is not None
            values = self._single(field.message_type.fields_by_name["value"], NOTHING)
            schema: Json = {"type": "object", "additionalProperties": values}
        elif field.is_repeated:
            each = constraint(rules.repeated.items, field.enum_type)
            items = self._single(field, NOTHING) | each.keywords
            schema = {"type": "array", "items": items, **found.keywords}
            found.words += [f"each {words}" for words in each.words]
        else:
            schema = self._single(field, without) | found.keywords
        return schema | {"description": described(self._contracts.comment(field), found.words)}

    def _single(self, field: FieldDescriptor, without: frozenset[str]) -> Json:
        if field.enum_type is not None:
            return self.reference(field.enum_type)
        if field.message_type is None:
            return dict(_SCALARS[field.type])
        if field.message_type.full_name in WELL_KNOWN:
            return dict(WELL_KNOWN[field.message_type.full_name])
        return self.message(field.message_type, without) if without else self.reference(field.message_type)

    def _value_comment(self, enum: EnumDescriptor, name: str) -> str:
        scope = enum.full_name.rpartition(".")[0]
        return self._contracts.comment_of(f"{scope}.{name}")


def described(comment: str, words: Iterable[str]) -> str:
    """A comment, and rules in words after it, as a sentence each."""
    return " ".join([comment, *(f"{text[:1].upper()}{text[1:]}." for text in words)]).strip()


def is_map(field: FieldDescriptor) -> bool:
    """Whether it is a map, which descriptors have as a list of entries."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _rules_in_words(message: Descriptor) -> list[str]:
    """The rules of a message as a whole."""
    return [rule.message or rule.expression for rule in message.GetOptions().Extensions[_MESSAGE].cel]


def real_oneofs(message: Descriptor) -> Iterator[OneofDescriptor]:
    """Those that the contract has."""
    for oneof in message.oneofs:
        if not is_made_up(oneof):
            yield oneof


def is_made_up(oneof: OneofDescriptor) -> bool:
    """Whether protoc made it for an `optional` field; the names of these begin with "_", and no others do."""
    return oneof.name.startswith("_")


def _one_of(oneof: OneofDescriptor) -> Json:
    """At most one of its fields is there; exactly one where it is required."""
    each: list[Any] = [{"required": [field.json_name]} for field in oneof.fields]
    return {"oneOf": each if is_required_oneof(oneof) else [*each, {"not": {"anyOf": each}}]}


def is_required_oneof(oneof: OneofDescriptor) -> bool:
    """Whether a message with none of its fields is refused."""
    return bool(oneof.GetOptions().Extensions[_ONEOF].required) or oneof.full_name in ASKED_FOR


def _names(oneof: OneofDescriptor) -> frozenset[str]:
    return frozenset(field.name for field in oneof.fields)


def rivals(field: FieldDescriptor) -> frozenset[str]:
    """The names of the fields of its oneof, itself among them; none where it is in none."""
    oneof = field.containing_oneof
    return frozenset() if oneof is None or is_made_up(oneof) else _names(oneof)


def below(name: str, paths: frozenset[str]) -> frozenset[str]:
    """What is left of the paths that go through a field."""
    return frozenset(path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}."))
