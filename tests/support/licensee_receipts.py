"""A decision as a licensee has it who asked by post ids, made from docs/receipt-format.md alone."""

import hashlib
import struct
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.type.v1.purpose_pb2 import PURPOSE_AI_TRAINING_GENERATIVE
from tests.support.gate import sign

SALT = bytes(range(32))
KEY = hashlib.sha256(SALT + b"sluice/request/v1").digest()
REQUEST = pb.RequestReleaseRequest(
    request_id="01a217ba-1200-7000-8000-000000000001",
    license_id="acme-training",
    purpose=PURPOSE_AI_TRAINING_GENERATIVE,
    post_ids=[2**60 + 1, 2**60 + 2, 7, 2**60 + 1],
)
VERDICTS = bytes([1, 3, 2, 5])
_AT, _UNTIL = "2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:30.000000Z"


def some_claims(verdicts: bytes = VERDICTS, **changes: Any) -> dict[str, Any]:
    """The claims of the receipt of REQUEST; a change to `...` leaves a claim out."""
    goes = 1 in verdicts
    claims = {
        "v": 1,
        "decision_id": "01999999-0000-7000-8000-000000000001",
        "number": 1,
        "principal_kind": "licensee",
        "principal": "acme",
        "request_id": REQUEST.request_id,
        "licensee_id": "acme",
        "license_id": "acme-training",
        "license_version": 1,
        "terms_digest": "ab" * 32,
        "purpose": "ai_training_generative",
        "outcome": "RELEASED" if set(verdicts) == {1} else "PARTIAL" if goes else "DENIED",
        "policy_version": None,
        "consent_epoch": None,
        "consent_revision": None,
        "reservation_id": "01999999-0000-7000-8000-000000000000" if goes else None,
        "counted_at": _AT if goes else None,
        "counts": dict(Counter(Verdict.Name(each).removeprefix("VERDICT_") for each in verdicts)),
        "request_digest": hashlib.sha256(KEY + sent(REQUEST.post_ids)).hexdigest(),
        "resolved_digest": "cd" * 32,
        "verdicts_digest": digest_of(verdicts),
        "manifest_root": "ef" * 32 if goes else hashlib.sha256().hexdigest(),
        "manifest_leaves": 1 if goes else 0,
        "decided_at": _AT,
        "not_after": _UNTIL if goes else None,
        "trace_id": None,
    }
    return {name: value for name, value in (claims | changes).items() if value is not ...}


def a_told_decision(verdicts: bytes = VERDICTS, **changes: Any) -> pb.Decision:
    """The answer to REQUEST, with a receipt over `some_claims`."""
    claims = some_claims(verdicts)
    decision = pb.Decision(
        decision_id=claims["decision_id"],
        request_id=claims["request_id"],
        license_id=claims["license_id"],
        license_version=1,
        outcome=f"OUTCOME_{claims['outcome']}",
        verdicts=verdicts,
        receipt=sign(some_claims(verdicts, **changes)),
        receipt_number=1,
        reservation_id=claims["reservation_id"] or "",
        request_key=KEY,
    )
    decision.decided_at.FromJsonString(_AT)
    if claims["not_after"]:
        decision.counted_at.FromJsonString(_AT)
        decision.not_after.FromJsonString(_UNTIL)
    return decision


def sent(ids: Sequence[int]) -> bytes:
    """S of the format."""
    parts = (b"acme-training", struct.pack("<I", REQUEST.purpose), struct.pack(f"<{len(ids)}Q", *ids))
    return b"".join(struct.pack("<Q", len(part)) + part for part in parts)


def digest_of(verdicts: bytes) -> str:
    """The digest of the verdicts."""
    key = hashlib.sha256(KEY + b"sluice/verdicts/v1").digest()
    return hashlib.sha256(key + struct.pack("<Q", len(verdicts)) + verdicts).hexdigest()
