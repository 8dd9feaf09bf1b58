"""Verifies one receipt together with the decision it is about (R3)."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post
from sluice_gate.verifying.claims import Claims, signed_claims
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.manifests import Leaf, leaves_of, manifest_root
from sluice_gate.verifying.requests import block, canonical_request, posts_of

_VERDICTS = {
    value.number: value.name.removeprefix("VERDICT_")
    for value in Verdict.DESCRIPTOR.values
    if value.number != Verdict.VERDICT_UNSPECIFIED
}
_SALT_BYTES = 32
LICENSEE = "licensee"
"""The kind of a principal who asked by post id."""


@dataclass(frozen=True)
class Evidence:
    """What a receipt speaks of, as the one who asked has kept it."""

    receipt: str
    """The compact JWS."""
    request: DecideRequest
    """What was sent."""
    verdicts: bytes
    """A Verdict for each post, as answered."""
    salt: bytes
    """The 32 bytes that open the digests."""
    manifest: Sequence[Leaf] | None = None
    """The leaves as kept, to be compared too. They follow from the rest: None where they were not kept."""
    resolved: DecideRequest | None = None
    """The columns that were decided on, where they are not those that were sent."""


@dataclass(frozen=True)
class VerifiedReceipt:
    """A receipt that says exactly what the evidence shows."""

    claims: Claims
    posts: tuple[Post, ...]
    """The posts that were decided on."""
    released: tuple[bool, ...]
    """For each of them whether it was released."""
    leaves: tuple[Leaf, ...]
    """The manifest."""
    key_is_revoked: bool
    """Its key was revoked later: only a checkpoint kept from before shows that it is as old as it says."""


def verify_receipt(evidence: Evidence, keys: Keys) -> VerifiedReceipt:
    """Recomputes everything that the receipt says about the evidence. Raises VerificationError."""
    claims, key = signed_claims(evidence.receipt, keys)
    asked = evidence.request
    check_asked(claims, asked.request_id, asked.license_id, asked.purpose)
    _check_resolved(evidence)
    posts = posts_of(evidence.resolved or evidence.request)
    _check_digests(claims, evidence, posts)
    released = check_verdicts(claims, evidence.verdicts, len(posts))
    leaves = leaves_of(posts, released, evidence.salt)
    _check_manifest(claims, evidence, leaves)
    check_times(claims, releases=any(released))
    return VerifiedReceipt(claims, tuple(posts), tuple(released), tuple(leaves), key.is_revoked)


def check_asked(claims: Claims, request_id: str, license_id: str, purpose_number: int) -> None:
    """Compares what the receipt says it was asked; raises VerificationError (REQUEST_DIFFERS)."""
    known = {number: name.removeprefix("PURPOSE_").lower() for name, number in Purpose.items()}
    purpose = known.get(purpose_number, str(purpose_number))
    asked = (request_id, license_id, purpose)
    _require(
        asked == (claims.request_id, claims.license_id, claims.purpose), "REQUEST_DIFFERS", "another request"
    )


def _check_resolved(evidence: Evidence) -> None:
    request = evidence.request
    resolved = evidence.resolved or request
    same = (resolved.license_id, resolved.purpose) == (request.license_id, request.purpose)
    _require(same, "REQUEST_DIFFERS", "columns resolved for another license or purpose")


def _check_digests(claims: Claims, evidence: Evidence, posts: list[Post]) -> None:
    _require(len(evidence.salt) == _SALT_BYTES, "SALT_MALFORMED", "a salt that is not 32 bytes long")
    license_id, purpose = evidence.request.license_id, evidence.request.purpose
    sent = canonical_request(license_id, purpose, posts_of(evidence.request))
    resolved = canonical_request(license_id, purpose, posts)
    asked = _salted(evidence.salt, b"sluice/request/v1", sent)
    _require(asked == claims.request_digest, "REQUEST_DIFFERS", "other posts than those of the request")
    decided = _salted(evidence.salt, b"sluice/resolved/v1", resolved + block(evidence.verdicts))
    _require(decided == claims.resolved_digest, "VERDICTS_DIFFER", "other verdicts or other resolved posts")


def check_verdicts(claims: Claims, verdicts: bytes, posts: int) -> list[bool]:
    """Which of the posts were released, if counts and outcome say so too; raises VerificationError."""
    _require(len(verdicts) == posts and posts > 0, "VERDICTS_DIFFER", "another number of posts")
    _require(
        all(verdict in _VERDICTS for verdict in verdicts), "VERDICTS_DIFFER", "verdicts that are unknown"
    )
    counts = Counter(_VERDICTS[verdict] for verdict in verdicts)
    _require(dict(counts) == claims.counts, "COUNTS_DIFFER", "other counts than its verdicts")
    released = [verdict == Verdict.VERDICT_RELEASED for verdict in verdicts]
    outcome = "RELEASED" if all(released) else "PARTIAL" if any(released) else "DENIED"
    _require(outcome == claims.outcome, "OUTCOME_DIFFERS", "another outcome than its verdicts")
    return released


def _check_manifest(claims: Claims, evidence: Evidence, leaves: list[Leaf]) -> None:
    _require(len(leaves) == claims.manifest_leaves, "MANIFEST_DIFFERS", "another number of contributors")
    root = manifest_root(leaves).hex()
    _require(root == claims.manifest_root, "MANIFEST_DIFFERS", "other contributors or posts")
    kept = evidence.manifest
    _require(kept is None or list(kept) == leaves, "MANIFEST_DIFFERS", "another manifest than the one kept")


def check_times(claims: Claims, *, releases: bool) -> None:
    """Compares what the receipt says about times, hold and consent with itself; raises VerificationError."""
    _require((claims.not_after is not None) == releases, "CLAIMS_CONTRADICT", "a permit that does not fit")
    # Times of one form compare as text.
    in_time = claims.not_after is None or claims.decided_at < claims.not_after
    _require(in_time, "CLAIMS_CONTRADICT", "a permit that ended before it began")
    held = (claims.reservation_id is None, claims.counted_at is None)
    consent = (claims.policy_version is None, claims.consent_epoch is None, claims.consent_revision is None)
    _require(len(set(held)) == 1 and len(set(consent)) == 1, "CLAIMS_CONTRADICT", "halves of a claim")
    if claims.principal_kind == LICENSEE:
        _require(consent[0], "CLAIMS_CONTRADICT", "consent, which is told to no licensee")
        return
    alone = claims.verdicts_digest is None
    _require(alone, "CLAIMS_CONTRADICT", "verdicts as to a licensee, though none has asked")
    _require(not (releases and consent[0]), "CLAIMS_CONTRADICT", "a release that consent was not asked about")


def _salted(salt: bytes, label: bytes, content: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(salt + label).digest() + content).hexdigest()


def _require(holds: bool, reason: str, message: str) -> None:
    if not holds:
        raise VerificationError(reason, f"the receipt speaks of {message}")
