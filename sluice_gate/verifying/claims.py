"""The claims of a receipt, complete and each of its type, out of its signed bytes."""

import json
import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import NamedTuple, get_type_hints

from cryptography.exceptions import InvalidSignature

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.encodings import from_base64url, json_object
from sluice_gate.verifying.keys import Key, Keys

RECEIPT_VERSION = 1
SANDBOX_TYPE = "sluice-sandbox-receipt+json"
_OUTCOMES = frozenset({"RELEASED", "PARTIAL", "DENIED"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_TRACE = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("counted_at", "decided_at", "not_after")
_DIGESTS = ("terms_digest", "request_digest", "resolved_digest", "manifest_root")
_OPTIONAL = frozenset({"verdicts_digest"})


@dataclass(frozen=True)
class Claims:
    """What a receipt says, as documented in receipt.proto. Digests are hex, times RFC 3339."""

    v: int
    decision_id: str
    number: int
    principal_kind: str
    principal: str
    request_id: str
    licensee_id: str
    license_id: str
    license_version: int
    terms_digest: str
    purpose: str
    outcome: str
    policy_version: int | None
    consent_epoch: int | None
    consent_revision: int | None
    reservation_id: str | None
    counted_at: str | None
    counts: dict[str, int]
    request_digest: str
    resolved_digest: str
    manifest_root: str
    manifest_leaves: int
    decided_at: str
    not_after: str | None
    trace_id: str | None
    verdicts_digest: str | None = None
    """Only in receipts of licensees, and not in the first of them; never null."""


_TYPES: dict[str, type | UnionType] = get_type_hints(Claims) | {"counts": dict}


class SignedClaims(NamedTuple):
    """What a receipt says, and the key that signed it; not compared with anything yet."""

    claims: Claims
    key: Key


def signed_claims(receipt: str, keys: Keys) -> SignedClaims:
    """What one of `keys` signed while it was valid (R6). Raises VerificationError."""
    parts = receipt.split(".")
    if len(parts) != 3 or not receipt.isascii():
        raise VerificationError("RECEIPT_MALFORMED", "a receipt has three parts")
    header = json_object(from_base64url(parts[0], "the header"), "the header")
    kid = header.get("kid")
    if header.get("typ") == SANDBOX_TYPE:
        raise _of_the_sandbox()
    if header != {"alg": "EdDSA", "kid": kid, "typ": "sluice-receipt+json"}:
        raise VerificationError("HEADER_UNKNOWN", "the header is not that of a receipt")
    key = keys.get(kid) if isinstance(kid, str) else None
    if key is None:
        raise VerificationError(
            "KEY_UNKNOWN", "the receipt was signed with a key that is not among those given"
        )
    try:
        key.public.verify(from_base64url(parts[2], "the signature"), f"{parts[0]}.{parts[1]}".encode())
    except InvalidSignature as error:
        raise VerificationError("SIGNATURE_WRONG", "the signature is not that of the receipt") from error
    claims = _claims(json_object(from_base64url(parts[1], "the payload"), "the payload"))
    _check_validity(key, claims)
    return SignedClaims(claims, key)


def _check_validity(key: Key, claims: Claims) -> None:
    decided_us = (datetime.fromisoformat(claims.decided_at) - _EPOCH) // timedelta(microseconds=1)
    if key.since_us is not None and decided_us < key.since_us:
        raise VerificationError("KEY_NOT_YET_VALID", "the key of the receipt is younger than the decision")
    if key.until_us is not None and decided_us >= key.until_us:
        if key.is_revoked:
            raise VerificationError("KEY_REVOKED", "the key of the receipt was revoked before the decision")
        raise VerificationError("KEY_EXPIRED", "the key of the receipt had been replaced before the decision")


def _claims(payload: dict[str, object]) -> Claims:
    # Said twice, in header and claims, so that neither alone makes a release of it.
    if "sandbox" in payload:
        raise _of_the_sandbox()
    names = {field.name for field in fields(Claims)}
    # What an optional claim would say is said, or the claim is not there: null is none of both.
    said = {name for name in _OPTIONAL if payload.get(name) is not None}
    if payload.keys() != names - _OPTIONAL | said:
        odd = ", ".join(sorted(payload.keys() ^ (names - _OPTIONAL | said)))
        raise VerificationError("CLAIMS_INCOMPLETE", f"claims missing or unknown: {odd}")
    for name, value in payload.items():
        # A bool is an int to Python, not to a receipt.
        if isinstance(value, bool) or not isinstance(value, _TYPES[name]):
            raise _malformed(name)
    claims = Claims(**payload)  # type: ignore[arg-type]  # checked field by field above
    _check_forms(claims, payload)
    return claims


def _check_forms(claims: Claims, payload: dict[str, object]) -> None:
    for name, value in payload.items():
        if isinstance(value, int) and value < 0:
            raise _malformed(name)
    for name in (*_DIGESTS, *(_OPTIONAL & payload.keys())):
        if not _DIGEST.fullmatch(str(payload[name])):
            raise _malformed(name)
    for name in _TIMES:
        if payload[name] is not None and not _is_time(str(payload[name])):
            raise _malformed(name)
    if claims.v != RECEIPT_VERSION or claims.number < 1 or claims.outcome not in _OUTCOMES:
        raise _malformed("v, number or outcome")
    if claims.trace_id is not None and not _TRACE.fullmatch(claims.trace_id):
        raise _malformed("trace_id")
    if not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in claims.counts.values()):
        raise _malformed("counts")


def _is_time(text: str) -> bool:
    try:
        return bool(_TIME.fullmatch(text)) and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _of_the_sandbox() -> VerificationError:
    message = "this is a receipt of the sandbox: it says what would have been decided, and proves no release"
    return VerificationError("SANDBOX_RECEIPT", message)


def _malformed(name: str) -> VerificationError:
    return VerificationError("CLAIM_MALFORMED", f"the claim {json.dumps(name)} is not what it must be")
