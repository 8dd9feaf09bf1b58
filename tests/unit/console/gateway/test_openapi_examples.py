"""What partners are shown is what a partner would see: coherent, and nothing that they never get."""

import base64
import copy
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format

from services.console.gateway.openapi.document import openapi
from services.console.gateway.openapi.examples import body_example, exchange_of, whole_request
from services.console.gateway.openapi.image import Contracts
from services.console.gateway.openapi.partner_examples import EXCHANGES
from services.console.gateway.openapi.partner_papers import PAPERS
from services.console.gateway.openapi.paths import bindings_of
from services.licensing.rpc.decision_messages import NOT_FOR_LICENSEES
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice_gate import verify_requested
from sluice_gate.verifying.keys import parse_keys
from tests.support.contract_images import the_contracts
from tests.support.gate import jwks

OF_OPERATORS = {"createdBy", "reason", "stateReason", "putBy", "draftedBy", "finalizedBy", "issuedBy"}
"""Members that the contracts tell to operators and auditors only."""
ALL = {**EXCHANGES, **PAPERS}


@pytest.fixture(scope="module")
def operations() -> list[dict[str, Any]]:
    document = openapi(the_contracts())
    return [each for verbs in document["paths"].values() for each in verbs.values()]


def request_and_decision(rpc: str) -> tuple[pb.RequestReleaseRequest, pb.Decision]:
    asked = EXCHANGES["ReleaseService/RequestRelease"]
    request = json_format.ParseDict(asked.body, pb.RequestReleaseRequest())
    request.license_id = asked.parameters["licenseId"]
    answer = json_format.ParseDict(EXCHANGES[rpc].answer, pb.RequestReleaseResponse())
    return request, answer.decision


