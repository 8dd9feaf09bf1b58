"""Requests and answers that could be: valid JSON of their messages, and requests keep their contract's rules.

Those of partners are written by hand (`partner_examples`, `partner_papers`). All others are put together: a
value is found by the name of its field, else by its type and pattern. Raises ValueError where none fits: then
the name needs a line in `VALUES`.
"""

import base64
import copy
import re
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor

from services.console.gateway.openapi.partner_examples import EXCHANGES, Exchange
from services.console.gateway.openapi.partner_papers import PAPERS
from services.console.gateway.openapi.paths import Binding, parameters_of
from services.console.gateway.openapi.rules import Json, constraint, is_required, rules_of
from services.console.gateway.openapi.schemas import (
    below,
    is_map,
    is_required_oneof,
    real_oneofs,
    rivals,
)

UUID = "6f2c9a1e-4b7d-4c3a-9e58-0d1b2c3d4e5f"
UUID7 = "01a217ba-1200-7000-8000-000000000001"
AT = "2026-11-26T12:00:00Z"
VALUES: dict[str, Any] = {
    "affiliate_id": "acme-labs",
    "alg": "EdDSA",
    "api_key": "sluice_live_0123456789abcdef_c2VjcmV0IG9mIDMyIGJ5dGVzIGFzIGFuIGV4YW1wbGU",
    "crv": "Ed25519",
    "currency_code": "USD",
    "display_name": "Acme Models",
    "group_id": "acme-group",
    "kty": "OKP",
    "label": "nightly",
    "license_id": "acme-training",
    "licensee_id": "acme",
    "licensee_name": "Acme Models",
    "media_type": "application/json",
    "name": "Ada Example",
    "page_size": 100,
    "party": "acme",
    "party_id": "acme",
    "post_ids": "1857123456789012480",
    "purpose": "PURPOSE_AI_TRAINING_GENERATIVE",
    "request_id": UUID7,
    "role": "data steward",
    "sec_gpc": "1",
    "source": "browser",
    "stance": "STANCE_DENY",
    "statement": "All copies were deleted.",
    "subject_id": "1001",
    "time_zone": "UTC",
    "url": "https://hooks.acme.example/sluice",
    "use": "sig",
}
"""By the name of the field in the contract."""
CANDIDATES = (
    "text",
    "acme",
    "en",
    "DE",
    "2026-11",
    "1",
    "USD",
    "INV-000001",
    "CN-000001",
    "0123456789abcdef",
    UUID,
)
"""Texts for all other fields: the first that their pattern allows."""
SHOWN = {"page_size", "post_ids", "purpose", "request_id", "sec_gpc"}
"""Fields that a request shows though no rule asks for them: some are asked for by the service itself."""
_WRITTEN = {**EXCHANGES, **PAPERS}
_INTEGERS = {
    *(FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32),
    *(FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32),
}
_REALS = {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}
_FORMS: dict[str, Any] = {
    "google.protobuf.Timestamp": AT,
    "google.protobuf.Duration": "30s",
    "google.protobuf.FieldMask": "name",
    "google.protobuf.Struct": {},
    "google.protobuf.Any": {"@type": "type.googleapis.com/google.protobuf.Duration", "value": "30s"},
}


def body_example(binding: Binding) -> Json:
    """The body of a request: what must be told and is not in the path, and what is shown besides."""
    if (written := exchange_of(binding.method)) is not None:
        return copy.deepcopy(written.body)
    return _needed(binding.method.input_type, frozenset(binding.bound))


def parameter_examples(binding: Binding) -> dict[str, Any]:
    """The values in path and query, by name: those that must be told, and what is shown besides."""
    told: dict[str, Any] = {}
    if (written := exchange_of(binding.method)) is not None:
        names = [each.name for each in parameters_of(binding)]
        return {name: written.parameters[name] for name in names if name in written.parameters}
    for each in parameters_of(binding):
        alone = each.alternatives and each.name == each.alternatives[0] and _is_needed(each.field)
        if each.is_required or alone or _is_shown(each.field):
            told[each.name] = _value(each.field, ())
    return told


