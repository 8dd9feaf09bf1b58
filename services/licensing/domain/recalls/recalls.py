"""A recall: what one licensee is told to delete, by when, and what became of it (W2, W3)."""

import enum
from dataclasses import dataclass


class RecallState(enum.IntEnum):
    """How far a recall has come; the numbers of `sluice.licensing.v1.RecallState`, but for the first."""

    COLLECTING = 0
    """Nobody is shown it yet."""
    ISSUED = 1
    ACKNOWLEDGED = 2
    DELETED = 3
    CANNOT_UNTRAIN = 4
    REFUSED = 5
    OVERDUE = 6


RESOLVED = frozenset({RecallState.DELETED, RecallState.CANNOT_UNTRAIN, RecallState.REFUSED})
COPIES_DELETED = frozenset({RecallState.DELETED, RecallState.CANNOT_UNTRAIN})
"""Outcomes after which the licensee has no copy any more."""


class Gap(enum.IntEnum):
    """Why a release could still go out when its withdrawal had been received (W3).

    The numbers of `sluice.licensing.v1.ReleaseGap.Kind`; 0 where it could not.
    """

    NONE = 0
    PERMIT_OPEN = 1
    DECIDED_AFTER = 2


@dataclass(frozen=True)
class Attestation:
    """What a person at the licensee stands for."""

    name: str
    role: str
    statement: str
    document_digest: bytes
    """32 bytes, or none."""


@dataclass(frozen=True)
class Resolution:
    """How a recall ended, once and for good."""

    outcome: RecallState
    """One of RESOLVED."""
    attestation: Attestation
    resolved_at_us: int
    resolved_by: str
    """Kind and party of the principal."""


@dataclass(frozen=True)
class Recall:
    """A recall as it stands. Times are microseconds since the epoch, UTC."""

    recall_id: str
    licensee_id: str
    state: RecallState
    collecting_since_us: int
    withdrawals: int
    posts: int
    """One for each withdrawal that names them."""
    number: int | None = None
    """Of its licensee's recalls, in the order of issue. This and the next three: None while collecting."""
    place: int | None = None
    """Among all recalls, in the order of issue; no licensee is shown it."""
    issued_at_us: int | None = None
    due_at_us: int | None = None
    """The first instant at which it is overdue."""
    acknowledged_at_us: int | None = None
    overdue_at_us: int | None = None
    """When it became overdue; stays when it is resolved after all."""
    resolution: Resolution | None = None
