"""Any history at all: the index that followed, one made from nothing, and the slow truth say the same."""

import asyncio
import itertools
import shutil
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.chassis.refusals import Refusal
from services.chassis.replays import ReplayKey
from services.consent.domain.choices import Scope, Stance, still_standing
from services.consent.domain.halts import HaltScope
from services.consent.domain.outcomes import Imported
from services.consent.domain.policies import Regime
from services.consent.domain.posts import UNMARKED
from services.consent.domain.purposes import PURPOSES, Purpose, Signal
from services.consent.domain.state_changes import StateRow
from services.consent.domain.subjects import NO_STATES, Facts, State
from services.consent.domain.verdicts import Question, Reason
from services.consent.domain.withdrawals import Withdrawal
from services.consent.index import Index
from services.consent.storage.head import read_head
from tests.support.clock import NOON_US
from tests.support.consent import (
    GENERATIVE,
    NOTICE,
    OTHER_NOTICE,
    SHARING,
    FactsRow,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    a_question,
    facts_rows,
    some_facts,
)
from tests.support.consent_deaths import Death, die_in
from tests.support.consent_records import Records, read_records, read_states
from tests.support.consent_shelf import SqlShelf
from tests.support.consent_standings import check_standing
from tests.support.consent_told import what_denies
from tests.support.consent_truth import Told, slow_facts, slow_states, slow_withheld
from tests.support.consent_worlds import OF_POSTS, OF_SUBJECTS, World, changes_of, halt_scopes, scopes
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

PEOPLE = (1, 2, 3, 2**64 - 1)
KNOWN = PEOPLE[1:]
LONG_AGO_US = NOON_US - 1_000
POSTS = (1, 2, 3, 2**63)
QUESTIONS = (
    a_question(),
    a_question("other", SHARING),
    a_question(purpose=Purpose.AI_INDEX),
    Question("acme", GENERATIVE, frozenset({"US"}), frozenset({"DE"})),
    a_question("third", Purpose.VETTED_RESEARCH),
)
SINGLE = [[(post_id, who)] for post_id, who in zip(POSTS, PEOPLE, strict=True)]
ASKED = [*SINGLE, [(9, 1), (2, 2)], [(9, 3), (0, 0)], [(9, 5)]]
TAKEN_BACK = {
    *range(Reason.SUBJECT_UNKNOWN, Reason.CHOICE_DENIES + 1),
    *(Reason.POST_DENIED, Reason.POST_DELETED, Reason.WITHHELD),
}
"""Reasons that come about by something that takes back what was released before it."""

Write: TypeAlias = Callable[[ReplayKey], Coroutine[Any, Any, Any]]

who = st.sampled_from(PEOPLE)
times = st.none() | st.integers(-4, 6).map(lambda past: NOON_US + past)
described = st.builds(
    Facts,
    st.sampled_from(["US", "US", "DE", "FR"]),
    st.sampled_from([NO_STATES, NO_STATES, NO_STATES, State.MINOR, State.DELETED | State.SUSPENDED]),
    st.sampled_from([frozenset({NOTICE}), frozenset({NOTICE, OTHER_NOTICE}), frozenset()]),
    st.just(frozenset[str]()) | st.just(frozenset({"DE"})),
)
choice_rows = st.tuples(who, st.sampled_from(Stance), scopes, times)


state_rows = st.one_of(
    st.builds(StateRow, st.just(0), who, st.just(0), changes_of(OF_SUBJECTS, times)),
    st.builds(StateRow, st.just(0), st.just(0), st.sampled_from(POSTS), changes_of(OF_POSTS, times)),
)


