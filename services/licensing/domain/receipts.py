"""What a receipt says (R1), and the salted digests in it, as docs/receipt-format.md has them."""

from dataclasses import dataclass
from hashlib import sha256

from services.licensing.domain.canonical import canonical_json, rfc3339
from services.licensing.domain.decisions import Draft
from services.licensing.domain.manifests import Manifest
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import COARSE, Verdicts
from services.licensing.domain.releases import counts_of, outcome_of
from services.licensing.domain.terms import purpose_name

RECEIPT_VERSION = 1
_REQUEST_LABEL = b"sluice/request/v1"
_RESOLVED_LABEL = b"sluice/resolved/v1"
_VERDICTS_LABEL = b"sluice/verdicts/v1"


@dataclass(frozen=True)
class Conclusion:
    """What a draft gets at the moment in which it becomes a decision."""

    decision_id: str
    number: int | None
    """Of the receipt, in commit order, from 1; None in the sandbox."""
    decided_at_us: int
    not_after_us: int | None
    """None where nothing was released, and in the sandbox."""


def payload_of(draft: Draft, manifest: Manifest, conclusion: Conclusion) -> bytes:
    """The claims of the receipt in canonical JSON: what is signed."""
    claims = _claims_of(draft, manifest, conclusion)
    if draft.request.asker.is_licensee:
        # They cannot open the digest that binds verdicts to columns, so that they have one of their own (R3).
        digest = verdicts_digest(manifest.salt, COARSE[draft.reasons])
        claims["verdicts_digest"] = digest.hex()
    return canonical_json(claims)


def sandbox_payload_of(draft: Draft, manifest: Manifest, conclusion: Conclusion) -> bytes:
    """The same for the sandbox: a claim that no other receipt has says so, whatever its header says."""
    return canonical_json(_claims_of(draft, manifest, conclusion) | {"sandbox": True})


def _claims_of(draft: Draft, manifest: Manifest, conclusion: Conclusion) -> dict[str, object]:
    asker, batch, license = draft.request.asker, draft.request.batch, draft.license
    hold, verdicts = draft.hold, COARSE[draft.reasons]
    # Whether consent was asked, and how far it had come, would tell a licensee about people.
    consent = None if asker.is_licensee else draft.consent
    return {
        "v": RECEIPT_VERSION,
        "decision_id": conclusion.decision_id,
        "number": conclusion.number,
        "principal_kind": asker.principal_kind,
        "principal": asker.principal,
        "request_id": asker.request_id,
        "licensee_id": license.terms.licensee_id,
        "license_id": license.license_id,
        "license_version": license.version,
        "terms_digest": license.terms_digest.hex(),
        "purpose": purpose_name(batch.purpose),
        "outcome": outcome_of(verdicts).name,
        "policy_version": consent.policy_version if consent else None,
        "consent_epoch": consent.revision.epoch if consent else None,
        "consent_revision": consent.revision.number if consent else None,
        "reservation_id": hold.reservation_id if hold else None,
        "counted_at": rfc3339(hold.counted_at_us) if hold else None,
        "counts": counts_of(verdicts),
        "request_digest": request_digest(manifest.salt, draft.request.sent).hex(),
        "resolved_digest": resolved_digest(manifest.salt, batch, verdicts).hex(),
        "manifest_root": manifest.root.hex(),
        "manifest_leaves": len(manifest),
        "decided_at": rfc3339(conclusion.decided_at_us),
        "not_after": None if conclusion.not_after_us is None else rfc3339(conclusion.not_after_us),
        "trace_id": draft.request.trace_id or None,
    }


def request_digest(salt: bytes, sent: bytes) -> bytes:
    """The salted digest of what the caller sent, 32 bytes.

    `sent` is its canonical form, R or S; `salt` is the decision's.
    """
    return _salted(salt, _REQUEST_LABEL, sent)


def resolved_digest(salt: bytes, decided_on: Batch, verdicts: Verdicts) -> bytes:
    """The salted digest of the columns that were decided on and of their N verdicts, 32 bytes."""
    return _salted(salt, _RESOLVED_LABEL, decided_on.canonical(), _block(verdicts))


def verdicts_digest(salt: bytes, verdicts: Verdicts) -> bytes:
    """The digest of N verdicts under a key that follows from the request's, 32 bytes."""
    return _salted(request_key(salt), _VERDICTS_LABEL, _block(verdicts))


def request_key(salt: bytes) -> bytes:
    """What opens the digests of what was sent and of the verdicts, and nothing else; 32 bytes.

    The salt does not follow from it, so it may be told to licensees: about authors it lets nothing be tried.
    """
    return sha256(salt + _REQUEST_LABEL).digest()


def _block(verdicts: Verdicts) -> bytes:
    return len(verdicts).to_bytes(8, "little") + verdicts.tobytes()


def _salted(salt: bytes, label: bytes, *parts: bytes) -> bytes:
    digest = sha256(sha256(salt + label).digest())
    for part in parts:
        digest.update(part)
    return digest.digest()
