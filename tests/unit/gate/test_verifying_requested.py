"""What a licensee asked and was told, offline: believed as it was signed, and not otherwise (R3)."""

from typing import Any

import pytest

from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice_gate import VerificationError, verify_requested
from sluice_gate.verifying.keys import parse_keys
from tests.support.gate import jwks
from tests.support.licensee_receipts import REQUEST, a_told_decision, digest_of
from tests.support.release_jobs import flips

KEYS = parse_keys(jwks())


def reason_of(asked: pb.RequestReleaseRequest, decision: pb.Decision) -> str:
    with pytest.raises(VerificationError) as rejected:
        verify_requested(asked, decision, KEYS)
    return rejected.value.reason


def changed(message: Any, change: dict[str, Any]) -> Any:
    other = type(message)()
    other.CopyFrom(message)
    for name, value in change.items():
        other.ClearField(name)
        other.MergeFrom(type(message)(**({} if value is None else {name: value})))
    return other


def test_a_licensees_decision_is_verified_with_the_ids_they_sent_R3() -> None:  # noqa: N802
    verified = verify_requested(REQUEST, a_told_decision(), KEYS)

    assert verified.post_ids == (2**60 + 1, 2**60 + 2, 7, 2**60 + 1)
    assert verified.released == (True, False, False, False)
    assert (verified.claims.licensee_id, verified.claims.outcome) == ("acme", "PARTIAL")
    assert verified.each_verdict_is_signed


def test_a_denial_of_all_is_verified_too() -> None:
    decision = a_told_decision(bytes([3, 3, 2, 5]))

    assert verify_requested(REQUEST, decision, KEYS).released == (False,) * 4


@pytest.mark.parametrize("field", ["receipt", "request_key", "verdicts"])
def test_any_flipped_byte_of_receipt_key_or_verdicts_is_rejected_R3(field: str) -> None:  # noqa: N802
    decision = a_told_decision()
    value = getattr(decision, field)
    data = value.encode() if isinstance(value, str) else value

    for flip in flips(data):
        # What is no UTF-8 could not even be in the answer.
        if field != "receipt" or flip.isascii():
            other = changed(decision, {field: flip.decode() if field == "receipt" else flip})
            reason_of(REQUEST, other)


@pytest.mark.parametrize(
    "change",
    [
        {"request_id": "01a217ba-1200-7000-8000-000000000002"},
        {"license_id": "acme-search"},
        {"purpose": "PURPOSE_AI_INPUT"},
        {"post_ids": []},
        {"post_ids": [2**60 + 1, 2**60 + 2, 7]},
        {"post_ids": [2**60 + 2, 2**60 + 1, 7, 2**60 + 1]},
        {"post_ids": [2**60 + 1, 2**60 + 2, 8, 2**60 + 1]},
        {"post_ids": [2**60 + 1, 2**60 + 2, 7, 2**60 + 1, 0]},
    ],
    ids=str,
)
def test_a_decision_about_another_request_is_rejected_R3(change: dict[str, Any]) -> None:  # noqa: N802
    assert reason_of(changed(REQUEST, change), a_told_decision()) == "REQUEST_DIFFERS"


def test_verdicts_that_have_changed_places_are_rejected_though_their_counts_are_the_same_R3() -> None:  # noqa: N802
    decision = changed(a_told_decision(), {"verdicts": bytes([3, 1, 2, 5])})

    assert reason_of(REQUEST, decision) == "VERDICTS_DIFFER"


@pytest.mark.parametrize(
    "change",
    [
        {"decision_id": "another"},
        {"request_id": "another"},
        {"license_version": 2},
        {"outcome": "OUTCOME_RELEASED"},
        {"receipt_number": 2},
        {"policy_version": 1},
        {"consent_revision": {"epoch": 1, "number": 7}},
        {"reservation_id": ""},
        {"counted_at": None},
        {"decided_at": {"seconds": 1}},
        {"not_after": {"seconds": 2**33}},
        {"trace_id": "0" * 32},
        {"sandbox": True},
        {"request_key": None},
        {"verdicts": None},
    ],
    ids=str,
)
def test_an_answer_to_a_licensee_that_says_other_than_its_receipt_is_rejected_R3(  # noqa: N802
    change: dict[str, Any],
) -> None:
    reason_of(REQUEST, changed(a_told_decision(), change))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"principal_kind": "pipeline"}, "CLAIMS_CONTRADICT"),
        ({"policy_version": 1, "consent_epoch": 1, "consent_revision": 1}, "CLAIMS_CONTRADICT"),
        ({"request_digest": "00" * 32}, "REQUEST_DIFFERS"),
        ({"verdicts_digest": "00" * 32}, "VERDICTS_DIFFER"),
        ({"verdicts_digest": digest_of(bytes([1, 3, 2, 3]))}, "VERDICTS_DIFFER"),
        ({"verdicts_digest": "AB" * 32}, "CLAIM_MALFORMED"),
        ({"verdicts_digest": 7}, "CLAIM_MALFORMED"),
        ({"verdicts_digest": None}, "CLAIMS_INCOMPLETE"),
        ({"more": "x"}, "CLAIMS_INCOMPLETE"),
        ({"trace_id": ...}, "CLAIMS_INCOMPLETE"),
        ({"counts": {"RELEASED": 4}}, "COUNTS_DIFFER"),
        ({"outcome": "RELEASED"}, "OUTCOME_DIFFERS"),
        ({"manifest_leaves": 0}, "MANIFEST_DIFFERS"),
        ({"not_after": None}, "CLAIMS_CONTRADICT"),
        ({"sandbox": True}, "SANDBOX_RECEIPT"),
    ],
    ids=str,
)
def test_a_good_signature_over_untrue_claims_to_a_licensee_is_rejected_R3(  # noqa: N802
    changes: dict[str, Any], reason: str
) -> None:
    assert reason_of(REQUEST, a_told_decision(**changes)) == reason


def test_a_denial_whose_manifest_names_somebody_is_rejected() -> None:
    denied = bytes([3, 3, 2, 5])

    for change in ({"manifest_leaves": 1}, {"manifest_root": "ef" * 32}):
        assert reason_of(REQUEST, a_told_decision(denied, **change)) == "MANIFEST_DIFFERS"


@pytest.mark.parametrize(
    ("verdicts", "is_signed"),
    [(bytes([1, 3, 2, 5]), False), (bytes([3, 3, 3, 3]), True), (bytes([1, 1, 1, 1]), True)],
)
def test_a_receipt_from_before_verdicts_were_digested_is_believed_as_far_as_it_goes(
    verdicts: bytes, is_signed: bool
) -> None:
    decision = a_told_decision(verdicts, verdicts_digest=...)

    verified = verify_requested(REQUEST, decision, KEYS)

    assert verified.each_verdict_is_signed == is_signed
    assert verified.verdicts == verdicts


def test_every_verdict_that_there_is_can_be_verified() -> None:
    for verdict in [each.number for each in Verdict.DESCRIPTOR.values if each.number]:
        assert verify_requested(REQUEST, a_told_decision(bytes([verdict] * 4)), KEYS)
