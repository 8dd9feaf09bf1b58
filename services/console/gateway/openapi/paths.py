"""Paths of google.api.http, and what of a request stands in them and in the query."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from services.console.gateway.openapi.rules import Json, is_required
from services.console.gateway.openapi.schemas import WELL_KNOWN, Schemas, below, rivals

_VARIABLE = re.compile(r"\{([^}=]+)\}")


@dataclass(frozen=True)
class Binding:
    """One way over HTTP to an RPC."""

    method: MethodDescriptor
    verb: str
    """As OpenAPI has it: get, post ..."""
    template: str
    """As the contract has it: /v1/subjects/{choice.subject_id}/choices."""
    has_body: bool
    """Whether what is not in the path is the body; else it is the query."""

    @property
    def bound(self) -> list[str]:
        """The paths of the fields that are in the path, as in the contract."""
        return _VARIABLE.findall(self.template)

    @property
    def path(self) -> str:
        """With the variables named as in JSON."""
        return _VARIABLE.sub(
            lambda found: f"{{{json_path(self.method.input_type, found[1])}}}", self.template
        )


@dataclass(frozen=True)
class Parameter:
    """A field of a request that is told in the path or in the query."""

    field: FieldDescriptor
    name: str
    """Its path as in JSON: choice.subjectId."""
    is_in_path: bool
    is_required: bool
    alternatives: tuple[str, ...]
    """The parameters of which one alone may be told, this one among them."""


def bindings_of(method: MethodDescriptor) -> list[Binding]:
    """All ways over HTTP to an RPC; none where its contract has none.

    Raises ValueError for what no contract here has: a part of a request as its body, patterns in variables.
    """
    rule: HttpRule = method.GetOptions().Extensions[annotations_pb2.http]
    if not rule.WhichOneof("pattern"):
        return []
    return [_binding(method, each) for each in (rule, *rule.additional_bindings)]


def _binding(method: MethodDescriptor, rule: HttpRule) -> Binding:
    verb = rule.WhichOneof("pattern")
    template = getattr(rule, verb)
    if rule.body not in {"", "*"} or "=" in template or verb == "custom":
        raise ValueError(f"{method.full_name}: no words for this path, {template}")
    return Binding(method, verb, template, has_body=rule.body == "*")


def json_path(message: Descriptor, path: str) -> str:
    """The path of a field with the names that it has in JSON."""
    names = []
    for name in path.split("."):
        field = message.fields_by_name[name]
        names.append(field.json_name)
        message = field.message_type or message
    return ".".join(names)


def parameters_of(binding: Binding) -> list[Parameter]:
    """The fields in the path, in its order, and then those in the query, in the order of the contract.

    Raises ValueError where a message of many, or a map, would have to be in the query.
    """
    message, bound = binding.method.input_type, frozenset(binding.bound)
    in_path = [
        Parameter(_field_at(message, path), json_path(message, path), True, True, ())
        for path in binding.bound
    ]
    return in_path if binding.has_body else [*in_path, *_in_query(message, bound, "", is_needed=True)]


def _in_query(
    message: Descriptor, bound: frozenset[str], prefix: str, *, is_needed: bool
) -> Iterator[Parameter]:
    for field in message.fields:
        name = prefix + field.json_name
        if bound & {field.name, *rivals(field)}:
            continue
        needed = is_needed and is_required(field)
        if field.message_type is None or field.message_type.full_name in WELL_KNOWN:
            told = tuple(prefix + each.json_name for each in message.fields if each.name in rivals(field))
            yield Parameter(field, name, False, needed, told)
        elif field.is_repeated:
            raise ValueError(f"{field.full_name} cannot be told in a query")
        else:
            yield from _in_query(field.message_type, below(field.name, bound), f"{name}.", is_needed=needed)


def _field_at(message: Descriptor, path: str) -> FieldDescriptor:
    *outer, last = path.split(".")
    for name in outer:
        within = message.fields_by_name[name].message_type
        assert within is not None, path
        message = within
    return message.fields_by_name[last]


def parameter_object(parameter: Parameter, schemas: Schemas) -> Json:
    """A parameter as OpenAPI has it."""
    schema = schemas.field(parameter.field)
    words = schema.pop("description")
    if parameter.alternatives:
        words = f"{words} One alone of {', '.join(f'`{name}`' for name in parameter.alternatives)}."
    shown: Json = {
        "name": parameter.name,
        "in": "path" if parameter.is_in_path else "query",
        "required": parameter.is_required,
        "description": words,
        "schema": schema,
    }
    # The default of OpenAPI, said: a list is its name again for each element.
    return shown | ({"style": "form", "explode": True} if parameter.field.is_repeated else {})