class History(RuleBasedStateMachine):
    """What operators, platforms and subjects do, in any order."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.shelf = SqlShelf(url)
        self.latecomer = Index(seed=9)
        self.now_us = NOON_US
        self.requests = 0
        self.answered: list[tuple[Write, ReplayKey, Any]] = []
        self.subjects_told = {who: [Told(LONG_AGO_US, some_facts())] for who in KNOWN}
        self.posts_told: dict[int, list[Told]] = {}
        self.sent: set[tuple[int, str, Signal]] = set()
        self.before: dict[tuple[int, int], int] = {}
        self.head = 0
        self.death: Death | None = None

    def teardown(self) -> None:
        self.runner.run(self.shelf.close())
        self.runner.close()

    def write(self, request: Write) -> Any:
        """Under a fresh id; None where it is refused."""
        self.requests += 1
        key = a_key(self.requests)
        death, self.death = self.death, None
        try:
            outcome = self.runner.run(request(key) if death is None else self._dying(request, key, death))
        except Refusal as refusal:
            assert refusal.reason in {"SUBJECT_UNKNOWN", "SUBJECT_ERASED"}
            return None
        self.answered.append((request, key, outcome))
        return outcome

    @rule(us=st.integers(1, 3))
    def time_passes(self, us: int) -> None:
        self.now_us += us

    @rule(subject_id=who, stance=st.sampled_from(Stance), scope=scopes)
    def a_subject_chooses(self, subject_id: int, stance: Stance, scope: Scope) -> None:
        draft = a_draft(stance, subject_id, licensee=scope.licensee, purpose=scope.purpose)
        now_us = self.now_us
        self.write(lambda key: self.shelf.register.record(draft, key, now_us))

    @rule(
        subject_id=who,
        source=st.sampled_from(["browser", "chirp.example"]),
        signals=st.frozensets(st.sampled_from(Signal)),
    )
    def a_source_objects(self, subject_id: int, source: str, signals: frozenset[Signal]) -> None:
        now_us = self.now_us
        objected = self.write(
            lambda key: self.shelf.register.object(subject_id, source, signals, key, now_us)
        )
        new = {(subject_id, source, signal) for signal in signals} - self.sent
        if objected is not None:
            denied = [p for *_, signal in new for p in PURPOSES.values() if signal in p.signals]
            assert len(objected.recorded) == len(denied)
            self.sent |= new

    @rule(rows=st.lists(choice_rows, max_size=5))
    def choices_are_imported(self, rows: list[tuple[int, Stance, Scope, int | None]]) -> None:
        now_us = self.now_us
        drafts = [
            (line, a_draft(stance, subject_id, licensee=scope.licensee, purpose=scope.purpose, claimed_us=at))
            for line, (subject_id, stance, scope, at) in enumerate(rows, 1)
        ]
        self.write(lambda key: self.shelf.register.import_choices(drafts, key, now_us))

    @rule(rows=st.lists(st.tuples(who, described, times), max_size=4))
    def subjects_are_described(self, rows: list[tuple[int, Facts, int | None]]) -> None:
        now_us = self.now_us
        lines: list[FactsRow] = [(line, *row) for line, row in enumerate(rows, 1)]
        imported = self.write(lambda key: self.shelf.register.import_subjects(lines, key, now_us))
        for _, subject_id, said, as_of_us in _taken(lines, imported):
            told = self.subjects_told.setdefault(subject_id, [])
            if as_of_us is not None and as_of_us > now_us:
                told.extend(what_denies(said, slow_withheld(told), now_us))
            else:
                told.append(Told(now_us if as_of_us is None else as_of_us, said))

    @rule(rows=st.lists(state_rows, max_size=5))
    def states_change(self, rows: list[StateRow]) -> None:
        now_us = self.now_us
        lines = [row._replace(line=line) for line, row in enumerate(rows, 1)]
        imported = self.write(lambda key: self.shelf.custody.record_states(lines, key, now_us))
        for row in _taken(lines, imported):
            book = self.subjects_told if row.subject_id else self.posts_told
            told = book.setdefault(row.subject_id or row.post_id, [])
            at_us = row.change.occurred_us
            told.append(Told(now_us if at_us is None else min(at_us, now_us), row.change))

    @rule(scope=halt_scopes, recall=st.booleans(), ends=st.booleans())
    def an_operator_halts_or_lifts(self, scope: HaltScope, recall: bool, ends: bool) -> None:
        now_us = self.now_us
        in_force = self.runner.run(self.shelf.custody.halts(None, 50, in_force_only=True))
        order = a_halt_order(scope, recall=recall)
        if in_force and ends:
            self.write(lambda key: self.shelf.custody.lift_halt(in_force[-1].halt_id, key, now_us))
        else:
            self.write(lambda key: self.shelf.custody.order_halt(order, key, now_us))

    @rule(regime=st.sampled_from([Regime.OPT_IN, Regime.OPT_OUT, Regime.OPT_OUT, Regime.PROHIBITED]))
    def a_policy_is_announced(self, regime: Regime) -> None:
        now_us = self.now_us
        (newest,) = self.runner.run(self.shelf.register.policies(None, 1))
        draft = a_policy_draft(max(now_us, newest.draft.effective_us + 1), regime)
        self.write(lambda key: self.shelf.register.publish(draft, key, now_us))

    @rule()
    def the_newest_policy_takes_effect(self) -> None:
        (newest,) = self.runner.run(self.shelf.register.policies(None, 1))
        self.now_us = max(self.now_us, newest.draft.effective_us)
        self.runner.run(self.shelf.register.activate_due(self.now_us))

    @rule(subject_id=who)
    def a_subject_is_erased(self, subject_id: int) -> None:
        now_us = self.now_us
        self.write(lambda key: self.shelf.custody.erase(subject_id, key, now_us))
        self.subjects_told.pop(subject_id, None)

        records = self.shelf.database.read_now(read_records)
        assert subject_id in records.erased
        assert subject_id not in records.choices.keys() | records.facts.keys()

    @rule(subject_id=who)
    def a_subject_asks_what_follows(self, subject_id: int) -> None:
        self.runner.run(check_standing(self.shelf, subject_id))

    @precondition(lambda self: self.answered)
    @rule(choice=st.randoms(use_true_random=False))
    def a_request_is_repeated(self, choice: Any) -> None:
        request, key, outcome = choice.choice(self.answered)
        assert self.runner.run(request(key)) == outcome

    @rule()
    def the_service_is_started_again(self) -> None:
        self.runner.run(self.shelf.reopen())

    @rule(death=st.sampled_from(Death))
    def the_process_dies_in_the_next_write(self, death: Death) -> None:
        self.death = death

    @rule()
    def another_process_follows(self) -> None:
        self.runner.run(self.shelf.register.follow(self.latecomer))
        self.runner.run(self.shelf.register.follow(self.shelf.index))

        assert self.latecomer.revision == self.shelf.index.revision
        assert _answers(self.latecomer) == _answers(self.shelf.index)

    @invariant()
    def every_index_says_what_the_records_say(self) -> None:
        fresh = Index(seed=8)
        self.runner.run(self.shelf.register.follow(self.shelf.index))
        self.runner.run(self.shelf.register.follow(fresh))
        records = self.shelf.database.read_now(read_records)

        followed = _answers(self.shelf.index)

        assert followed == _answers(fresh)
        assert followed == {
            (number, place): _world(records, question).truth(post)
            for number, question in enumerate(QUESTIONS)
            for place, post in enumerate(ASKED)
        }
        self._check_withdrawals(followed)

    @invariant()
    def the_states_are_what_the_records_come_to(self) -> None:
        records, states = self.shelf.database.read_now(lambda c: (read_records(c), read_states(c)))

        for subject_id, subject in states.subjects.items():
            if subject_id in records.erased:
                assert (subject.erased, subject.facts, len(subject.choices)) == (True, None, 1)
                continue
            history = records.choices.get(subject_id, ())
            assert subject.choices == still_standing(history)
            assert subject.last_stated_us == max((choice.stated_us for choice in history), default=None)
            assert (
                subject.facts
                == records.facts.get(subject_id)
                == slow_facts(self.subjects_told.get(subject_id, []))
            )
        assert states.subjects.keys() == records.choices.keys() | records.facts.keys() | records.erased
        assert states.profiles == {subject.profile() for subject in states.subjects.values()}
        assert states.posts == records.posts
        for post_id, told in self.posts_told.items():
            state = records.posts.get(post_id, UNMARKED)
            assert {mark.name for mark in state.marks} == slow_states(told)
            assert state.withheld == slow_withheld(told)

    async def _dying(self, request: Write, key: ReplayKey, death: Death) -> Any:
        """C9: all of a write is there after a crash or nothing, and whoever repeats it gets its answer."""
        head = self.shelf.database.read_now(read_head)
        unheard = await die_in(self.shelf, request(key), death)
        found = self.shelf.database.read_now(read_head)
        outcome = await request(key)

        assert found == (outcome.revision if death is Death.AFTER else head)
        assert unheard in {None, outcome}
        return outcome

    def _check_withdrawals(self, now: dict[tuple[int, int], int]) -> None:
        """W1: what may go no more for something that somebody did was taken back."""
        withdrawn = [each for _, each in self.runner.run(self.shelf.withdrawals(above=self.head, limit=500))]
        for (number, place), reason in now.items():
            allowed = self.before.get((number, place)) == Reason.ALLOWED
            if allowed and reason in TAKEN_BACK and place < len(SINGLE):
                ((post_id, author_id),) = SINGLE[place]
                assert any(_matches(each, QUESTIONS[number], post_id, author_id) for each in withdrawn)
        self.before, self.head = now, self.shelf.index.view().revision.number


def _taken(lines: Any, imported: Imported | None) -> Iterator[Any]:
    assert imported is not None
    rejected = {row.line for row in imported.rejected}
    assert imported.accepted + imported.unchanged + len(rejected) == len(lines)
    return (line for line in lines if line[0] not in rejected)


def _world(records: Records, question: Question) -> World:
    known = records.choices.keys() | records.facts.keys()
    people = {each: (records.facts.get(each), records.choices.get(each, ())) for each in known}
    return World(people, records.posts, records.policy, records.halts, question, ())


def _answers(index: Index) -> dict[tuple[int, int], int]:
    """A reason by number of the question and of the post."""
    world, view = World({}, {}, None, frozenset(), QUESTIONS[0], ()), index.view()
    batch = world.batch(*ASKED)
    return {
        (number, place): reason
        for number, question in enumerate(QUESTIONS)
        for place, reason in enumerate(view.reasons(question, batch).tolist())
    }


def _matches(withdrawal: Withdrawal, question: Question, post_id: int, author_id: int) -> bool:
    about = (withdrawal.subject_id, withdrawal.post_id) in {(author_id, 0), (0, post_id)}
    reached = not withdrawal.countries or question.reaches(frozenset(withdrawal.countries))
    to_them = withdrawal.licensee in {"", question.licensee}
    return about and reached and to_them and question.purpose in withdrawal.purposes


@pytest.fixture(autouse=True)
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few people are read and asked for as millions would be: in parts, and with profiles given up."""
    monkeypatch.setattr("services.consent.storage.history.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("services.consent.storage.states.IDS_A_STATEMENT", 2)
    monkeypatch.setattr("services.consent.places.WASTE_ALLOWED", 5)


def a_beginning(url: str) -> None:
    """A policy in force, and a few people who are known and have said nothing."""

    async def begin() -> None:
        shelf = SqlShelf(url)
        await shelf.put_in_force()
        await shelf.register.import_subjects(facts_rows(*KNOWN, as_of_us=LONG_AGO_US), a_key(901), NOON_US)
        await shelf.close()

    asyncio.run(begin())


def explore(make: Callable[[], str], examples: int) -> None:
    thorough = settings.get_current_profile_name() == "thorough"
    run_state_machine_as_test(
        lambda: History(make()),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples * (10 if thorough else 1),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_c2_c4_c5_c12_any_history_comes_to_the_same_by_every_way(tmp_path: Path) -> None:
    beginning, numbers = tmp_path / "beginning.db", itertools.count()
    a_beginning(f"sqlite:///{beginning}")

    def make() -> str:
        copy = tmp_path / f"{next(numbers)}.db"
        shutil.copy(beginning, copy)
        return f"sqlite:///{copy}"

    explore(make, examples=15)


def test_c2_c4_c5_c12_any_history_comes_to_the_same_on_postgresql(postgres: PostgresServer) -> None:
    explore(lambda: postgres.copy_of("a_beginning", a_beginning), examples=3)
