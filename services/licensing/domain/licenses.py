"""Licensees and their licenses: where those stand (L1) and which posts they cover (L2)."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.chassis.refusals import Refusal, precondition
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


RECORDED_AS: Mapping[LicenseState, frozenset[LicenseState]] = {
    LicenseState.DRAFT: frozenset({LicenseState.DRAFT}),
    # The first version of a draft comes into force by itself.
    LicenseState.ACTIVE: frozenset({LicenseState.DRAFT, LicenseState.ACTIVE}),
    LicenseState.SUSPENDED: frozenset({LicenseState.SUSPENDED}),
    LicenseState.EXPIRED: frozenset({LicenseState.DRAFT, LicenseState.ACTIVE, LicenseState.SUSPENDED}),
    LicenseState.TERMINATED: frozenset({LicenseState.TERMINATED}),
}
"""What the state of a license was last set to, where it stands so now by `License.effective_state` (L1)."""


class Step(enum.Enum):
    """What an operator can do with a license whatever its version; activating one is in `versions`."""

    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


_STEPS: Mapping[tuple[LicenseState, Step], LicenseState] = {
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
class NextVersion:
    """A drafted version that is not in force yet."""

    version: int
    terms: Terms
    terms_digest: bytes
    effective_from_us: int | None
    """None until it is activated."""


@dataclass(frozen=True)
class License:
    """A license as it was last written. Times are microseconds since the epoch, UTC.

    Time alone puts a version into force whose hour was set: what holds at a time is `as_of` it.
    """

    license_id: str
    version: int
    """The one in force; of a draft, the drafted one."""
    state: LicenseState
    """As it was last set. Never EXPIRED: time says that, see `effective_state`."""
    terms: Terms
    terms_digest: bytes
    """SHA-256 of the stored document, 32 bytes."""
    created_at_us: int
    state_changed_at_us: int
    state_reason: str
    effective_from_us: int | None = None
    """Since when this version is in force; None while it is a draft."""
    next: NextVersion | None = None
    """The one version at most that is drafted or waits for its time; none once it is TERMINATED."""

    @property
    def next_from_us(self) -> int | None:
        """When the next version comes into force; None where there is none, or it has no time."""
        return None if self.next is None else self.next.effective_from_us

    @property
    def is_told(self) -> bool:
        """Whether its licensee is told of it: it was in force, or the time from which it will be is set."""
        ended = self.state is LicenseState.TERMINATED
        return self.effective_from_us is not None or (self.next_from_us is not None and not ended)

    def as_of(self, now_us: int) -> "License":
        """The license at `now_us`: with the next version in force if its time has come."""
        following = self.next
        if self.state is LicenseState.TERMINATED:
            # What was ended for good is not begun again by an hour that was set before, nor said to be.
            return self if following is None else replace(self, next=None)
        if following is None or following.effective_from_us is None or now_us < following.effective_from_us:
            return self
        return self.with_version(following)

    def with_version(self, following: NextVersion) -> "License":
        """The license with this version in force since the time that it names."""
        assert following.effective_from_us is not None, "it was activated"
        begins = self.state is LicenseState.DRAFT
        return replace(
            self,
            version=following.version,
            terms=following.terms,
            terms_digest=following.terms_digest,
            effective_from_us=following.effective_from_us,
            next=None,
            # A version changes what is permitted, not whether: one that is suspended stays so.
            state=LicenseState.ACTIVE if begins else self.state,
            state_changed_at_us=following.effective_from_us if begins else self.state_changed_at_us,
        )

    def effective_state(self, now_us: int) -> LicenseState:
        """Where it stands at `now_us`: EXPIRED from the end of its term on, unless it was terminated (L1)."""
        current = self.as_of(now_us)
        over = current.terms.understood and now_us >= current.terms.term_until_us
        if over and current.state is not LicenseState.TERMINATED:
            return LicenseState.EXPIRED
        return current.state

    def in_force(self, now_us: int) -> bool:
        """Whether it permits anything at `now_us`: ACTIVE, inside its term (L1), and understood (L2)."""
        current = self.as_of(now_us)
        inside_term = current.terms.term_from_us <= now_us < current.terms.term_until_us
        return current.terms.understood and current.state is LicenseState.ACTIVE and inside_term

    def permits_until_us(self, now_us: int) -> int:
        """The first instant after `now_us` at which time alone ends what it permits then (L1).

        That is the end of its term, or the hour of the next version if that is earlier. It says nothing of
        whether anything is permitted at `now_us`.
        """
        current = self.as_of(now_us)
        until_us, following_us = current.terms.term_until_us, current.next_from_us
        return until_us if following_us is None else min(until_us, following_us)

    def after(self, step: Step, now_us: int, reason: str) -> "License":
        """The license after an operator's step; raises Refusal (precondition, LICENSE_STATE_FORBIDS)."""
        current, state = self.as_of(now_us), self.effective_state(now_us)
        following = _STEPS.get((state, step))
        if following is None:
            raise state_forbids(state, step.value)
        # What happened never lies before what happened earlier, whatever the clock does.
        changed_at_us = max(now_us, current.state_changed_at_us)
        after = replace(current, state=following, state_changed_at_us=changed_at_us, state_reason=reason)
        return after.as_of(now_us)

    def covers(self, batch: Batch, now_us: int) -> Reasons:
        """N bytes: why the license does not cover each post, 0 where it does.

        Of several reasons for one post the first counts, in the order license, purpose, kind, language, time.
        It is the version in `self` that is asked: take the license `as_of` the time first.
        """
        return first_of(self.objections(batch, now_us), len(batch))

    def permits(self, purpose: int, now_us: int) -> bool:
        """Whether any post can go under it for this purpose now (L1)."""
        return self.in_force(now_us) and purpose in self.terms.purposes

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


def state_forbids(state: LicenseState, what: str) -> Refusal:
    """The refusal of what cannot be done where a license stands."""
    return precondition("LICENSE_STATE_FORBIDS", f"the license is {state.name.lower()}: it cannot {what}")
