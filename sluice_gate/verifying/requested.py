"""Verifies a decision for which a licensee asked by post ids, as the licensee has it (R3).

A licensee has no salt, and needs none: their key opens the digests of what they sent and of what they were
told. Which people are in the posts, no such verification can say or be made to say.
"""

import hashlib
from dataclasses import dataclass

from sluice.licensing.v1.release_service_pb2 import Decision, RequestReleaseRequest
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.claims import Claims, signed_claims
from sluice_gate.verifying.decisions import check_answer
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.manifests import manifest_root
from sluice_gate.verifying.receipts import LICENSEE, check_asked, check_times, check_verdicts
from sluice_gate.verifying.requests import block, canonical_ids

_KEY_BYTES = 32


@dataclass(frozen=True)
class VerifiedRequest:
    """A receipt that says exactly what a licensee has asked and was told."""

    claims: Claims
    post_ids: tuple[int, ...]
    """Those that were asked for, in their order."""
    verdicts: bytes
    """A Verdict for each of them."""
    released: tuple[bool, ...]
    """For each of them whether it was released."""
    each_verdict_is_signed: bool
    """False only for receipts from before there was a digest of the verdicts: of these how many posts got
    which verdict is signed, and not which posts."""
    key_is_revoked: bool
    """As in `VerifiedReceipt`."""


def verify_requested(asked: RequestReleaseRequest, decision: Decision, keys: Keys) -> VerifiedRequest:
    """Recomputes what the receipt says of a request by post ids, and compares the answer with it.

    `keys` are those that sign receipts. Raises VerificationError.
    """
    claims, key = signed_claims(decision.receipt, keys)
    _require(claims.principal_kind == LICENSEE, "CLAIMS_CONTRADICT", "a caller who is no licensee")
    check_asked(claims, asked.request_id, asked.license_id, asked.purpose)
    _check_sent(claims, asked, decision.request_key)
    released = check_verdicts(claims, decision.verdicts, len(asked.post_ids))
    _check_told(claims, decision)
    _check_manifest(claims, releases=any(released))
    check_times(claims, releases=any(released))
    check_answer(decision, claims)
    return VerifiedRequest(
        claims=claims,
        post_ids=tuple(asked.post_ids),
        verdicts=decision.verdicts,
        released=tuple(released),
        # Where all posts got the same verdict, their number says it of each.
        each_verdict_is_signed=claims.verdicts_digest is not None or len(claims.counts) == 1,
        key_is_revoked=key.is_revoked,
    )


def _check_sent(claims: Claims, asked: RequestReleaseRequest, key: bytes) -> None:
    _require(len(key) == _KEY_BYTES, "REQUEST_KEY_MALFORMED", "a key that is not 32 bytes long")
    sent = canonical_ids(asked.license_id, asked.purpose, asked.post_ids)
    digest = hashlib.sha256(key + sent).hexdigest()
    _require(digest == claims.request_digest, "REQUEST_DIFFERS", "other posts than those of the request")


def _check_told(claims: Claims, decision: Decision) -> None:
    if claims.verdicts_digest is None:
        return
    key = hashlib.sha256(decision.request_key + b"sluice/verdicts/v1").digest()
    digest = hashlib.sha256(key + block(decision.verdicts)).hexdigest()
    _require(digest == claims.verdicts_digest, "VERDICTS_DIFFER", "other verdicts")


def _check_manifest(claims: Claims, *, releases: bool) -> None:
    """Who is in the manifest, a licensee cannot say; that somebody is exactly if a post goes, they can."""
    nothing = manifest_root([]).hex()
    holds = (claims.manifest_leaves > 0, claims.manifest_root != nothing) == (releases, releases)
    _require(holds, "MANIFEST_DIFFERS", "a manifest that does not fit what was released")


def _require(holds: bool, reason: str, message: str) -> None:
    if not holds:
        raise VerificationError(reason, f"the receipt speaks of {message}")
