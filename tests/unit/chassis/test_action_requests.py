"""What the log of actions keeps of a request: enough to see what was asked for, and no secret."""

import hashlib
import json

from services.chassis.action_requests import LONGEST_REQUEST, begun
from services.chassis.actions import Begun
from sluice.consent.v1 import consent_service_pb2, state_service_pb2, subject_service_pb2
from sluice.licensing.v1 import token_service_pb2, webhook_service_pb2
from sluice.metering.v1 import dispute_service_pb2

ID = "0190b8a0-0000-7000-8000-000000000001"


NONCE = b"0123456789abcdef"


def kept_of(request: object) -> Begun:
    return begun(request, NONCE)


def a_halt(cause: str) -> state_service_pb2.OrderHaltRequest:
    return state_service_pb2.OrderHaltRequest(request_id=ID, scope={"jurisdiction": "DE"}, cause=cause)


def test_a_request_is_kept_as_canonical_json_with_its_id_and_its_reason() -> None:
    request = a_halt("an order of a court: Grüße")

    kept = kept_of(request)

    assert kept.request == (
        f'{{"cause":"an order of a court: Grüße","requestId":"{ID}","scope":{{"jurisdiction":"DE"}}}}'
    )
    assert kept.request_digest == hashlib.sha256(NONCE + kept.request.encode()).digest()
    assert (kept.request_bytes, kept.nonce, kept.subject_id) == (request.ByteSize(), NONCE, None)
    assert (kept.request_id, kept.reason) == (ID, "an order of a court: Grüße")


def test_the_reason_of_a_request_is_its_reason_where_it_is_called_that() -> None:
    request = dispute_service_pb2.ProposeStepRequest(request_id=ID, reason="they are right")

    assert kept_of(request).reason == "they are right"


def test_what_the_contract_marks_as_secret_is_not_kept_and_not_in_the_digest_either() -> None:
    # A digest of a short secret gives it away to whoever tries all of them.
    first, second = (token_service_pb2.GetTokenRequest(api_key=key) for key in ("sluice_live_1", "other"))

    assert kept_of(first) == kept_of(second)
    assert json.loads(kept_of(first).request) == {"apiKey": "[redacted]"}
    assert first.api_key == "sluice_live_1"


def test_a_secret_inside_of_another_message_is_not_kept_either() -> None:
    answer = webhook_service_pb2.PutRecallWebhookResponse(secret="whsec_1")

    assert "whsec_1" not in kept_of(answer).request


def test_of_a_long_request_the_digest_and_the_length_are_kept() -> None:
    longest = a_halt("x" * (LONGEST_REQUEST - 100))
    too_long = a_halt("x" * LONGEST_REQUEST)
    # Short as bytes, long as JSON: each of them takes six characters there.
    grows = a_halt("\x01" * (LONGEST_REQUEST // 2))

    assert kept_of(longest).request
    for request in (too_long, grows):
        kept = kept_of(request)
        assert kept.request == ""
        assert kept.request_bytes == request.ByteSize()
        assert kept.request_digest == hashlib.sha256(NONCE + request.SerializeToString()).digest()
        assert kept.request_id == ID


def test_a_character_that_no_database_holds_is_replaced() -> None:
    assert kept_of(a_halt("a\0b")).reason == "a\ufffdb"
    assert "\0" not in kept_of(a_halt("a\0b")).request


def test_c11_a_request_that_names_a_subject_however_deep_is_kept_with_whom_it_names() -> None:
    rows = [consent_service_pb2.ImportSubjectsRequest.Row(subject={"subject_id": 2**64 - 1})]
    for request, subject_id in (
        (subject_service_pb2.EraseSubjectRequest(subject_id=7), 7),
        (consent_service_pb2.RecordChoiceRequest(choice={"subject_id": 8}), 8),
        (consent_service_pb2.ImportSubjectsRequest(rows=rows), 2**64 - 1),
    ):
        kept = kept_of(request)
        assert kept.subject_id == subject_id
        assert str(subject_id) in kept.request


def test_c11_of_a_request_that_names_several_subjects_nothing_is_kept_that_tells_whom() -> None:
    rows = [consent_service_pb2.ImportSubjectsRequest.Row(subject={"subject_id": each}) for each in (7, 8)]
    request = consent_service_pb2.ImportSubjectsRequest(request_id=ID, rows=rows)

    kept = kept_of(request)

    assert (kept.request, kept.nonce, kept.subject_id) == ("", b"", None)
    assert kept.request_digest == hashlib.sha256(NONCE + request.SerializeToString()).digest()
    assert kept.request_id == ID


def test_of_what_is_no_message_nothing_is_kept() -> None:
    assert kept_of(b"bytes") == Begun()