def whole_request(binding: Binding) -> Json:
    """What the service gets: body and parameters together, as JSON of the request."""
    request = body_example(binding) if binding.has_body else {}
    for name, value in parameter_examples(binding).items():
        *outer, last = name.split(".")
        within = request
        for part in outer:
            within = within.setdefault(part, {})
        within[last] = value
    return request


def answer_example(method: MethodDescriptor) -> Json:
    """An answer as it is written for partners; else all of its fields, with one element in each list."""
    written = exchange_of(method)
    return _all(method.output_type, ()) if written is None else written.answer


def exchange_of(method: MethodDescriptor) -> Exchange | None:
    """What is written by hand for an RPC, if anything is."""
    return _WRITTEN.get(f"{method.containing_service.name}/{method.name}")


def _needed(message: Descriptor, without: frozenset[str]) -> Json:
    told: Json = {}
    for field in message.fields:
        if without & {field.name, *rivals(field)}:
            continue
        if is_required(field) or _is_first_needed(field) or _is_shown(field):
            plain = _plain(field)
            told[field.json_name] = (
                _value(field, ()) if plain is None else _needed(plain, below(field.name, without))
            )
    return told


def _is_shown(field: FieldDescriptor) -> bool:
    """Whether it is shown though it need not be; one of a oneof would stand in the way of another."""
    return field.name in SHOWN and not rivals(field)


def _is_first_needed(field: FieldDescriptor) -> bool:
    oneof = field.containing_oneof
    return oneof is not None and oneof.fields[0] == field and is_required_oneof(oneof)


def _is_needed(field: FieldDescriptor) -> bool:
    return field.containing_oneof is not None and is_required_oneof(field.containing_oneof)


def _plain(field: FieldDescriptor) -> Descriptor | None:
    """The message of a field that is one message, without a form of its own."""
    message = field.message_type
    return None if message is None or field.is_repeated or message.full_name in _FORMS else message


def _all(message: Descriptor, above: tuple[str, ...]) -> Json:
    told: Json = {}
    later = {field.name for oneof in real_oneofs(message) for field in oneof.fields[1:]}
    for field in message.fields:
        inside = field.message_type
        if field.name in later or (inside is not None and inside.full_name in (*above, message.full_name)):
            continue
        told[field.json_name] = _value(field, (*above, message.full_name))
    return told


def _value(field: FieldDescriptor, above: tuple[str, ...]) -> Any:
    if is_map(field):
        return {}
    single = _single(field, above)
    return [single] if field.is_repeated else single


def _single(field: FieldDescriptor, above: tuple[str, ...]) -> Any:
    if field.message_type is not None:
        form = _FORMS.get(field.message_type.full_name)
        return _all(field.message_type, above) if form is None else form
    rules = rules_of(field)
    rules = rules.repeated.items if field.is_repeated else rules
    keywords = constraint(rules, field.enum_type).keywords
    if field.enum_type is not None:
        return _enum(field.enum_type, VALUES.get(field.name), keywords)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _text(field, keywords)
    return VALUES.get(field.name, _of_type(field, keywords, rules.bytes.len))


def _enum(enum: EnumDescriptor, value: Any, keywords: Json) -> str:
    if value in enum.values_by_name:
        return str(value)
    names: list[str] = keywords.get("enum") or [each.name for each in enum.values if each.number != 0]
    return names[0]


def _text(field: FieldDescriptor, keywords: Json) -> str:
    is_id = keywords.get("format") == "uuid" or field.name.endswith("_id")
    named = VALUES.get(field.name, UUID if is_id else CANDIDATES[0])
    for value in (named, *CANDIDATES):
        if re.search(keywords.get("pattern", ""), value):
            return str(value)
    raise ValueError(f"{field.full_name} needs an example that keeps {keywords['pattern']}")


def _of_type(field: FieldDescriptor, keywords: Json, length: int) -> Any:
    if field.type == FieldDescriptor.TYPE_BOOL:
        return keywords.get("const", False)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(bytes(length or 4)).decode()
    return 1 if field.type in _INTEGERS | _REALS else "1"
