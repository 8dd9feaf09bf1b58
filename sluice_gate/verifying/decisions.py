"""Verifies a decision as licensing answers it, with the request or the posts that it is about (R3).

Programs act on the fields of an answer, not on its receipt: what both say is compared, so that a good receipt
beside other words is noticed. What is said of the moment of the answer, such as the validity that is left, of
the delivery, and why there was no room, is signed by nobody.
"""

from collections.abc import Sequence

from google.protobuf.timestamp_pb2 import Timestamp

from sluice.licensing.v1.release_service_pb2 import DecideRequest, Decision, Outcome
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.columns import columns_of
from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post
from sluice_gate.verifying.claims import Claims, signed_claims
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.receipts import Evidence, VerifiedReceipt, verify_receipt

_OUTCOMES = {number: name.removeprefix("OUTCOME_") for name, number in Outcome.items()}


def verify_decision(asked: DecideRequest | Sequence[Post], decision: Decision, keys: Keys) -> VerifiedReceipt:
    """Recomputes the receipt of a decision, and compares with it what the decision itself says.

    `asked` is the request, or its posts in their order: then the receipt says which license and purpose they
    were asked for, and that is part of what is recomputed. Raises VerificationError.
    """
    if not isinstance(asked, DecideRequest):
        asked = _request_of(asked, signed_claims(decision.receipt, keys).claims)
    evidence = Evidence(decision.receipt, asked, decision.verdicts, decision.salt)
    verified = verify_receipt(evidence, keys)
    check_answer(decision, verified.claims)
    return verified


def _request_of(posts: Sequence[Post], claims: Claims) -> DecideRequest:
    try:
        columns = columns_of(posts)
    except (ValueError, OverflowError) as error:
        raise VerificationError("REQUEST_MALFORMED", "no request can have these posts") from error
    return DecideRequest(
        request_id=claims.request_id,
        license_id=claims.license_id,
        purpose=_purpose(claims.purpose),  # type: ignore[arg-type]  # an open enum
        columns=columns,
    )


def _purpose(word: str) -> int:
    """The number of a purpose; one that is not in the table is signed as its number."""
    numbers = {name.removeprefix("PURPOSE_").lower(): number for name, number in Purpose.items()}
    try:
        return numbers[word] if word in numbers else int(word)
    except ValueError as error:
        raise VerificationError("CLAIM_MALFORMED", "the claim purpose is not what it must be") from error


def check_answer(decision: Decision, claims: Claims) -> None:
    """Compares the fields of an answer with the claims of its receipt; raises VerificationError."""
    if decision.sandbox:
        raise VerificationError("SANDBOX_RECEIPT", "this is an answer of the sandbox: it proves no release")
    revision = decision.consent_revision
    said: dict[str, object] = {
        "decision_id": decision.decision_id,
        "number": decision.receipt_number,
        "request_id": decision.request_id,
        "license_id": decision.license_id,
        "license_version": decision.license_version,
        "outcome": _OUTCOMES.get(decision.outcome, ""),
        "policy_version": decision.policy_version,
        "consent_epoch": revision.epoch,
        "consent_revision": revision.number,
        "reservation_id": decision.reservation_id,
        "counted_at": _time(decision, "counted_at"),
        "decided_at": _time(decision, "decided_at"),
        "not_after": _time(decision, "not_after"),
        "trace_id": decision.trace_id,
    }
    # What does not apply is null in a receipt, and what it is when unset in a decision.
    differing = [name for name, value in said.items() if (getattr(claims, name) or type(value)()) != value]
    if differing:
        names = ", ".join(differing)
        raise VerificationError("DECISION_DIFFERS", f"the decision and its receipt differ about {names}")


def _time(decision: Decision, field: str) -> str:
    """A time of the decision as receipts write it; empty where it is unset."""
    if not decision.HasField(field):
        return ""
    value: Timestamp = getattr(decision, field)
    try:
        return value.ToDatetime().isoformat(timespec="microseconds") + "Z"
    except ValueError as error:
        raise VerificationError("DECISION_DIFFERS", f"the {field} of the decision is no time") from error
