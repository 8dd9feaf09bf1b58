"""Builders for consent, a register in memory, and the slow truth to compare both with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from services.chassis.database import Database
from services.chassis.refusals import Refusal, already_exists
from services.chassis.replays import ReplayKey
from services.consent.domain.batches import Batch
from services.consent.domain.changes import Change, Contents, Follower, Placement, Revision
from services.consent.domain.choices import (
    ALL_PURPOSES,
    EVERYONE,
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
from services.consent.domain.outcomes import Imported, Published, Recorded, rejected
from services.consent.domain.policies import (
    Activation,
    Policy,
    PolicyBook,
    PolicyDraft,
    Regime,
    Rule,
    check_policy,
)
from services.consent.domain.purposes import Purpose
from services.consent.domain.subjects import NO_STATES, Facts, Profile, State
from services.consent.domain.verdicts import EVERYWHERE, Question, Reason
from tests.support.clock import NOON_US

SCHEMA = Path(__file__).resolve().parents[2] / "services" / "consent" / "schema"
NOTICE = b"\x11" * 32
OTHER_NOTICE = b"\x22" * 32
GENERATIVE = Purpose.AI_TRAINING_GENERATIVE
SHARING = Purpose.THIRD_PARTY_SHARING
NEEDED_BY_OTHERS = SHARING

OutcomeT = TypeVar("OutcomeT", Recorded, Imported, Published)


def consent_database(folder: Path) -> Database:
    """A database of consent in `folder`, made or opened again."""
    return consent_database_at(f"sqlite:///{folder / 'consent.db'}")


def consent_database_at(url: str) -> Database:
    """The database at a URL, opened as the service does."""
    return Database.open(url, schema_dir=SCHEMA, name="consent", owned=True)


def a_scope(licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Scope:
    """Everyone and all purposes unless said."""
    return Scope(licensee, purpose)


def an_allow(at: int, revision: int, licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Choice:
    """An allow for everyone and everything unless said."""
    return Choice(Stance.ALLOW, Scope(licensee, purpose), at, revision)


def a_deny(at: int, revision: int, licensee: str = EVERYONE, purpose: int = ALL_PURPOSES) -> Choice:
    """A deny for everyone and everything unless said."""
    return Choice(Stance.DENY, Scope(licensee, purpose), at, revision)


def a_draft(
    stance: Stance = Stance.DENY,
    subject_id: int = 7,
    *,
    licensee: str = EVERYONE,
    purpose: int = ALL_PURPOSES,
    claimed_us: int | None = None,
    notice_digest: bytes = NOTICE,
) -> Draft:
    """Subject 7 denies everything to everyone, unless said."""
    return Draft(subject_id, stance, Scope(licensee, purpose), 1, notice_digest, claimed_us)


def some_facts(
    jurisdiction: str = "US", states: State = NO_STATES, notices: Iterable[bytes] = (NOTICE,)
) -> Facts:
    """An ordinary account in the US that was served the notice, unless said."""
    return Facts(jurisdiction, states, frozenset(notices))


def a_policy_draft(
    effective_us: int = NOON_US,
    regime: Regime = Regime.OPT_OUT,
    jurisdictions: Sequence[str] = ("US", "DE"),
    rules: tuple[Rule, ...] | None = None,
) -> PolicyDraft:
    """OPT_OUT for generative training and sharing in the US and Germany, unless said."""
    if rules is None:
        rules = tuple(
            Rule(place, purpose, regime) for place in jurisdictions for purpose in (GENERATIVE, SHARING)
        )
    return PolicyDraft(effective_us, b"\x33" * 32, rules, frozenset({NOTICE}))


def a_policy(regime: Regime = Regime.OPT_OUT, *rules: Rule, version: int = 1) -> Policy:
    """A policy in force."""
    draft = a_policy_draft(regime=regime, rules=rules or None)
    return Policy(version, draft, Activation(NOON_US, version))


def a_question(
    licensee: str = "acme", purpose: int = GENERATIVE, jurisdictions: frozenset[str] = EVERYWHERE
) -> Question:
    """Acme asks for generative training, everywhere, unless said."""
    return Question(licensee, purpose, jurisdictions)


def a_batch(*posts: Sequence[int]) -> Batch:
    """Posts as (author, authors of embeds ...)."""
    offsets = np.cumsum([0, *(len(post) - 1 for post in posts)], dtype=np.uint32)
    embeds = [embed for post in posts for embed in post[1:]]
    return Batch(np.array([post[0] for post in posts], np.uint64), offsets, np.array(embeds, np.uint64))


def a_key(number: int = 1, digest: bytes = b"\x44" * 32) -> ReplayKey:
    """The key of the n-th request of an operator."""
    return ReplayKey("operator:ada", "Write", f"00000000-0000-7000-8000-{number:012d}", digest)


def a_placement(profile_ids: Mapping[int, int]) -> Placement:
    """Subjects with their profiles."""
    return Placement(np.array(list(profile_ids), np.uint64), np.array(list(profile_ids.values()), np.uint32))


def names(reasons: NDArray[np.uint8]) -> list[str]:
    """Reasons as people read them."""
    return [Reason(reason).name for reason in reasons.tolist()]


# The slow truth: the rules as they are written, asked of a whole history.


def slow_reason(
    history: Sequence[Choice], facts: Facts | None, question: Question, policy: Policy | None
) -> Reason:
    """C2, C3, C4 and C7 for one contributor, from everything they ever chose."""
    if facts is None:
        return Reason.SUBJECT_UNKNOWN
    for bit, reason in enumerate(range(Reason.SUBJECT_MINOR, Reason.SUBJECT_PROTECTED + 1)):
        if facts.states & (1 << bit):
            return Reason(reason)
    covered = question.jurisdictions
    if covered != EVERYWHERE and not {facts.jurisdiction, facts.jurisdiction[:2]} & covered:
        return Reason.JURISDICTION_NOT_LICENSED
    if question.purpose == Purpose.VETTED_RESEARCH:
        return Reason.ALLOWED
    first = _slow_purpose(history, facts, question, question.purpose, policy)
    if first is not Reason.ALLOWED or question.purpose == NEEDED_BY_OTHERS:
        return first
    return _slow_purpose(history, facts, question, NEEDED_BY_OTHERS, policy)


def _slow_purpose(
    history: Sequence[Choice], facts: Facts, question: Question, purpose: int, policy: Policy | None
) -> Reason:
    rules = {} if policy is None else {(r.jurisdiction, r.purpose): r.regime for r in policy.draft.rules}
    if not any(named == purpose for _, named in rules):
        return Reason.NO_POLICY
    regime = rules.get(
        (facts.jurisdiction, purpose), rules.get((facts.jurisdiction[:2], purpose), Regime.OPT_IN)
    )
    if regime is Regime.PROHIBITED:
        return Reason.PROHIBITED
    # C7: on behalf of another purpose, an allow that names that one counts as if it named this one.
    seen = [
        replace(choice, scope=Scope(choice.scope.licensee, purpose))
        if choice.stance is Stance.ALLOW and choice.scope.purpose == question.purpose
        else choice
        for choice in history
    ]
    covering = [
        choice
        for choice in seen
        if choice.scope.licensee in {EVERYONE, question.licensee}
        and choice.scope.purpose in {ALL_PURPOSES, purpose}
    ]
    allows = [choice for choice in covering if choice.stance is Stance.ALLOW]
    for deny in covering:
        if deny.stance is Stance.DENY and not any(_slow_lifts(allow, deny) for allow in allows):
            return Reason.CHOICE_DENIES
    if allows:
        return Reason.ALLOWED
    if regime is Regime.OPT_IN:
        return Reason.NOT_OPTED_IN
    assert policy is not None
    return Reason.ALLOWED if facts.notices & policy.draft.notices else Reason.NOTICE_NOT_SERVED


def _slow_lifts(allow: Choice, deny: Choice) -> bool:
    later = allow.stated_us > deny.stated_us and allow.revision > deny.revision
    licensee = deny.scope.licensee in {EVERYONE, allow.scope.licensee}
    purpose = deny.scope.purpose in {ALL_PURPOSES, allow.scope.purpose}
    return later and licensee and purpose


def slow_post(contributors: Sequence[Reason]) -> Reason:
    """C6: the first contributor that is denied."""
    for reason in contributors:
        if reason is not Reason.ALLOWED:
            return reason
    return Reason.ALLOWED


class MemoryRegister:
    """A register that keeps every record and works everything out from them again, each time."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._number = 0
        self._choices: dict[int, list[Choice]] = {}
        self._contents: dict[tuple[object, ...], int] = {}
        self._facts: dict[int, Facts] = {}
        self._policies: list[Policy] = []
        self._profiles: dict[Profile, int] = {}
        self._answers: dict[tuple[str, str, str], tuple[bytes, Recorded | Imported | Published]] = {}

    async def head(self) -> Revision:
        return Revision(1, self._number)

    async def load(self) -> None:
        subjects = self._choices.keys() | self._facts.keys()
        placed = a_placement({subject_id: self._profile_id(subject_id) for subject_id in subjects})
        profiles = {profile_id: profile for profile, profile_id in self._profiles.items()}
        self._follower.replace(Contents(await self.head(), placed, profiles, self._book()))

    async def record(self, draft: Draft, key: ReplayKey, now_us: int) -> Recorded:
        earlier = self._earlier(key)
        if earlier is not None:
            assert isinstance(earlier, Recorded)
            return earlier
        check_subject(draft, known=draft.subject_id in self._facts)
        check_room(draft, self._choices.get(draft.subject_id, []))
        times = [choice.stated_us for choice in self._choices.get(draft.subject_id, [])]
        stated_us = stamp_live(now_us, max(times, default=None))
        before = self._number
        self._add(replace(draft, claimed_us=stated_us), stated_us)
        self._follow(before, {draft.subject_id})
        return self._keep(key, Recorded(await self.head(), stated_us))

    async def import_choices(
        self, rows: Sequence[tuple[int, Draft]], key: ReplayKey, now_us: int
    ) -> Imported:
        earlier = self._earlier(key)
        if earlier is not None:
            assert isinstance(earlier, Imported)
            return earlier
        before, unchanged, refused, touched = self._number, 0, [], set()
        for line, draft in rows:
            try:
                check_claimed_time(draft, now_us)
                check_subject(draft, known=draft.subject_id in self._facts)
                check_room(draft, self._choices.get(draft.subject_id, []))
            except Refusal as refusal:
                refused.append(rejected(line, refusal))
                continue
            stated_us = self._stamp(draft, now_us)
            if stated_us is None:
                unchanged += 1
                continue
            self._add(draft, stated_us)
            touched.add(draft.subject_id)
        accepted = self._number - before
        self._follow(before, touched)
        return self._keep(key, Imported(accepted, unchanged, tuple(refused), await self.head()))

    async def import_subjects(
        self, rows: Sequence[tuple[int, Facts]], key: ReplayKey, now_us: int
    ) -> Imported:
        earlier = self._earlier(key)
        if earlier is not None:
            assert isinstance(earlier, Imported)
            return earlier
        before, touched = self._number, set()
        for subject_id, facts in rows:
            if self._facts.get(subject_id) != facts:
                self._facts[subject_id] = facts
                self._number += 1
                touched.add(subject_id)
        accepted = self._number - before
        self._follow(before, touched)
        return self._keep(key, Imported(accepted, len(rows) - accepted, (), await self.head()))

    async def publish(self, draft: PolicyDraft, key: ReplayKey, now_us: int) -> Published:
        earlier = self._earlier(key)
        if earlier is not None:
            assert isinstance(earlier, Published)
            return earlier
        check_policy(draft, self._book().latest_effective_us(), now_us)
        before = self._number
        self._number += 1
        self._policies.append(Policy(len(self._policies) + 1, draft))
        self._follow(before, set(), self._book())
        return self._keep(key, Published(len(self._policies), await self.head()))

    async def activate_due(self, now_us: int) -> None:
        before = self._number
        for policy in self._book().due(now_us):
            self._number += 1
            activation = Activation(now_us, self._number)
            self._policies[policy.version - 1] = replace(policy, activation=activation)
        self._follow(before, set(), self._book())

    async def policies(self, below: int | None, limit: int) -> tuple[Policy, ...]:
        newest_first = [p for p in reversed(self._policies) if below is None or p.version < below]
        return tuple(newest_first[:limit])

    def _earlier(self, key: ReplayKey) -> Recorded | Imported | Published | None:
        digest, answer = self._answers.get((key.principal, key.operation, key.request_id), (None, None))
        if digest is not None and digest != key.digest:
            raise already_exists("REQUEST_ID_REUSED", "this request_id was used before with other content")
        return answer

    def _keep(self, key: ReplayKey, answer: OutcomeT) -> OutcomeT:
        self._answers[key.principal, key.operation, key.request_id] = (key.digest, answer)
        return answer

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

    def _content(self, draft: Draft) -> tuple[object, ...]:
        return (draft.subject_id, draft.stance, draft.scope, draft.claimed_us, draft.notice_digest)

    def _book(self) -> PolicyBook:
        return PolicyBook(tuple(self._policies))

    def _profile_id(self, subject_id: int) -> int:
        standing = standing_of(self._choices.get(subject_id, []))
        profile = Profile(self._facts.get(subject_id), standing)
        return self._profiles.setdefault(profile, len(self._profiles) + 1)

    def _follow(self, before: int, touched: set[int], policies: PolicyBook | None = None) -> None:
        if self._number == before:
            return
        known = len(self._profiles)
        placed = a_placement({subject_id: self._profile_id(subject_id) for subject_id in touched})
        new = {number: profile for profile, number in self._profiles.items() if number > known}
        self._follower.apply(Change(Revision(1, before), Revision(1, self._number), placed, new, policies))
