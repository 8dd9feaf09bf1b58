"""The document says of every RPC that is open outside what its contract says, and what it shows is true."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import protovalidate
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from openapi_spec_validator import validate

from services.consent.rpc.admissions import ADMISSIONS as OF_CONSENT
from services.console.gateway.openapi.document import openapi
from services.console.gateway.openapi.examples import whole_request
from services.console.gateway.openapi.image import Contracts
from services.console.gateway.openapi.page import page
from services.console.gateway.openapi.paths import Binding, bindings_of
from services.licensing.rpc.admissions import ADMISSIONS as OF_LICENSING
from services.metering.rpc.admissions import ADMISSIONS as OF_METERING
from tests.support.contract_images import the_contracts

COMMITTED = Path(__file__).resolve().parents[4] / "deploy" / "envoy"
OUTSIDE = {"licensee", "subject", "agent", "operator", "auditor"}


class Shown(NamedTuple):
    """An operation and what it is of."""

    verb: str
    path: str
    operation: dict[str, Any]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi(the_contracts())


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts(the_contracts())


def shown(document: dict[str, Any]) -> Iterator[Shown]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield Shown(verb, path, operation)


def of(document: dict[str, Any], operation_id: str) -> Shown:
    return next(each for each in shown(document) if each.operation["operationId"] == operation_id)


def bindings(contracts: Contracts) -> dict[tuple[str, str], Binding]:
    found = [binding for method in contracts.methods("sluice.") for binding in bindings_of(method)]
    return {(binding.verb, binding.path): binding for binding in found}


def a_message(described: Descriptor) -> Message:
    """An empty message of the generated code, whose rules protovalidate reads."""
    module = importlib.import_module(described.file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
    message: Message = getattr(module, described.name)()
    return message


def test_it_is_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_what_is_committed_is_what_the_contracts_make(document: dict[str, Any]) -> None:
    written = (COMMITTED / "openapi.json").read_text(encoding="utf-8")

    assert written == json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    assert (COMMITTED / "docs.html").read_text(encoding="utf-8") == page(document) + "\n"


def test_every_path_of_what_is_open_outside_is_there_and_no_other(
    document: dict[str, Any], contracts: Contracts
) -> None:
    tables = {**OF_CONSENT, **OF_METERING, **OF_LICENSING}
    for method in contracts.methods("sluice."):
        for binding in bindings_of(method):
            admitted = tables[f"/{method.containing_service.full_name}/{method.name}"]
            is_open = admitted.anyone or {kind.value for kind in admitted.kinds} & OUTSIDE
            assert (binding.verb in document["paths"].get(binding.path, {})) == bool(is_open)
    assert len(document["paths"]) >= 38


def test_no_two_operations_share_an_id(document: dict[str, Any]) -> None:
    ids = [each.operation["operationId"] for each in shown(document)]

    assert len(ids) == len(set(ids))


def test_it_says_whom_an_operation_admits(document: dict[str, Any]) -> None:
    choice = of(document, "ConsentService_RecordChoice").operation

    assert choice["x-sluice-callers"] == {
        "kinds": ["subject", "agent", "operator"],
        "roles": ["trust", "admin"],
        "sandbox": [],
        "anyone": False,
    }
    assert choice["description"].endswith(
        "For subjects, agents and operators (with the role trust or admin)."
    )
    assert choice["tags"] == ["ConsentService", "for subjects", "for agents", "for operators"]


def test_what_anyone_may_call_asks_for_no_token(document: dict[str, Any]) -> None:
    open_to_all = {
        each.operation["operationId"] for each in shown(document) if each.operation.get("security") == []
    }

    assert open_to_all == {"TokenService_GetToken", "TokenService_GetJwks"}
    assert "401" not in of(document, "TokenService_GetToken").operation["responses"]


def test_pipelines_and_services_are_named_to_nobody_outside(document: dict[str, Any]) -> None:
    for each in shown(document):
        assert set(each.operation["x-sluice-callers"]["kinds"]) <= OUTSIDE
    assert "/v1/licenses/{licenseId}/decisions" not in document["paths"]


def test_an_operation_names_its_own_reasons_and_those_of_its_service(document: dict[str, Any]) -> None:
    reasons = of(document, "DeliveryService_CountersignDelivery").operation["x-sluice-reasons"]

    assert reasons["own"] == ["DECISION_UNKNOWN", "COUNTERSIGNED_OTHERWISE"]
    assert {"INVALID_REQUEST", "TOKEN_MISSING", "COMMIT_UNKNOWN", "INTERNAL"} <= set(reasons["general"])
    assert "TOO_MANY_STREAMS" not in reasons["general"]


def test_every_request_shown_is_one_that_its_contract_takes(
    document: dict[str, Any], contracts: Contracts
) -> None:
    ways = bindings(contracts)
    for each in shown(document):
        binding = ways[each.verb, each.path]
        message = a_message(binding.method.input_type)

        json_format.ParseDict(whole_request(binding), message)

        protovalidate.validate(message)


def test_every_body_shown_fits_the_schema_beside_it(document: dict[str, Any]) -> None:
    for each in shown(document):
        if body := each.operation.get("requestBody"):
            content = body["content"]["application/json"]
            schema = {"components": document["components"], **content["schema"]}
            jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_every_answer_shown_is_json_of_its_message_and_fits_its_schema(
    document: dict[str, Any], contracts: Contracts
) -> None:
    ways = bindings(contracts)
    for each in shown(document):
        content = each.operation["responses"]["200"]["content"]["application/json"]
        message = a_message(ways[each.verb, each.path].method.output_type)

        json_format.ParseDict(content["example"], message)

        schema = {"components": document["components"], **content["schema"]}
        jsonschema.Draft202012Validator(schema).validate(content["example"])


def test_the_variables_of_a_path_are_its_parameters(document: dict[str, Any]) -> None:
    for each in shown(document):
        in_path = [one["name"] for one in each.operation["parameters"] if one["in"] == "path"]
        assert in_path == re.findall(r"\{([^}]+)\}", each.path)
        assert all("example" in one for one in each.operation["parameters"] if one["in"] == "path")
