"""What the document says of refusals is what the code does: reasons, their statuses, what must be told."""

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.chassis import statuses
from services.chassis.ids import check_request_id
from services.chassis.refusals import Kind, Refusal
from services.console.gateway.failures import BY_STATUS, NOT_CHECKED, NOT_COUNTED, OTHER, TOKEN_INVALID
from services.console.gateway.openapi.asked_for import ASKED_FOR
from services.console.gateway.openapi.document import openapi
from services.console.gateway.openapi.page import page
from services.console.gateway.openapi.reasons import own_reasons
from services.console.gateway.openapi.statuses import STATUSES, status_of
from services.licensing.domain.api_keys import holder_of
from services.licensing.domain.asking import PostIds
from services.licensing.rpc.batches import batch_of
from sluice.licensing.v1.explanation_service_pb2 import ExplainReleaseRequest
from sluice.licensing.v1.post_pb2 import Post, PostList
from tests.support.clock import NOON_US
from tests.support.contract_images import the_contracts

ROOT = Path(__file__).resolve().parents[4]
MAKERS = {
    "invalid": Kind.INVALID,
    "not_found": Kind.NOT_FOUND,
    "already_exists": Kind.ALREADY_EXISTS,
    "precondition": Kind.PRECONDITION,
    "forbidden": Kind.FORBIDDEN,
    "unauthenticated": Kind.UNAUTHENTICATED,
    "exhausted": Kind.EXHAUSTED,
    "unavailable": Kind.UNAVAILABLE,
}
AS_HTTP = {
    "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "INTERNAL": 500,
    "UNAVAILABLE": 503,
}  # fmt: skip
"""As google/rpc/code.proto has it, and Envoy makes it."""
WITH_THEIR_KIND_ELSEWHERE = {"REQUEST_ID_IN_FUTURE", "REQUEST_ID_TOO_OLD"}
ACME = "acme-training"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi(the_contracts())


def operation(document: dict[str, Any], path: str, verb: str = "post") -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][path][verb]
    return found


def raised() -> dict[str, set[int]]:
    """Every reason that the code of the services gives a kind in one call, with the statuses of its kinds."""
    found: dict[str, set[int]] = {}
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (kind := _kind(node)) is not None:
                for each in node.args:
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        status = AS_HTTP[statuses.code_of(kind).name]
                        found.setdefault(each.value, set()).add(status)
    return found


def _kind(call: ast.Call) -> Kind | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Attribute) and getattr(first.value, "id", "") == "Kind":
        return Kind[first.attr]
    return MAKERS.get(getattr(call.func, "id", ""))


def test_each_status_is_that_of_a_refusal_which_the_code_raises_for_this_reason() -> None:
    found = raised()

    for reason, status in STATUSES.items():
        if reason not in WITH_THEIR_KIND_ELSEWHERE:
            assert status in found[reason], reason


@pytest.mark.parametrize("began", ["01a217ba-1200", "00000000-1200"])
def test_an_id_of_another_time_is_refused_as_it_is_said(began: str) -> None:
    with pytest.raises(Refusal) as refused:
        check_request_id(f"{began}-7000-8000-000000000001", NOON_US)

    assert refused.value.reason in WITH_THEIR_KIND_ELSEWHERE
    assert AS_HTTP[statuses.code_of(refused.value.kind).name] == status_of(refused.value.reason)


def test_every_reason_in_the_document_has_its_status_and_none_has_one_for_nothing(
    document: dict[str, Any],
) -> None:
    named: set[str] = set()
    for verbs in document["paths"].values():
        for each in verbs.values():
            said = each["x-sluice-reasons"]
            assert said["statuses"].keys() == {*said["own"], *said["general"]}
            named |= said["statuses"].keys()

    assert named == STATUSES.keys()
    with pytest.raises(ValueError, match="NEVER_HEARD_OF"):
        status_of("NEVER_HEARD_OF")


