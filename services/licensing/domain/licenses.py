"""Licensees and their licenses: where those stand (L1) and which posts they cover (L2)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import precondition
from services.licensing.domain.posts import Batch
from services.licensing.domain.reasons import Objection, Reason, Reasons, first_of
from services.licensing.domain.terms import Terms, digest_of


class LicenseState(enum.IntEnum):
    """Where a license stands; the numbers of `sluice.licensing.v1.LicenseState`."""

    DRAFT = 1
    ACTIVE = 2
    SUSPENDED = 3
    EXPIRED = 4
    TERMINATED = 5


class Step(enum.Enum):
    """What an operator can do with a license."""

    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


_STEPS: Mapping[tuple[LicenseState, Step], LicenseState] = {
    (LicenseState.DRAFT, Step.ACTIVATE): LicenseState.ACTIVE,
    (LicenseState.ACTIVE, Step.SUSPEND): LicenseState.SUSPENDED,
    (LicenseState.SUSPENDED, Step.RESUME): LicenseState.ACTIVE,
    (LicenseState.DRAFT, Step.TERMINATE): LicenseState.TERMINATED,
    (LicenseState.ACTIVE, Step.TERMINATE): LicenseState.TERMINATED,
    (LicenseState.SUSPENDED, Step.TERMINATE): LicenseState.TERMINATED,
    (LicenseState.EXPIRED, Step.TERMINATE): LicenseState.TERMINATED,
}


@dataclass(frozen=True)
class Licensee:
    """A party that may receive posts."""

    licensee_id: str
    display_name: str
    created_at_us: int


@dataclass(frozen=True)
class License:
    """A license as it stands. Times are microseconds since the epoch, UTC."""

    license_id: str
    version: int
    state: LicenseState
    """As it was last set. Never EXPIRED: time says that, see `effective_state`."""
    terms: Terms
    terms_digest: bytes
    """SHA-256 of the stored document, 32 bytes."""
    created_at_us: int
    state_changed_at_us: int
    state_reason: str

    def effective_state(self, now_us: int) -> LicenseState:
        """Where it stands at `now_us`: EXPIRED from the end of its term on, unless it was terminated (L1)."""
        over = self.terms.understood and now_us >= self.terms.term_until_us
        if over and self.state is not LicenseState.TERMINATED:
            return LicenseState.EXPIRED
        return self.state

    def in_force(self, now_us: int) -> bool:
        """Whether it permits anything at `now_us`: ACTIVE, inside its term (L1), and understood (L2)."""
        inside_term = self.terms.term_from_us <= now_us < self.terms.term_until_us
        return self.terms.understood and self.state is LicenseState.ACTIVE and inside_term

    def after(self, step: Step, now_us: int, reason: str) -> "License":
        """The license after an operator's step; raises Refusal (precondition, LICENSE_STATE_FORBIDS)."""
        state = self.effective_state(now_us)
        following = _STEPS.get((state, step))
        if following is None:
            raise precondition(
                "LICENSE_STATE_FORBIDS", f"the license is {state.name.lower()}: it cannot {step.value}"
            )
        # What happened never lies before what happened earlier, whatever the clock does.
        changed_at_us = max(now_us, self.state_changed_at_us)
        return replace(self, state=following, state_changed_at_us=changed_at_us, state_reason=reason)

    def covers(self, batch: Batch, now_us: int) -> Reasons:
        """N bytes: why the license does not cover each post, 0 where it does.

        Of several reasons for one post the first counts, in the order license, purpose, kind, language, time.
        """
        return first_of(self.objections(batch, now_us), len(batch))

    def objections(self, batch: Batch, now_us: int) -> tuple[Objection, ...]:
        """Everything that the license has against each post, as `covers` tells the first of it."""
        return (
            (Reason.LICENSE_NOT_ACTIVE, np.full(len(batch), not self.in_force(now_us))),
            (Reason.PURPOSE_NOT_LICENSED, np.full(len(batch), batch.purpose not in self.terms.purposes)),
            (Reason.KIND_NOT_LICENSED, ~self._covers_kind(batch)),
            (Reason.LANGUAGE_NOT_LICENSED, ~self._covers_language(batch)),
            (Reason.TIME_NOT_LICENSED, ~self._covers_time(batch)),
        )

    def _covers_kind(self, batch: Batch) -> NDArray[np.bool_]:
        licensed = np.zeros(256, dtype=np.bool_)
        licensed[list(self.terms.kinds)] = True
        return licensed[batch.kinds]

    def _covers_language(self, batch: Batch) -> NDArray[np.bool_]:
        licensed = np.array([self.terms.covers_language(language) for language in batch.languages], np.bool_)
        return licensed[batch.language_indexes]

    def _covers_time(self, batch: Batch) -> NDArray[np.bool_]:
        covered = np.ones(len(batch), dtype=np.bool_)
        if self.terms.posted_from_us is not None:
            covered &= batch.posted_at_us >= self.terms.posted_from_us
        if self.terms.posted_before_us is not None:
            covered &= batch.posted_at_us < self.terms.posted_before_us
        return covered


def draft(license_id: str, terms: Terms, now_us: int) -> License:
    """A new license, version 1, not yet in force."""
    return License(
        license_id=license_id,
        version=1,
        state=LicenseState.DRAFT,
        terms=terms,
        terms_digest=digest_of(terms.document()),
        created_at_us=now_us,
        state_changed_at_us=now_us,
        state_reason="",
    )
