"""Decisions as the rows of the ledger, and back."""

from typing import Any

import numpy as np
from sqlalchemy import Row

from services.licensing.domain.answers import Hold, NoRoom, Revision
from services.licensing.domain.decisions import Asker, Decision


def values_of(decision: Decision) -> dict[str, object]:
    """The row of a decision, but for when it was recorded."""
    revision, hold, no_room = decision.consent_revision, decision.hold, decision.no_room
    return {
        "decision_id": decision.decision_id,
        "number": decision.number,
        "principal": decision.asker.principal,
        "principal_kind": decision.asker.principal_kind,
        "request_id": decision.asker.request_id,
        "fingerprint": decision.fingerprint,
        "licensee_id": decision.licensee_id,
        "license_id": decision.license_id,
        "license_version": decision.license_version,
        "terms_digest": decision.terms_digest,
        "purpose": decision.purpose,
        "outcome": int(decision.outcome),
        "reasons": decision.reasons.tobytes(),
        "kinds": decision.kinds.tobytes(),
        "media_flags": decision.media_flags.tobytes(),
        "salt": decision.salt,
        "policy_version": decision.policy_version,
        "consent_epoch": revision and revision.epoch,
        "consent_revision": revision and revision.number,
        "reservation_id": hold and hold.reservation_id,
        "counted_at_us": hold and hold.counted_at_us,
        "decided_at_us": decision.decided_at_us,
        "not_after_us": decision.not_after_us,
        "room_allowance": no_room and no_room.allowance,
        "room_limit": no_room and no_room.limit,
        "room_retry_at_us": no_room and no_room.retry_at_us,
        "room_retry_is_exact": bool(no_room and no_room.retry_at_is_exact),
        "room_never_fits": bool(no_room and no_room.never_fits),
        "trace_id": decision.trace_id,
        "receipt": decision.receipt,
        "posts_released": decision.posts_released,
    }


def decision_of_row(row: Row[Any]) -> Decision:
    """A decision out of its row."""
    return Decision(
        decision_id=row.decision_id,
        number=row.number,
        asker=Asker(row.principal, row.principal_kind, row.request_id),
        fingerprint=row.fingerprint,
        licensee_id=row.licensee_id,
        license_id=row.license_id,
        license_version=row.license_version,
        terms_digest=row.terms_digest,
        purpose=row.purpose,
        reasons=np.frombuffer(row.reasons, np.uint8),
        kinds=np.frombuffer(row.kinds, np.uint8),
        media_flags=np.frombuffer(row.media_flags, np.uint8),
        salt=row.salt,
        policy_version=row.policy_version,
        consent_revision=_revision(row),
        hold=None if row.reservation_id is None else Hold(row.reservation_id, row.counted_at_us),
        no_room=_no_room(row),
        decided_at_us=row.decided_at_us,
        not_after_us=row.not_after_us,
        trace_id=row.trace_id,
        receipt=row.receipt,
    )


def _revision(row: Row[Any]) -> Revision | None:
    return None if row.consent_epoch is None else Revision(row.consent_epoch, row.consent_revision)


def _no_room(row: Row[Any]) -> NoRoom | None:
    if row.room_allowance is None:
        return None
    return NoRoom(
        allowance=row.room_allowance,
        limit=row.room_limit,
        retry_at_us=row.room_retry_at_us,
        retry_at_is_exact=row.room_retry_is_exact,
        never_fits=row.room_never_fits,
    )
