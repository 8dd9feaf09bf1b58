"""The register's recipes: answer checks, record choices, take imports over, announce and activate policies.

A choice is durable before it is acknowledged, and a check that starts afterwards sees it (C9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.chassis.clock import Clock
from services.chassis.replays import ReplayKey
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Revision
from services.consent.domain.choices import Draft, check_content
from services.consent.domain.outcomes import Imported, Published, Recorded
from services.consent.domain.policies import Policy, PolicyDraft
from services.consent.domain.subjects import Facts
from services.consent.domain.verdicts import Question
from services.consent.freshness import Freshness, SharedRead
from services.consent.index import View

POLICIES_A_PAGE = 50
"""Versions on a page when the caller does not say."""

T = TypeVar("T")


class Register(Protocol):
    """Where the records are. What is written is told to the index before the call returns."""

    async def head(self) -> Revision:
        """The revision given last, by a read that starts now."""
        ...

    async def load(self) -> None:
        """Has the index start over from the records."""
        ...

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        """Records a live choice; raises Refusal SUBJECT_UNKNOWN, TOO_MANY_SCOPES, REQUEST_ID_REUSED."""
        ...

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey, now_us: int
    ) -> Imported:
        """Records (line, choice) rows that are new and can be; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def import_subjects(
        self, rows: Sequence[tuple[int, Facts]], key: ReplayKey, now_us: int
    ) -> Imported:
        """Records (subject id, facts) rows that say something new; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        """Announces a policy; raises Refusal as `check_policy` does, and REQUEST_ID_REUSED."""
        ...

    async def activate_due(self, now_us: int) -> None:
        """Activates the policies whose time has come, each once and for good."""
        ...

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        ...


@dataclass(frozen=True)
class Answer:
    """The answer to a check, and as of when."""

    reasons: NDArray[np.uint8]
    """A `Reason` a post."""
    revision: Revision
    policy_version: int
    """0 where none is in force."""
    checked_us: int
    """When the check began, microseconds UTC."""
    good_until_us: int
    """Until when a permit may rest on it (C9)."""


@dataclass(frozen=True)
class Acknowledged(Generic[T]):
    """A durable write."""

    outcome: T
    in_force_after_us: int
    """From then on no permit that does not go by it is valid any more (C9), microseconds UTC."""


class Registrar:
    """Keeps the register and answers from its index."""

    def __init__(
        self, register: Register, freshness: Freshness, clock: Clock, *, permit_us: int, margin_us: int
    ) -> None:
        """`permit_us`: the longest validity of a permit; `margin_us`: how far services' clocks may differ."""
        self._register = register
        self._freshness = freshness
        self._heads = SharedRead(register.head)
        self._clock = clock
        self._permit_us = permit_us
        self._margin_us = margin_us

    async def check(self, question: Question, batch: Batch) -> Answer:
        """A reason for each post, no older than the database is now.

        Raises Refusal DATABASE_UNAVAILABLE, INDEX_STALE: what cannot be read cannot be decided (C10).
        """
        started_us = self._clock.now_us()
        view = await self._current(started_us)
        in_force, change_us = view.policies.in_force(), view.policies.next_change_us()
        good_until_us = started_us + self._permit_us
        return Answer(
            view.reasons(question, batch),
            view.revision,
            0 if in_force is None else in_force.version,
            started_us,
            good_until_us if change_us is None else min(good_until_us, change_us),
        )

    async def record(self, draft: Draft, key: ReplayKey) -> Acknowledged[Recorded]:
        """Records a live choice.

        Raises Refusal PURPOSE_UNKNOWN, PURPOSE_NOT_CHOOSABLE, NOTICE_DIGEST_MISSING, SUBJECT_UNKNOWN,
        TOO_MANY_SCOPES, REQUEST_ID_REUSED.
        """
        check_content(draft)
        return self._acknowledge(await self._register.record(draft, key, self._clock.now_us()))

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey
    ) -> Acknowledged[Imported]:
        """Takes over (line, choice) rows, in their order, that have passed `check_content`."""
        return self._acknowledge(await self._register.import_choices(rows, key, self._clock.now_us()))

    async def import_subjects(
        self, rows: Sequence[tuple[int, Facts]], key: ReplayKey
    ) -> Acknowledged[Imported]:
        """Takes over (subject id, facts) rows that have passed `check_facts`."""
        return self._acknowledge(await self._register.import_subjects(rows, key, self._clock.now_us()))

    async def publish(self, draft: PolicyDraft, key: ReplayKey) -> Acknowledged[Published]:
        """Announces a policy.

        A check that begins after the acknowledgement knows of it: before the effective time its answer is
        good until then at most, from then on it goes by the new version. One that began earlier may not have
        known, and its answer is good for the permit time. So the later of the two ends bounds both kinds.

        Raises Refusal POLICY_RULES_OVERLAP, PURPOSE_UNKNOWN, PURPOSE_WITHOUT_REGIME, POLICY_IN_THE_PAST,
        POLICY_OUT_OF_ORDER, REQUEST_ID_REUSED.
        """
        published = await self._register.publish(draft, key, self._clock.now_us())
        return self._acknowledge(published, draft.effective_us)

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        return await self._register.policies(below, limit)

    async def activate_due(self) -> None:
        """Activates the policies whose time has come."""
        await self._current(self._clock.now_us())

    async def load(self) -> None:
        """Reads the whole index anew."""
        await self._register.load()

    async def _current(self, now_us: int) -> View:
        """The index as of the head, under the policy that `now_us` calls for (C3)."""
        view = await self._freshness.reach(await self._heads.get())
        if view.policies.due(now_us):
            await self._register.activate_due(now_us)
            # Whoever wrote the activation, it is in the head that is read now.
            view = await self._freshness.reach(await self._heads.get())
        return view

    def _acknowledge(self, outcome: T, effective_us: int = 0) -> Acknowledged[T]:
        # Counted from now, after the commit: a check that began until now may have missed the write. A
        # repeated request is told a later time than the first one was, which holds all the more.
        last_us = max(self._clock.now_us() + self._permit_us, effective_us)
        return Acknowledged(outcome, last_us + self._margin_us)