def test_the_request_of_a_partner_names_every_reason_itself(document: dict[str, Any]) -> None:
    own = operation(document, "/v1/licenses/{licenseId}/releases")["x-sluice-reasons"]["own"]

    assert {"EMPTY_BATCH", "PURPOSE_UNSPECIFIED", "REQUEST_ID_REUSED", "PEER_UNAVAILABLE"} <= set(own)
    assert {"PROBES_EXHAUSTED", "DIRECTORY_MISSING", "LICENSE_UNKNOWN", "DECISION_CONTENDED"} <= set(own)
    assert "RESOURCE_EXHAUSTED" not in own


@pytest.mark.parametrize("said", ["Reasons: as Decide, and NO_MORE.", "Reasons: those of Decide."])
def test_reasons_that_stand_with_another_rpc_stop_the_generator(said: str) -> None:
    with pytest.raises(ValueError, match="stand elsewhere"):
        own_reasons(f"Asks. {said}")


def test_what_the_gateway_answers_itself_is_in_document_and_page_as_its_table_has_it(
    document: dict[str, Any],
) -> None:
    table = (ROOT / "docs" / "gateway.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| (\d{3}) \| [A-Z_]+ \| (GATEWAY_\w+) \|", table, re.MULTILINE))
    own = {(str(each["status"]), each["reason"]) for each in document["x-sluice-gateway-reasons"]}
    all_of_them = (*BY_STATUS, OTHER, NOT_CHECKED, NOT_COUNTED)
    made = {(str(each.http), each.reason) for each in all_of_them if each != TOKEN_INVALID}

    assert own == made == documented
    text = page(document)
    for _, reason in own:
        assert f"<code>{reason}</code>" in text
        assert reason in document["components"]["responses"]["OfTheGateway"]["description"]
    for verbs in document["paths"].values():
        for each in verbs.values():
            assert each["responses"]["default"] == {"$ref": "#/components/responses/OfTheGateway"}


WITHOUT: dict[str, Callable[[], object]] = {
    "GetTokenRequest.api_key": lambda: holder_of("", None, NOON_US),
    "RequestReleaseRequest.request_id": lambda: check_request_id("", NOON_US),
    "RequestReleaseRequest.purpose": lambda: PostIds.of(ACME, 0, [1]),
    "RequestReleaseRequest.post_ids": lambda: PostIds.of(ACME, 2, []),
    "ExplainReleaseRequest.purpose": lambda: batch_of(
        ExplainReleaseRequest(license_id=ACME, posts=PostList(posts=[Post(id=1)]))
    ),
    "ExplainReleaseRequest.batch": lambda: batch_of(ExplainReleaseRequest(license_id=ACME, purpose=2)),  # type: ignore[arg-type]  # an open enum
}


@pytest.mark.parametrize("field", sorted(ASKED_FOR))
def test_what_is_said_to_be_required_though_no_rule_asks_for_it_is_refused_by_the_service(field: str) -> None:
    with pytest.raises(Refusal) as refused:
        WITHOUT[field.removeprefix("sluice.licensing.v1.")]()

    assert refused.value.reason == ASKED_FOR[field]


def test_partners_are_told_that_key_id_purpose_and_posts_must_be_sent(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    releases = operation(document, "/v1/licenses/{licenseId}/releases")["requestBody"]["content"]

    assert schemas["sluice.licensing.v1.GetTokenRequest"]["required"] == ["apiKey"]
    assert releases["application/json"]["schema"]["required"] == ["requestId", "purpose", "postIds"]


def test_the_first_command_of_the_page_sends_a_key(document: dict[str, Any]) -> None:
    first = page(document).partition("/v1/token")[2].partition("</pre>")[0]

    assert "apiKey" in first


def test_no_name_of_a_rule_and_no_document_of_the_project_is_told_to_those_outside(
    document: dict[str, Any],
) -> None:
    text = json.dumps(document, ensure_ascii=False)

    assert re.findall(r"\([A-Z]\d{1,2}\b[^)]*\)", text) == []
    assert "docs/" not in text
    assert re.findall(r"\(\)| [.,;:] ", text) == []
