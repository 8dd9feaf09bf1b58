"""Seals a draft: at its conclusion it is numbered, dated and signed, and is a decision from then on."""

from typing import Protocol

from services.licensing.domain.decisions import Decision, Draft
from services.licensing.domain.manifests import Manifest
from services.licensing.domain.receipts import Conclusion, payload_of, sandbox_payload_of


class Signer(Protocol):
    """Who signs receipts."""

    def sign(self, payload: bytes, decided_at_us: int) -> str: ...


class Seal:
    """Makes decisions of drafts, inside the transaction that records them."""

    def __init__(self, signer: Signer, permit_us: int) -> None:
        """`permit_us` is the longest that a permit may be valid, whatever consent said."""
        self._signer = signer
        self._permit_us = permit_us

    def seal(self, draft: Draft, manifest: Manifest, number: int, decided_at_us: int) -> Decision:
        """The decision, with its receipt. The license in `draft` is the one that stands at its conclusion."""
        not_after_us = self._not_after_us(draft, decided_at_us)
        conclusion = Conclusion(draft.decision_id, number, decided_at_us, not_after_us)
        receipt = self._signer.sign(payload_of(draft, manifest, conclusion), decided_at_us)
        return _sealed(draft, conclusion, receipt)

    def _not_after_us(self, draft: Draft, decided_at_us: int) -> int | None:
        if not draft.releases or draft.consent is None:
            return None
        # A consent that names a time far ahead, by mistake or worse, must not outlive our own limit (C9).
        ours_us = decided_at_us + self._permit_us
        # Nor may a permit be used when its term is over, or under a version that another has followed (L1).
        return min(draft.consent.good_until_us, ours_us, draft.license.permits_until_us(decided_at_us))


class SandboxSeal:
    """Makes of a draft what is answered in the sandbox: dated, signed as such, without number or permit."""

    def __init__(self, signer: Signer) -> None:
        """`signer` is one whose receipts are marked as those of the sandbox."""
        self._signer = signer

    def seal(self, draft: Draft, manifest: Manifest, decided_at_us: int) -> Decision:
        """The answer, with its receipt. It is a decision in form; no ledger knows it."""
        conclusion = Conclusion(draft.decision_id, None, decided_at_us, None)
        receipt = self._signer.sign(sandbox_payload_of(draft, manifest, conclusion), decided_at_us)
        return _sealed(draft, conclusion, receipt)


def _sealed(draft: Draft, conclusion: Conclusion, receipt: str) -> Decision:
    batch, license, consent = draft.request.batch, draft.license, draft.consent
    return Decision(
        decision_id=draft.decision_id,
        number=conclusion.number or 0,
        asker=draft.request.asker,
        fingerprint=draft.request.fingerprint,
        licensee_id=license.terms.licensee_id,
        license_id=license.license_id,
        license_version=license.version,
        terms_digest=license.terms_digest,
        purpose=batch.purpose,
        reasons=draft.reasons,
        kinds=batch.kinds,
        media_flags=batch.media_flags,
        salt=draft.salt,
        policy_version=consent.policy_version if consent else None,
        consent_revision=consent.revision if consent else None,
        hold=draft.hold,
        no_room=draft.no_room,
        decided_at_us=conclusion.decided_at_us,
        not_after_us=conclusion.not_after_us,
        trace_id=draft.request.trace_id,
        receipt=receipt,
    )
