"""What no database can hold is refused at the edge, in every request to licensing."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import protovalidate
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message_factory import GetMessageClass

from services.chassis.refusals import Refusal
from services.licensing.rpc.contracts import page_token, read_page_token

PACKAGE = "sluice.licensing.v1"
CONTRACTS = Path(__file__).resolve().parents[3] / "protos" / "python" / PACKAGE.replace(".", "/")
READ_BY_THE_PROGRAM = {
    "DecideRequest.request_id",
    "RequestReleaseRequest.request_id",
    "GetTokenRequest.api_key",
}
"""Their form is looked at before anything else."""
NEVER_STORED = {"Post.language", "PostColumns.languages", "RecallResolution.resolved_by"}


def requests() -> Iterator[Descriptor]:
    for path in sorted(CONTRACTS.glob("*_service_pb2.py")):
        for service in importlib.import_module(f"{PACKAGE}.{path.stem}").DESCRIPTOR.services_by_name.values():
            yield from (method.input_type for method in service.methods)


def texts(message: Descriptor, seen: set[str]) -> Iterator[tuple[Descriptor, FieldDescriptor]]:
    """The texts of a message and of what is in it; each message once."""
    if message.full_name in seen or not message.full_name.startswith(PACKAGE):
        return
    seen.add(message.full_name)
    for field in message.fields:
        if field.message_type is not None:
            yield from texts(field.message_type, seen)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield message, field


def may_hold_nul(message: Descriptor, field: FieldDescriptor) -> bool:
    text = "a\0b"
    sent = GetMessageClass(message)(**{field.name: [text] if field.is_repeated else text})
    faults = protovalidate.collect_violations(sent)
    return all(fault.field_value != text for fault in faults)


def test_no_text_that_is_stored_or_looked_up_may_hold_nul() -> None:
    seen: set[str] = set()
    found = {
        f"{message.name}.{field.name}"
        for request in requests()
        for message, field in texts(request, seen)
        if field.name != "page_token" and may_hold_nul(message, field)
    }

    assert found == READ_BY_THE_PROGRAM | NEVER_STORED


@pytest.mark.parametrize("id", ["a\0b", "\x7f", "a\n", "\N{LATIN SMALL LETTER U WITH DIAERESIS}"])
def test_a_token_of_what_is_no_id_is_refused(id: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        read_page_token(page_token(id))
