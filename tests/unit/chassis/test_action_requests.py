"""What the log of actions keeps of a request: enough to see what was asked for, and no secret."""

import hashlib
import json

from services.chassis.action_requests import LONGEST_REQUEST, begun
from services.chassis.actions import Begun
from sluice.consent.v1 import state_service_pb2
from sluice.licensing.v1 import token_service_pb2, webhook_service_pb2
from sluice.metering.v1 import dispute_service_pb2

ID = "0190b8a0-0000-7000-8000-000000000001"


def a_halt(cause: str) -> state_service_pb2.OrderHaltRequest:
    return state_service_pb2.OrderHaltRequest(request_id=ID, scope={"jurisdiction": "DE"}, cause=cause)


def test_a_request_is_kept_as_canonical_json_with_its_id_and_its_reason() -> None:
    request = a_halt("an order of a court: Grüße")

    kept = begun(request)

    assert kept.request == (
        f'{{"cause":"an order of a court: Grüße","requestId":"{ID}","scope":{{"jurisdiction":"DE"}}}}'
    )
    payload = request.SerializeToString(deterministic=True)
    assert (kept.request_digest, kept.request_bytes) == (hashlib.sha256(payload).digest(), len(payload))
    assert (kept.request_id, kept.reason) == (ID, "an order of a court: Grüße")


def test_the_reason_of_a_request_is_its_reason_where_it_is_called_that() -> None:
    request = dispute_service_pb2.ProposeStepRequest(request_id=ID, reason="they are right")

    assert begun(request).reason == "they are right"


def test_what_the_contract_marks_as_secret_is_not_kept_and_not_in_the_digest_either() -> None:
    # A digest of a short secret gives it away to whoever tries all of them.
    first, second = (token_service_pb2.GetTokenRequest(api_key=key) for key in ("sluice_live_1", "other"))

    assert begun(first) == begun(second)
    assert json.loads(begun(first).request) == {"apiKey": "[redacted]"}
    assert first.api_key == "sluice_live_1"


def test_a_secret_inside_of_another_message_is_not_kept_either() -> None:
    answer = webhook_service_pb2.PutRecallWebhookResponse(secret="whsec_1")

    assert "whsec_1" not in begun(answer).request


def test_of_a_long_request_the_digest_and_the_length_are_kept() -> None:
    longest = a_halt("x" * (LONGEST_REQUEST - 100))
    too_long = a_halt("x" * LONGEST_REQUEST)
    # Short as bytes, long as JSON: each of them takes six characters there.
    grows = a_halt("\x01" * (LONGEST_REQUEST // 2))

    assert begun(longest).request
    for request in (too_long, grows):
        kept = begun(request)
        assert kept.request == ""
        assert kept.request_bytes == request.ByteSize()
        assert kept.request_digest == hashlib.sha256(request.SerializeToString()).digest()
        assert kept.request_id == ID


def test_a_character_that_no_database_holds_is_replaced() -> None:
    assert begun(a_halt("a\0b")).reason == "a\ufffdb"
    assert "\0" not in begun(a_halt("a\0b")).request


def test_of_what_is_no_message_nothing_is_kept() -> None:
    assert begun(b"bytes") == Begun()
