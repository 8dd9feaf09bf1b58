"""Receipts: every claim in its published form (R1)."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from services.licensing.domain.answers import ConsentAnswer, Hold, Revision
from services.licensing.domain.audits.entries import Entry, check_receipt
from services.licensing.domain.decisions import Asker, Draft, Request
from services.licensing.domain.manifests import manifest_of
from services.licensing.domain.reasons import Reason
from services.licensing.domain.receipts import (
    Conclusion,
    payload_of,
    request_digest,
    request_key,
    resolved_digest,
    verdicts_digest,
)
from services.licensing.sealing import Seal
from sluice.licensing.v1 import receipt_pb2
from tests.support.clock import NOON_US
from tests.support.licensing import a_batch, a_license, a_post, canonical_request

SALT = bytes(range(32))
POSTS = [a_post(1, author_id=10), a_post(2, author_id=20, embeds=((5, 10),)), a_post(3, author_id=30)]
REASONS = np.array([Reason.RELEASED, Reason.RELEASED, Reason.CHOICE_DENIES], np.uint8)
RELEASED = REASONS == Reason.RELEASED
CONCLUSION = Conclusion("decision-1", 7, NOON_US + 1, NOON_US + 30_000_000)


def a_draft(**changes: Any) -> Draft:
    """A draft on POSTS that consent let pass but for the last one, and that holds room."""
    consent = ConsentAnswer(REASONS, Revision(1, 42), policy_version=3, good_until_us=NOON_US + 30_000_000)
    draft = Draft(
        attempt_id="attempt-1",
        decision_id="decision-1",
        salt=SALT,
        request=Request(Asker("pipeline-1", "pipeline", "request-1"), a_batch(*POSTS), NOON_US, "ab" * 16),
        license=a_license(),
        judged_at_us=NOON_US,
        reasons=REASONS,
        consent=consent,
        hold=Hold("attempt-1", NOON_US),
        no_room=None,
    )
    return replace(draft, **changes)


def claims_of(draft: Draft, conclusion: Conclusion = CONCLUSION) -> dict[str, Any]:
    manifest = manifest_of(draft.request.batch, draft.reasons == Reason.RELEASED, draft.salt)
    claims: dict[str, Any] = json.loads(payload_of(draft, manifest, conclusion))
    return claims


def test_r1_a_receipt_says_what_was_decided_and_on_what() -> None:
    claims = claims_of(a_draft())

    digests = {
        "request_digest": request_digest(SALT, a_batch(*POSTS).canonical()).hex(),
        "resolved_digest": resolved_digest(SALT, a_batch(*POSTS), np.array([1, 1, 3], np.uint8)).hex(),
        "manifest_root": manifest_of(a_batch(*POSTS), RELEASED, SALT).root.hex(),
        "terms_digest": a_license().terms_digest.hex(),
    }
    assert claims == digests | {
        "v": 1,
        "decision_id": "decision-1",
        "number": 7,
        "principal_kind": "pipeline",
        "principal": "pipeline-1",
        "request_id": "request-1",
        "licensee_id": "licensee-1",
        "license_id": "license-1",
        "license_version": 1,
        "purpose": "ai_training_generative",
        "outcome": "PARTIAL",
        "policy_version": 3,
        "consent_epoch": 1,
        "consent_revision": 42,
        "reservation_id": "attempt-1",
        "counted_at": "2025-10-09T08:53:20.000000Z",
        "counts": {"RELEASED": 2, "NOT_AVAILABLE": 1},
        "manifest_leaves": 2,
        "decided_at": "2025-10-09T08:53:20.000001Z",
        "not_after": "2025-10-09T08:53:50.000000Z",
        "trace_id": "ab" * 16,
    }


def test_r1_what_does_not_apply_is_null() -> None:
    nobody_asked = a_draft(
        reasons=np.full(3, Reason.PURPOSE_NOT_LICENSED, np.uint8),
        request=Request(
            Asker("pipeline-1", "pipeline", "request-1"), a_batch(*POSTS, purpose=99), NOON_US, ""
        ),
        consent=None,
        hold=None,
    )

    claims = claims_of(nobody_asked, replace(CONCLUSION, not_after_us=None))

    nulls = {name for name, claim in claims.items() if claim is None}
    assert nulls == {
        "policy_version",
        "consent_epoch",
        "consent_revision",
        "reservation_id",
        "counted_at",
        "not_after",
        "trace_id",
    }
    assert (claims["purpose"], claims["outcome"], claims["manifest_leaves"]) == ("99", "DENIED", 0)
    assert claims["manifest_root"] == sha256(b"").hexdigest()


def test_r1_the_claims_are_those_of_the_contract_and_one_is_for_licensees_alone() -> None:
    in_contract = {field.name for field in receipt_pb2.ReceiptClaims.DESCRIPTOR.fields}
    asked = replace(a_draft().request, asker=Asker("licensee-1", "licensee", "request-1"))

    assert set(claims_of(a_draft())) == in_contract - {"verdicts_digest"}
    assert set(claims_of(a_draft(request=asked))) == in_contract


def test_r1_the_payload_has_one_form() -> None:
    draft = a_draft()
    payload = payload_of(draft, manifest_of(draft.request.batch, RELEASED, SALT), CONCLUSION)

    canonical = json.dumps(json.loads(payload), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert payload == canonical.encode()


def test_r1_the_digests_are_salted_as_published() -> None:
    canonical, verdicts = canonical_request(POSTS), bytes([1, 1, 3])

    request = sha256(sha256(SALT + b"sluice/request/v1").digest() + canonical).digest()
    block = (3).to_bytes(8, "little") + verdicts
    resolved = sha256(sha256(SALT + b"sluice/resolved/v1").digest() + canonical + block).digest()

    assert request_digest(SALT, a_batch(*POSTS).canonical()) == request
    assert resolved_digest(SALT, a_batch(*POSTS), np.frombuffer(verdicts, np.uint8)) == resolved


def test_r3_the_key_of_a_licensee_opens_what_was_sent_and_told_as_published() -> None:
    key = request_key(SALT)

    assert key == sha256(SALT + b"sluice/request/v1").digest()
    assert request_digest(SALT, b"sent") == sha256(key + b"sent").digest()
    opened = sha256(sha256(key + b"sluice/verdicts/v1").digest() + (3).to_bytes(8, "little") + b"\1\1\3")
    assert verdicts_digest(SALT, np.array([1, 1, 3], np.uint8)) == opened.digest()


def test_an_audit_finds_verdicts_of_a_licensee_that_are_not_those_signed() -> None:
    request = replace(a_draft().request, asker=Asker("licensee-1", "licensee", "request-1"))
    draft = a_draft(request=request)
    manifest = manifest_of(draft.request.batch, RELEASED, SALT)
    decision = Seal(Unsigned(), 30_000_000).seal(draft, manifest, 7, NOON_US + 1)
    entry = Entry(decision, manifest, None, None, None, None, is_pending=False)
    signed = json.loads(decision.receipt)
    other = verdicts_digest(SALT, np.array([1, 3, 1], np.uint8)).hex()

    (found,) = check_receipt(entry, signed | {"verdicts_digest": other})

    assert found.subject == "decision decision-1, verdicts_digest in its receipt"
    assert list(check_receipt(entry, signed)) == []
    # The first receipts for licensees have no such digest.
    del signed["verdicts_digest"]
    assert list(check_receipt(entry, signed)) == []


class Unsigned:
    """In the place of a signer: the payload itself."""

    def sign(self, payload: bytes, decided_at_us: int) -> str:
        return payload.decode()


@pytest.mark.parametrize("salt", [bytes(32), SALT[::-1]])
def test_r1_without_its_salt_a_request_cannot_be_guessed(salt: bytes) -> None:
    assert request_digest(salt, a_batch(*POSTS).canonical()) != request_digest(
        SALT, a_batch(*POSTS).canonical()
    )
