"""Recipes for what is no choice: states of subjects and posts, halts, and a subject's records as a whole."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.clock import Clock
from services.chassis.refusals import invalid
from services.chassis.replays import ReplayKey
from services.consent.acknowledging import Acknowledged, Acknowledger
from services.consent.domain.changes import Revision
from services.consent.domain.choices import subject_unknown
from services.consent.domain.dossiers import ChoiceRecord, Dossier
from services.consent.domain.explanations import Known, Step, explain
from services.consent.domain.halts import Halt, HaltOrder, check_order
from services.consent.domain.outcomes import Erased, Halted, Imported
from services.consent.domain.state_changes import StateRow
from services.consent.domain.subject_standings import SubjectStanding, standing_of_subject
from services.consent.domain.subjects import Subject
from services.consent.domain.verdicts import Question
from services.consent.registrar import Registrar


class Custody(Protocol):
    """Where the records are; of times the same is true as of `Register`."""

    async def record_states(self, rows: Sequence[StateRow], key: ReplayKey, now_us: int) -> Imported:
        """Records changes of state that change something; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def order_halt(self, order: HaltOrder, key: ReplayKey, now_us: int) -> Halted:
        """Records a halt; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def lift_halt(self, halt_id: int, key: ReplayKey, now_us: int) -> Halted:
        """Records its end; raises Refusal HALT_UNKNOWN, HALT_ENDED, REQUEST_ID_REUSED."""
        ...

    async def halts(self, below: int | None, limit: int, *, in_force_only: bool) -> tuple[Halt, ...]:
        """At most `limit` with an id below one, newest first."""
        ...

    async def erase(self, subject_id: int, key: ReplayKey, now_us: int) -> Erased:
        """Takes a subject's records away; raises Refusal REQUEST_ID_REUSED."""
        ...

    async def dossier(self, subject_id: int, now_us: int) -> Dossier | None:
        """All records of a subject; None where there are none."""
        ...

    async def known(self, subject_id: int, post_id: int, as_of_us: int) -> tuple[Known, Revision]:
        """What was known at a time, and how far the records had come; raises Refusal SUBJECT_ERASED."""
        ...

    async def known_now(self, subject_id: int) -> tuple[Known, Revision]:
        """What is known, of no post, and how far the records have come; of the erased there is nothing."""
        ...

    async def standing(self, subject_id: int) -> tuple[Subject, tuple[ChoiceRecord, ...], Revision]:
        """A subject as of now, with the choices that still matter, oldest first."""
        ...

    async def choices(
        self, subject_id: int, below: int | None, limit: int
    ) -> tuple[tuple[ChoiceRecord, ...], Revision]:
        """At most `limit` of a subject's choices with a revision below one, newest first."""
        ...


@dataclass(frozen=True)
class Explained:
    """Why, and as of when."""

    steps: tuple[Step, ...]
    policy_version: int
    """0 for none."""
    revision: Revision
    as_of_us: int


@dataclass(frozen=True)
class StandingNow:
    """What follows for a subject, and as of when."""

    standing: SubjectStanding
    policy_version: int
    """0 for none."""
    revision: Revision
    as_of_us: int


