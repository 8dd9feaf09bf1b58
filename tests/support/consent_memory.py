"""A register of consent in memory; it passes the same tests as the one in a database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from services.chassis.refusals import Refusal, already_exists
from services.chassis.replays import ReplayKey
from services.consent.domain.changes import Follower, Revision
from services.consent.domain.choices import (
    Choice,
    Draft,
    Scope,
    Stance,
    check_claimed_time,
    check_room,
    check_subject,
    stamp_import,
    stamp_live,
    stamp_repeated,
    standing_of,
    still_standing,
)
from services.consent.domain.outcomes import Imported, Objected, Published, Recorded, Retracted, rejected
from services.consent.domain.policies import (
    Activation,
    Policy,
    PolicyBook,
    PolicyDraft,
    Retraction,
    check_policy,
)
from services.consent.domain.purposes import PURPOSES, Signal
from services.consent.domain.state_changes import subject_described
from services.consent.domain.subjects import Profile, Subject
from tests.support.consent import FactsRow, a_whole

Outcome = Recorded | Objected | Imported | Published | Retracted
OutcomeT = TypeVar("OutcomeT", Recorded, Objected, Imported, Published, Retracted)


class MemoryRegister:
    """Keeps every record, and whoever follows is told everything again from the first one on."""

    def __init__(self) -> None:
        self._number = 0
        self._choices: dict[int, list[Choice]] = {}
        self._contents: dict[tuple[Any, ...], int] = {}
        self._described: dict[int, Subject] = {}
        self._sent: set[tuple[int, str, Signal]] = set()
        self._policies: list[Policy] = []
        self._answers: dict[tuple[str, str, str], tuple[bytes, Outcome]] = {}

    @property
    def head(self) -> Revision:
        return Revision(1, self._number)

    async def follow(self, follower: Follower) -> None:
        if follower.revision == self.head:
            return
        subject_ids = sorted(self._choices.keys() | self._described.keys())
        profiles = {place: self._profile(who) for place, who in enumerate(subject_ids, 1)}
        placed = {who: place for place, who in enumerate(subject_ids, 1)}
        follower.prepare(a_whole(self.head, profiles, placed, self._policies))()

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        if earlier := self._earlier(key):
            return cast("Recorded", earlier)
        self._check(draft)
        stated_us = self._take_live(draft, now_us)
        return self._keep(key, Recorded(self.head, stated_us))

    async def object(
        self, subject_id: int, source: str, signals: frozenset[Signal], key: ReplayKey, now_us: int
    ) -> Objected:
        if earlier := self._earlier(key):
            return cast("Objected", earlier)
        recorded = []
        for signal in sorted(signals, key=lambda each: each.value):
            if (subject_id, source, signal) in self._sent:
                continue
            self._sent.add((subject_id, source, signal))
            for purpose in [number for number, traits in PURPOSES.items() if signal in traits.signals]:
                self._take_live(Draft(subject_id, Stance.DENY, Scope(purpose=purpose), 4), now_us)
                recorded.append(self._number)
        return self._keep(key, Objected(self.head, tuple(recorded)))

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey, now_us: int
    ) -> Imported:
        if earlier := self._earlier(key):
            return cast("Imported", earlier)
        before, unchanged, refused = self._number, 0, []
        for line, draft in rows:
            try:
                check_claimed_time(draft, now_us)
                self._check(draft)
            except Refusal as refusal:
                refused.append(rejected(line, refusal))
                continue
            if (stated_us := self._stamp(draft, now_us)) is None:
                unchanged += 1
            else:
                self._add(draft, stated_us)
        return self._keep(key, Imported(self._number - before, unchanged, tuple(refused), self.head))

    async def import_subjects(self, rows: Sequence[FactsRow], key: ReplayKey, now_us: int) -> Imported:
        if earlier := self._earlier(key):
            return cast("Imported", earlier)
        before, refused = self._number, []
        for line, subject_id, facts, as_of_us in rows:
            try:
                after = subject_described(self._subject(subject_id), facts, as_of_us, now_us)
            except Refusal as refusal:
                refused.append(rejected(line, refusal))
                continue
            if after is not None:
                self._described[subject_id] = after
                self._number += 1
        accepted = self._number - before
        unchanged = len(rows) - accepted - len(refused)
        return self._keep(key, Imported(accepted, unchanged, tuple(refused), self.head))

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        if earlier := self._earlier(key):
            return cast("Published", earlier)
        check_policy(draft, self._book().latest_effective_us(), now_us)
        self._number += 1
        self._policies.append(Policy(len(self._policies) + 1, draft))
        return self._keep(key, Published(len(self._policies), self.head))

    async def retract(self, version: int, key: ReplayKey, now_us: int) -> Retracted:
        if earlier := self._earlier(key):
            return cast("Retracted", earlier)
        self._book().check_retract(version, now_us)
        self._number += 1
        retraction = Retraction(now_us, self._number)
        self._policies[version - 1] = replace(self._policies[version - 1], retraction=retraction)
        return self._keep(key, Retracted(version, self.head))

    async def activate_due(self, now_us: int) -> None:
        for policy in self._book().due(now_us):
            self._number += 1
            activation = Activation(now_us, self._number)
            self._policies[policy.version - 1] = replace(policy, activation=activation)

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        newest_first = [p for p in reversed(self._policies) if below is None or p.version < below]
        return tuple(newest_first[:limit])

    def _earlier(self, key: ReplayKey) -> Outcome | None:
        digest, answer = self._answers.get((key.principal, key.operation, key.request_id), (None, None))
        if digest is not None and digest != key.digest:
            raise already_exists("REQUEST_ID_REUSED", "this request_id was used before with other content")
        return answer

    def _keep(self, key: ReplayKey, answer: OutcomeT) -> OutcomeT:
        self._answers[key.principal, key.operation, key.request_id] = (key.digest, answer)
        return answer

    def _check(self, draft: Draft) -> None:
        check_subject(draft, known=self._subject(draft.subject_id).known)
        check_room(draft, self._choices.get(draft.subject_id, []))

    def _take_live(self, draft: Draft, now_us: int) -> int:
        times = [choice.stated_us for choice in self._choices.get(draft.subject_id, [])]
        stated_us = stamp_live(now_us, max(times, default=None))
        self._add(replace(draft, claimed_us=stated_us), stated_us)
        return stated_us

    def _stamp(self, draft: Draft, now_us: int) -> int | None:
        if (recorded_us := self._contents.get(self._content(draft))) is None:
            return stamp_import(draft, now_us)
        kept = still_standing(self._choices[draft.subject_id])
        return stamp_repeated(draft, recorded_us, kept, now_us)

    def _add(self, draft: Draft, stated_us: int) -> None:
        self._number += 1
        self._contents[self._content(draft)] = stated_us
        choice = Choice(draft.stance, draft.scope, stated_us, self._number)
        self._choices.setdefault(draft.subject_id, []).append(choice)

    def _content(self, draft: Draft) -> tuple[Any, ...]:
        return (draft.subject_id, draft.stance, draft.scope, draft.claimed_us, draft.notice_digest)

    def _book(self) -> PolicyBook:
        return PolicyBook(tuple(self._policies))

    def _subject(self, subject_id: int) -> Subject:
        """As of the descriptions alone."""
        return self._described.get(subject_id, Subject())

    def _profile(self, subject_id: int) -> Profile:
        return Profile(self._subject(subject_id).facts, standing_of(self._choices.get(subject_id, [])))