def values_of(value: Any, name: str) -> Iterator[Any]:
    """Every value of a member of this name, however deep."""
    if isinstance(value, dict):
        for member, inner in value.items():
            if member == name:
                yield inner
            yield from values_of(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from values_of(inner, name)


def test_whatever_a_licensee_or_anyone_may_call_is_shown_by_hand_and_nothing_else_is(
    operations: list[dict[str, Any]],
) -> None:
    partners = {
        each["x-sluice-rpc"].rpartition(".")[2]
        for each in operations
        if each["x-sluice-callers"]["anyone"] or "licensee" in each["x-sluice-callers"]["kinds"]
    }

    assert partners == set(ALL)
    assert all(
        exchange_of(method) is not None
        for method in Contracts(the_contracts()).methods("sluice.")
        if f"{method.containing_service.name}/{method.name}" in partners
    )


def test_each_way_to_an_rpc_shows_the_parameters_that_are_written_for_it(
    operations: list[dict[str, Any]],
) -> None:
    shown: dict[str, set[str]] = {}
    for each in operations:
        names = {one["name"] for one in each["parameters"] if "example" in one}
        shown.setdefault(each["x-sluice-rpc"].rpartition(".")[2], set()).update(names)

    for rpc, exchange in ALL.items():
        assert shown[rpc] == set(exchange.parameters), rpc


@pytest.mark.parametrize("rpc", ["ReleaseService/RequestRelease", "ReleaseService/GetDecision"])
def test_a_decision_fits_its_request_and_itself(rpc: str) -> None:
    request, decision = request_and_decision(rpc)
    released = decision.verdicts.count(1)

    assert (decision.request_id, decision.license_id) == (request.request_id, request.license_id)
    assert len(decision.verdicts) == len(request.post_ids) == len(set(request.post_ids))
    assert decision.outcome == pb.OUTCOME_PARTIAL
    assert 0 < released < len(decision.verdicts)
    assert (decision.delivery.posts_released, decision.delivery.posts_billed) == (released, released)
    assert not decision.HasField("room_denial")
    assert bool(decision.valid_for.seconds) != decision.is_void
    assert decision.decided_at.ToMicroseconds() < decision.not_after.ToMicroseconds()


@pytest.mark.parametrize("rpc", ["ReleaseService/RequestRelease", "ReleaseService/GetDecision"])
def test_the_receipt_shown_verifies_with_the_request_shown_R3(rpc: str) -> None:  # noqa: N802
    request, decision = request_and_decision(rpc)

    verified = verify_requested(request, decision, parse_keys(jwks()))

    assert verified.released == (True, False, True)
    assert verified.each_verdict_is_signed


def test_nothing_is_shown_that_a_licensee_never_gets(operations: list[dict[str, Any]]) -> None:
    names = {"".join(part.title() for part in field.split("_")) for field in NOT_FOR_LICENSEES}
    hidden = {name[0].lower() + name[1:] for name in names} | OF_OPERATORS
    for rpc, exchange in ALL.items():
        for name in hidden - ({"reason"} if "CreditNote" in rpc else set()):
            assert list(values_of(exchange.answer, name)) == [], (rpc, name)


@pytest.mark.parametrize("name", ["licenseId", "licenseeId", "decisionId", "recallId", "termsDigest"])
def test_all_are_about_one_partner_and_one_thing_of_each_kind(name: str) -> None:
    told = [
        value
        for exchange in ALL.values()
        for part in (exchange.parameters, exchange.body, exchange.answer)
        for value in values_of(part, name)
    ]

    assert len(told) >= 5
    assert len(set(told)) == 1


def test_what_is_recalled_had_been_released() -> None:
    request, decision = request_and_decision("ReleaseService/RequestRelease")
    released = [id for id, verdict in zip(request.post_ids, decision.verdicts, strict=True) if verdict == 1]

    (packed,) = values_of(EXCHANGES["RecallService/ListRecallEntries"].answer, "postIds")
    (recall,) = EXCHANGES["RecallService/ListRecalls"].answer["recalls"]
    data = base64.b64decode(packed)

    ids = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    assert set(ids) <= set(released)
    assert recall["posts"] == str(len(ids))


def test_a_recall_goes_from_issued_to_deleted_in_the_order_of_its_times() -> None:
    recalls = [
        EXCHANGES[f"RecallService/{name}"].answer["recall"]
        for name in ("WatchRecalls", "AcknowledgeRecall", "ResolveRecall")
    ]

    assert [each["state"].rpartition("_")[2] for each in recalls] == ["ISSUED", "ACKNOWLEDGED", "DELETED"]
    last = recalls[2]
    times = [last["issuedAt"], last["acknowledgedAt"], last["resolution"]["resolvedAt"], last["dueAt"]]
    assert times == sorted(times)


def test_a_countersignature_and_a_difference_fit_what_was_released() -> None:
    _, decision = request_and_decision("ReleaseService/RequestRelease")
    signed = EXCHANGES["DeliveryService/CountersignDelivery"]
    (differing,) = EXCHANGES["DeliveryService/ListDeliveryDifferences"].answer["differences"]

    assert signed.body["postsReceived"] == signed.answer["countersignature"]["postsReceived"] == 2
    assert signed.answer["countersignature"]["receiptNumber"] == str(decision.receipt_number)
    assert differing["countersignature"]["postsReceived"] != differing["postsBilled"]


def test_the_proof_of_a_receipt_is_as_long_as_the_tree_is_high() -> None:
    proof = EXCHANGES["LogService/GetInclusionProof"].answer

    assert 2 ** len(proof["hashes"]) == int(proof["treeSize"]) == int(proof["checkpoint"]["size"])
    note = base64.b64decode(proof["checkpoint"]["note"]).decode()
    assert note.splitlines()[1:3] == ["64", proof["checkpoint"]["root"]]


def test_bills_add_up() -> None:
    invoice = PAPERS["BillingService/GetInvoice"].answer["invoice"]
    note = PAPERS["BillingService/GetCreditNote"].answer["creditNote"]

    for bill in (invoice, note):
        amounts = [int(line["amount"]["units"]) * 100 for line in bill["lines"]]
        assert amounts == [int(line["minor"]) for line in bill["lines"]]
        assert sum(amounts) == int(bill["totalMinor"]) == int(bill["total"]["units"]) * 100
    assert int(invoice["credited"]["units"]) == -int(note["total"]["units"])
    access, posts = PAPERS["ContractService/GetLicense"].answer["license"]["terms"]["price"]["charges"]
    flat, usage = invoice["lines"]
    assert access["flat"] == flat["amount"]
    assert int(usage["posts"]) == int(invoice["posts"]) - int(posts["included"])
    assert posts["perUnit"] == {"unitPrice": usage["unitPrice"], "per": usage["per"]}


def test_putting_a_whole_request_together_leaves_what_is_shown_as_it_is() -> None:
    for method in Contracts(the_contracts()).methods("sluice."):
        for binding in bindings_of(method):
            before = copy.deepcopy(body_example(binding)) if binding.has_body else {}

            whole_request(binding)

            assert before == (body_example(binding) if binding.has_body else {})


def test_nobody_is_shown_filler(operations: list[dict[str, Any]]) -> None:
    for rpc, exchange in ALL.items():
        text = json.dumps([exchange.parameters, exchange.body, exchange.answer])
        assert '"text"' not in text, rpc
        assert '"AAAA' not in text, rpc
    assert Counter(each["operationId"] for each in operations)["ReleaseService_RequestRelease"] == 1