class Custodian:
    """Keeps states, halts and records."""

    def __init__(
        self, custody: Custody, registrar: Registrar, clock: Clock, acknowledger: Acknowledger
    ) -> None:
        self._custody = custody
        self._registrar = registrar
        self._clock = clock
        self._acknowledger = acknowledger

    async def record_states(self, rows: Sequence[StateRow], key: ReplayKey) -> Acknowledged[Imported]:
        """Takes changes that have passed `check_subject_change` or `check_post_change`."""
        imported = await self._custody.record_states(rows, key, self._clock.now_us())
        return self._acknowledger.acknowledge(await self._registrar.paced(imported))

    async def order_halt(self, order: HaltOrder, key: ReplayKey) -> tuple[Acknowledged[Halted], Halt]:
        """Halts; raises Refusal PURPOSE_UNKNOWN, REQUEST_ID_REUSED."""
        check_order(order)
        halted = await self._custody.order_halt(order, key, self._clock.now_us())
        return self._acknowledger.acknowledge(halted), await self._halt(halted.halt_id)

    async def lift_halt(self, halt_id: int, key: ReplayKey) -> tuple[Halted, Halt]:
        """Ends a halt; raises Refusal HALT_UNKNOWN, HALT_ENDED, REQUEST_ID_REUSED."""
        halted = await self._custody.lift_halt(halt_id, key, self._clock.now_us())
        return halted, await self._halt(halted.halt_id)

    async def halts(self, below: int | None, limit: int, *, in_force_only: bool) -> tuple[Halt, ...]:
        """At most `limit` with an id below one, newest first."""
        return await self._custody.halts(below, limit, in_force_only=in_force_only)

    async def erase(self, subject_id: int, key: ReplayKey) -> Acknowledged[Erased]:
        """Erases a subject (C11); raises Refusal REQUEST_ID_REUSED."""
        erased = await self._custody.erase(subject_id, key, self._clock.now_us())
        return self._acknowledger.acknowledge(erased)

    async def dossier(self, subject_id: int) -> Dossier:
        """All records of a subject; raises Refusal SUBJECT_UNKNOWN."""
        dossier = await self._custody.dossier(subject_id, self._clock.now_us())
        if dossier is None:
            raise subject_unknown()
        return dossier

    async def explain(
        self, subject_id: int, post_id: int, question: Question, as_of_us: int | None
    ) -> Explained:
        """Why a post of a contributor may go or not, now or as it was known at a time.

        Raises Refusal AS_OF_IN_FUTURE, SUBJECT_ERASED.
        """
        now_us = self._clock.now_us()
        told_us = now_us if as_of_us is None else as_of_us
        if as_of_us is not None and as_of_us > now_us:
            raise invalid("AS_OF_IN_FUTURE", "nothing is known of the future", field="as_of")
        if as_of_us is None:
            # As a check would see it, a policy that is due included; what was recorded meanwhile too.
            await self._registrar.current(now_us)
            at_us = self._clock.now_us() + _ANY_SKEW_US
        else:
            at_us = as_of_us
        known, revision = await self._custody.known(subject_id, post_id, at_us)
        return Explained(explain(known, question), _version_of(known), revision, told_us)

    async def standing_now(self, subject_id: int, licensees: Collection[str]) -> StandingNow:
        """What follows for a subject, of whom anything may be on record or nothing; also for `licensees`."""
        now_us = self._clock.now_us()
        # As a check would see it, a policy that is due included (C3).
        await self._registrar.current(now_us)
        known, revision = await self._custody.known_now(subject_id)
        # Who names a hundred licensees takes a while, in which others are to be answered.
        standing = await asyncio.to_thread(standing_of_subject, known, licensees)
        return StandingNow(standing, _version_of(known), revision, now_us)

    async def standing(self, subject_id: int) -> tuple[Subject, tuple[ChoiceRecord, ...], Revision]:
        """A subject as of now; raises Refusal SUBJECT_UNKNOWN where nothing is on record of them."""
        subject, choices, revision = await self._custody.standing(subject_id)
        if subject == Subject():
            raise subject_unknown()
        return subject, choices, revision

    async def choices(
        self, subject_id: int, below: int | None, limit: int
    ) -> tuple[tuple[ChoiceRecord, ...], Revision]:
        """At most `limit` of a subject's choices with a revision below one, newest first."""
        return await self._custody.choices(subject_id, below, limit)

    async def _halt(self, halt_id: int) -> Halt:
        (halt,) = await self._custody.halts(halt_id + 1, 1, in_force_only=False)
        return halt


def _version_of(known: Known) -> int:
    return 0 if known.policy is None else known.policy.version


_ANY_SKEW_US = 2**60
"""Now is everything on record, also what a process whose clock is ahead has recorded."""
