"""The register's recipes: answer checks, record choices, take imports over, announce and activate policies.

A choice is durable before it is acknowledged, and a check that starts afterwards sees it, whichever process
it reaches (C9): every check waits for a read of the database that starts after it has arrived, and for the
index to have what that read has found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.chassis.clock import Clock
from services.chassis.replays import ReplayKey
from services.consent.acknowledging import Acknowledged, Acknowledger
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Follower, Revision
from services.consent.domain.choices import Draft, check_content
from services.consent.domain.halts import HaltScope
from services.consent.domain.outcomes import Imported, Objected, Published, Recorded, Retracted
from services.consent.domain.policies import Policy, PolicyDraft
from services.consent.domain.purposes import Signal
from services.consent.domain.subjects import Facts
from services.consent.domain.verdicts import Question
from services.consent.following import Following
from services.consent.index import Index, View
from services.consent.metrics import CHOICES

POLICIES_A_PAGE = 50
"""Versions on a page when the caller does not say."""


class Register(Protocol):
    """Where the records are; several processes may share them.

    `now_us` is when a request arrived. What it says is recorded as of when its turn came, which may be later.
    """

    async def follow(self, follower: Follower) -> None:
        """Brings the follower to the head, by one snapshot that is taken after this call.

        Raises Refusal DATABASE_UNAVAILABLE, DATABASE_BEHIND.
        """
        ...

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        """Records a live choice; raises Refusal SUBJECT_UNKNOWN, SUBJECT_ERASED, TOO_MANY_SCOPES."""
        ...

    async def object(
        self, subject_id: int, source: str, signals: frozenset[Signal], key: ReplayKey, now_us: int
    ) -> Objected:
        """Records the denies of those signals that this source has not sent before."""
        ...

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey, now_us: int
    ) -> Imported:
        """Records (line, choice) rows that are new and can be; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def import_subjects(
        self, rows: Sequence[tuple[int, int, Facts, int | None]], key: ReplayKey, now_us: int
    ) -> Imported:
        """Records (line, subject id, facts, as of) rows that say something new."""
        ...

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        """Announces a policy; raises Refusal as `check_policy` does, and REQUEST_ID_REUSED."""
        ...

    async def retract(self, version: int, key: ReplayKey, now_us: int) -> Retracted:
        """Retracts a policy; raises Refusal as `PolicyBook.check_retract` does, and REQUEST_ID_REUSED."""
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


class Registrar:
    """Keeps the register and answers from its index."""

    def __init__(self, register: Register, index: Index, clock: Clock, acknowledger: Acknowledger) -> None:
        self._register = register
        self._index = index
        self._following = Following(register, index, clock)
        self._clock = clock
        self._acknowledger = acknowledger

    async def check(
        self, question: Question, batch: Batch, halts: frozenset[HaltScope] | None = None
    ) -> Answer:
        """A reason for each post, no older than the database is now; under `halts`, or those in force (None).

        Raises Refusal DATABASE_UNAVAILABLE, DATABASE_BEHIND: what cannot be read cannot be decided (C10).
        """
        started_us = self._clock.now_us()
        await self._following.catch_up_for_check()
        view = (await self._view(started_us)).under(halts)
        await view.prepare(question)
        in_force, change_us = view.policies.in_force(), view.policies.next_change_us()
        good_until_us = started_us + self._acknowledger.permit_us
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
        SUBJECT_ERASED, TOO_MANY_SCOPES, REQUEST_ID_REUSED.
        """
        check_content(draft)
        recorded = await self._register.record(draft, key, self._clock.now_us())
        self._following.expect(recorded.revision)
        CHOICES.labels("choice").inc()
        return self._acknowledger.acknowledge(recorded)

    async def object(
        self, subject_id: int, source: str, signals: frozenset[Signal], key: ReplayKey
    ) -> Acknowledged[Objected]:
        """Records what objections deny, where this source sends them for the first time (C1)."""
        objected = await self._register.object(subject_id, source, signals, key, self._clock.now_us())
        self._following.expect(objected.revision)
        CHOICES.labels("objection").inc()
        return self._acknowledger.acknowledge(objected)

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey
    ) -> Acknowledged[Imported]:
        """Takes over (line, choice) rows, in their order, that have passed `check_content`."""
        imported = await self._register.import_choices(rows, key, self._clock.now_us())
        return self._acknowledger.acknowledge(await self.paced(imported))

    async def import_subjects(
        self, rows: Sequence[tuple[int, int, Facts, int | None]], key: ReplayKey
    ) -> Acknowledged[Imported]:
        """Takes over (line, subject id, facts, as of) rows that have passed `check_facts`."""
        imported = await self._register.import_subjects(rows, key, self._clock.now_us())
        return self._acknowledger.acknowledge(await self.paced(imported))

    async def publish(self, draft: PolicyDraft, key: ReplayKey) -> Acknowledged[Published]:
        """Announces a policy.

        A check that begins after the acknowledgement knows of it: before the effective time its answer is
        good until then at most, from then on it goes by the new version. One that began earlier may not have
        known, and its answer is good for the permit time. So the later of the two ends bounds both kinds.

        Raises Refusal POLICY_RULES_OVERLAP, PURPOSE_UNKNOWN, PURPOSE_WITHOUT_REGIME, POLICY_IN_THE_PAST,
        POLICY_TOO_FAR_AHEAD, POLICY_OUT_OF_ORDER, REQUEST_ID_REUSED.
        """
        published = await self._register.publish(draft, key, self._clock.now_us())
        return self._acknowledger.acknowledge(published, draft.effective_us)

    async def retract(self, version: int, key: ReplayKey) -> Retracted:
        """Retracts a version whose time has not come.

        No answer was given under it, and those that were cut short for it stay as they are: there is nothing
        to wait for. Raises Refusal POLICY_UNKNOWN, POLICY_IN_EFFECT, POLICY_RETRACTED, REQUEST_ID_REUSED.
        """
        return await self._register.retract(version, key, self._clock.now_us())

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        """At most `limit` versions below one, newest first."""
        return await self._register.policies(below, limit)

    async def paced(self, imported: Imported) -> Imported:
        """Holds an import back until the index has it, so that checks never wait for much."""
        await self._following.catch_up()
        return imported

    async def follow(self) -> None:
        """Follows the database and activates the policies whose time has come, where nobody asks."""
        await self.current(self._clock.now_us())

    async def current(self, now_us: int) -> View:
        """The index as of a head read after this call, under the policy that `now_us` calls for (C3)."""
        await self._following.catch_up()
        return await self._view(now_us)

    async def _view(self, now_us: int) -> View:
        view = self._index.view()
        if view.policies.due(now_us):
            await self._register.activate_due(now_us)
            # Whoever wrote the activation, it is in the head that is read now.
            await self._following.catch_up()
            view = self._index.view()
        return view
