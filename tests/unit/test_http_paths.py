"""What partners and users may call has a path over HTTP, written one way, that leads to it alone."""

import importlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, OneofDescriptor

from services.console.gateway.openapi.rules import is_required
from services.console.gateway.openapi.schemas import is_made_up, is_required_oneof
from sluice.type.v1 import admission_pb2 as said

GENERATED = Path(__file__).resolve().parents[2] / "protos" / "python"
ADMISSION: Any = said.admission
PARTNERS = {said.CALLER_KIND_LICENSEE, said.CALLER_KIND_SUBJECT, said.CALLER_KIND_AGENT}
WORD = r"[a-z]+([A-Z][a-z]+)*"
VARIABLE = r"\{[a-z_]+(\.[a-z_]+)*\}"
TEMPLATE = re.compile(rf"/v1(/({WORD}|{VARIABLE}))+(:{WORD})?")
"""Lower camel case, as in the names of JSON (AIP-122); one segment for each variable."""


MAY_BE_MISSED = {
    "sluice.consent.v1.Choice.method": "it is on record that nobody said how",
    "sluice.consent.v1.Choice.notice_digest": "an allow without it is refused, a deny needs none",
    "sluice.consent.v1.Choice.stated_at": "it is ignored",
    "sluice.consent.v1.RecordSignalsRequest.sec_gpc": "a request with neither this nor the next is refused",
    "sluice.consent.v1.RecordSignalsRequest.content_usage": "as above",
    "sluice.licensing.v1.Attestation.document_digest": "there need be no document",
    "sluice.licensing.v1.RecallResolution.resolved_at": "it is set in answers alone",
    "sluice.licensing.v1.RecallResolution.resolved_by": "it is set in answers alone",
}
"""What partners and users may leave out of a write, and why nothing bad comes of it."""


class Binding(NamedTuple):
    """One way over HTTP to an RPC."""

    method: MethodDescriptor
    verb: str
    template: str
    body: str


def methods() -> Iterator[MethodDescriptor]:
    for path in sorted((GENERATED / "sluice").rglob("*_pb2.py")):
        name = ".".join(path.relative_to(GENERATED).with_suffix("").parts)
        for service in importlib.import_module(name).DESCRIPTOR.services_by_name.values():
            yield from service.methods


def bindings() -> Iterator[Binding]:
    for method in methods():
        rule: HttpRule = method.GetOptions().Extensions[annotations_pb2.http]
        if verb := rule.WhichOneof("pattern"):
            for each in (rule, *rule.additional_bindings):
                verb = each.WhichOneof("pattern")
                yield Binding(method, verb, getattr(each, verb), each.body)


def field_at(message: Descriptor, path: str) -> FieldDescriptor | None:
    *outer, last = path.split(".")
    for name in outer:
        inner = message.fields_by_name[name].message_type
        assert inner is not None, path
        message = inner
    return message.fields_by_name.get(last)


def optional_fields(message: Descriptor) -> Iterator[str]:
    """Full names of the fields that no rule asks for, also those of the messages that are inside."""
    for field in message.fields:
        if not (
            is_required(field) or any(field in each.fields for each in message.oneofs if asked_for(each))
        ):
            yield field.full_name
        elif field.message_type is not None and not field.is_repeated:
            yield from optional_fields(field.message_type)


def asked_for(oneof: OneofDescriptor) -> bool:
    return not is_made_up(oneof) and is_required_oneof(oneof)


def meet(one: str, other: str) -> bool:
    """Whether some path is of both templates."""
    (here, _, verb), (there, _, other_verb) = one.partition(":"), other.partition(":")
    pairs = itertools.zip_longest(here.split("/"), there.split("/"), fillvalue="")
    return verb == other_verb and all(
        left == right or (left and right and "{" in left + right) for left, right in pairs
    )


def test_what_partners_and_users_may_call_can_be_called_over_http() -> None:
    reached = {binding.method.full_name for binding in bindings()}
    for method in methods():
        admitted: said.Admission = method.GetOptions().Extensions[ADMISSION]
        if (PARTNERS & set(admitted.kinds) or admitted.anyone) and not method.client_streaming:
            assert method.full_name in reached


def test_every_path_is_written_one_way() -> None:
    assert [each.template for each in bindings() if not TEMPLATE.fullmatch(each.template)] == []


def test_no_two_paths_can_be_taken_for_one_another() -> None:
    everything = list(bindings())

    for one, other in itertools.combinations(everything, 2):
        assert one.verb != other.verb or not meet(one.template, other.template), (one, other)
    assert len(everything) >= 38


def test_reads_are_gets_without_a_body_and_all_else_are_posts_with_one() -> None:
    for binding in bindings():
        assert (binding.verb, binding.body) in {("get", ""), ("post", "*")}, binding


def test_the_variables_of_a_path_are_single_values_of_the_request() -> None:
    for binding in bindings():
        for path in re.findall(r"\{([^}]+)\}", binding.template):
            field = field_at(binding.method.input_type, path)
            assert field is not None, binding
            assert field.message_type is None, binding
            assert not field.is_repeated, binding


def test_a_name_that_is_misspelt_in_json_is_noticed_where_it_matters() -> None:
    # The gateway drops what a message does not have, without an error: what must not be missed is required.
    for binding in bindings():
        admitted: said.Admission = binding.method.GetOptions().Extensions[ADMISSION]
        if binding.body and (admitted.anyone or PARTNERS & set(admitted.kinds)):
            assert set(optional_fields(binding.method.input_type)) <= set(MAY_BE_MISSED), binding


def test_nothing_is_said_of_fields_that_are_not_there_or_are_required() -> None:
    optional = {
        name for binding in bindings() if binding.body for name in optional_fields(binding.method.input_type)
    }

    assert set(MAY_BE_MISSED) <= optional


def test_paths_meet_where_a_variable_can_be_the_others_word() -> None:
    assert meet("/v1/usage/{name}", "/v1/usage/peaks")
    assert not meet("/v1/usage/{name}:watch", "/v1/usage/{name}")
    assert not meet("/v1/usage", "/v1/usage/{name}")
    assert not meet("/v1/usage/{name}", "/v1/recalls/{name}")
