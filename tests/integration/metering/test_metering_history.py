"""M1 to M4, M6 and M8 over random histories, crashes included, against sums over all there ever was."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.chassis.group_commit import CommitUnknown
from services.chassis.replays import ReplayKey
from services.metering.domain.allowances import OWN_GROUP, Account, Allowance, Scope, Tally
from services.metering.domain.parties import Party
from services.metering.domain.reservations import Reservation, State, Wanted
from services.metering.domain.windows import MINUTE_US, SECOND_US, TERM
from services.metering.meter import Meter
from services.metering.roster import Roster
from services.metering.storage import tallies
from services.metering.storage.books import SqlBooks
from services.metering.storage.shelf import SqlShelf
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.metering import (
    Counted,
    Oracle,
    a_count,
    a_wanted,
    an_allowance,
    metering_database_at,
    of_group,
)

pytestmark = pytest.mark.slow

SECOND_1 = an_allowance(7, SECOND_US, "license-1")
SECOND_2 = an_allowance(9, SECOND_US, "license-2")
OF_ONE = an_allowance(12, MINUTE_US, "one", Scope.LICENSEE)
FOR_TERM = an_allowance(40, TERM, "license-1")
TOGETHER = of_group(15, MINUTE_US)
ASKED = [
    ("one", (SECOND_1,)),
    ("one", (SECOND_1, OF_ONE)),
    ("one", (SECOND_1, OF_ONE, TOGETHER, FOR_TERM)),
    ("two", (SECOND_2, TOGETHER)),
    ("two", (SECOND_2,)),
    ("two", (TOGETHER, an_allowance(30, MINUTE_US, "license-2"))),
]
GAPS_US = [1, 250_000, 499_999, 500_000, 999_999, SECOND_US, -300_000, MINUTE_US // 2, MINUTE_US - 1]
GROUPS = ["", "red", "blue"]
EXAMPLES = {"sqlite": 20, "postgresql": 6}
"""Histories on each engine."""


class History(RuleBasedStateMachine):
    """Does to the meter and to the oracle the same things, and compares."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.oracle = Oracle()
        self.last_us: dict[Account, int] = {}
        self.moves: list[tuple[str, int, str]] = []
        self.keys = 0
        self.wanted: list[Wanted] = []
        self.answers: dict[str, Reservation] = {}
        self.to_come_back: tuple[Wanted, Reservation] | None = None

    @initialize()
    def begin(self) -> None:
        self.open()
        for party_id in ("one", "two"):
            self.runner.run(self.roster.describe(Party(party_id), 0, self._key()))

    def open(self) -> None:
        self.database = metering_database_at(self.url)
        self.meter = Meter(SqlBooks(self.database, self.clock.now_us))
        self.roster = Roster(SqlShelf(self.database, self.clock.now_us), self.clock.now_us)

    def teardown(self) -> None:
        self.database.close_now()
        self.runner.close()

    @rule()
    def restart(self) -> None:
        self.database.close_now()
        self.open()

    @rule(
        gap_us=st.sampled_from([0, *GAPS_US]),
        posts=st.integers(1, 16),
        asked=st.sampled_from(ASKED),
        fit=st.booleans(),
        delivered=st.booleans(),
    )
    def reserve(
        self, gap_us: int, posts: int, asked: tuple[str, tuple[Allowance, ...]], *, fit: bool, delivered: bool
    ) -> None:
        self.clock.advance(gap_us)
        self._ask(self._want(posts, *asked, as_many_as_fit=fit, delivered=delivered))

    @rule(posts=st.integers(1, 16), asked=st.sampled_from(ASKED), written=st.booleans())
    def reserve_and_crash(
        self, posts: int, asked: tuple[str, tuple[Allowance, ...]], *, written: bool
    ) -> None:
        """The process ends before or after the commit, and nobody hears the answer: it is asked again."""
        wanted = self._want(posts, *asked)
        self._crash_in(lambda: self.meter.reserve(wanted), written=written)

        self._ask(wanted)

    @rule(
        party_id=st.sampled_from(["one", "two"]),
        group_id=st.sampled_from(GROUPS),
        since=st.sampled_from([0, -MINUTE_US, -1, 1, SECOND_US, MINUTE_US]),
    )
    def move(self, party_id: str, group_id: str, since: int) -> None:
        since_us = self.clock.now_us() + since

        noted = self.runner.run(self.roster.move(party_id, group_id, since_us, self._key()))

        self.moves.append((party_id, since_us, group_id))
        # What was said of the time to come back was said of the group as it was.
        self.to_come_back = None
        assert (noted.since_us, noted.back_dated) == (since_us, since < 0)

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        wanted = data.draw(st.sampled_from(self.wanted))

        answer = self.runner.run(self.meter.reserve(wanted)).reservation

        assert answer == self.answers[wanted.reservation_id]

    @precondition(lambda self: self._held())
    @rule(
        data=st.data(), part=st.sampled_from([1, 1, 0.5, 0]), crash=st.sampled_from([None, None, False, True])
    )
    def settle(self, data: st.DataObject, part: float, crash: bool | None) -> None:
        hold = data.draw(st.sampled_from(self._held()))
        posts = round(hold.posts_held * part)
        delivered = (a_count(posts),) if posts else ()
        id = hold.wanted.reservation_id
        if crash is not None:
            self._crash_in(lambda: self.meter.settle(id, delivered), written=crash)

        self.answers[id] = self.runner.run(self.meter.settle(id, delivered))

        self.oracle.end(id, posts)

    @precondition(lambda self: self._held())
    @rule(data=st.data(), crash=st.sampled_from([None, None, False, True]))
    def reduce(self, data: st.DataObject, crash: bool | None) -> None:
        hold = data.draw(st.sampled_from(self._held()))
        posts = data.draw(st.integers(1, hold.posts_held))
        id, keep = hold.wanted.reservation_id, (a_count(posts),)
        if crash is not None and posts < hold.posts_held:
            self._crash_in(lambda: self.meter.reduce(id, keep), written=crash)

        self.answers[id] = self.runner.run(self.meter.reduce(id, keep))

        assert (self.answers[id].state, self.answers[id].posts_held) == (State.HELD, posts)
        self.oracle.reduce(id, posts)

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self._held())).wanted.reservation_id

        self.answers[id] = self.runner.run(self.meter.cancel(id))

        self.oracle.end(id, 0)

    @precondition(lambda self: self.to_come_back)
    @rule()
    def come_back(self) -> None:
        assert self.to_come_back is not None
        wanted, refused = self.to_come_back
        self.to_come_back = None
        assert refused.no_room is not None
        wait = refused.no_room.shortfall
        assert wait.retry_at_us is not None
        # Others may have come in between, or taken what this counts in further than its clock.
        if self._stamp(wanted)[1] > wait.retry_at_us - 1:
            return

        self._set_clock(wait.retry_at_us - 1)
        early = self._ask(self._like(wanted))
        self._set_clock(wait.retry_at_us)
        self._ask(self._like(wanted))

        if wait.exact:
            assert early.state is State.NO_ROOM

    @invariant()
    def the_tallies_are_the_sums_of_their_windows(self) -> None:
        for (account, window_us), (last_us, tally) in self._tallies().items():
            assert last_us == self.last_us[account]
            # A window that was not asked about lately reaches further back.
            reached_us = tally.tail_us + window_us if window_us else last_us
            assert reached_us <= last_us
            inside = [
                each
                for each in self.oracle.accesses.values()
                if account in each.accounts and each.at_us > tally.tail_us
            ]
            assert tally.used == sum(each.settled or 0 for each in inside)
            assert tally.held == sum(each.reserved for each in inside if each.settled is None)

    def _want(self, posts: int, party_id: str, limits: tuple[Allowance, ...], **how: Any) -> Wanted:
        return a_wanted(len(self.wanted) + 1, posts, *limits, party_id=party_id, **how)

    def _like(self, wanted: Wanted) -> Wanted:
        return self._want(
            wanted.posts, wanted.party_id, wanted.allowances, as_many_as_fit=wanted.as_many_as_fit
        )

    def _ask(self, wanted: Wanted) -> Reservation:
        """Asks, and compares the answer with the oracle's."""
        group_id, at_us = self._stamp(wanted)
        limits = [self._resolved(each, wanted, group_id) for each in wanted.allowances]
        rooms = [self._room(limit, at_us) for limit in limits]
        fit = min(wanted.posts, *rooms)
        held = fit if wanted.as_many_as_fit or fit == wanted.posts else 0

        answer = self.runner.run(self.meter.reserve(wanted)).reservation

        self.wanted.append(wanted)
        self.answers[wanted.reservation_id] = answer
        accounts = self._accounts(wanted, group_id)
        self.last_us |= dict.fromkeys(accounts, at_us)
        assert answer.posts_reserved == held
        if held:
            state = State.SETTLED if wanted.delivered else State.HELD
            assert (answer.state, answer.counted_at_us, answer.group_id) == (state, at_us, group_id)
            settled = held if wanted.delivered else None
            self.oracle.accesses[wanted.reservation_id] = Counted(at_us, frozenset(accounts), held, settled)
            for limit in limits:
                assert self.oracle.counted(limit.account, limit.window_us, at_us) <= limit.limit
        if held < wanted.posts:
            self._check_no_room(answer, limits, at_us, 1 if wanted.as_many_as_fit else wanted.posts)
        if answer.state is State.NO_ROOM and answer.no_room and answer.no_room.shortfall.retry_at_us:
            self.to_come_back = wanted, answer
        return answer

    def _check_no_room(self, answer: Reservation, limits: list[Allowance], at_us: int, posts: int) -> None:
        lacking = [each for each in limits if self._room(each, at_us) < posts]
        assert answer.no_room is not None
        assert answer.no_room.allowance in lacking
        named = answer.no_room.allowance
        assert answer.no_room.used == self.oracle.used(named.account, named.window_us, at_us)
        assert answer.no_room.held == self.oracle.held(named.account, named.window_us, at_us)
        wait = answer.no_room.shortfall
        never = [each for each in lacking if self._never_fits(each, posts, at_us)]
        assert wait.never == bool(never)
        if never or any(each.window_us == TERM for each in lacking):
            assert wait.retry_at_us is None
            return
        assert wait.retry_at_us == max(self.oracle.first_fit_us(each, posts, at_us) for each in lacking)
        assert wait.exact == (answer.no_room.held == 0 and not self._moves_before(answer, wait.retry_at_us))

    def _never_fits(self, limit: Allowance, posts: int, at_us: int) -> bool:
        if limit.window_us != TERM:
            return posts > limit.limit
        return posts + self.oracle.used(limit.account, TERM, at_us) > limit.limit

    def _room(self, limit: Allowance, at_us: int) -> int:
        return max(0, limit.limit - self.oracle.counted(limit.account, limit.window_us, at_us))

    def _stamp(self, wanted: Wanted) -> tuple[str, int]:
        """The first time from now on that nothing it counts in has passed."""
        own = self._accounts(wanted, "")
        times = sorted({self.clock.now_us(), *self.last_us.values()})
        from_us = max([self.clock.now_us(), *(self.last_us.get(account, 0) for account in own)])
        for at_us in times:
            group_id = self._group(wanted.party_id, at_us)
            group_us = self.last_us.get(Account(Scope.GROUP, group_id), 0) if group_id else 0
            if at_us >= from_us and at_us >= group_us:
                return group_id, at_us
        raise AssertionError("there is a last time of all")

    def _group(self, party_id: str, at_us: int) -> str:
        group_id, latest = "", -1
        for moved, since_us, into in self.moves:
            if moved == party_id and latest <= since_us <= at_us:
                group_id, latest = into, since_us
        return group_id

    def _moves_before(self, answer: Reservation, until_us: int) -> bool:
        """Whether the group that stands in the way is left before then, if it is one."""
        assert answer.no_room is not None
        named, party_id = answer.no_room.allowance, answer.wanted.party_id
        if named.limit != TOGETHER.limit or named.window_us != TOGETHER.window_us:
            return False
        at_us = self.last_us[Account(Scope.LICENSEE, party_id)]
        times = [at_us, *(since_us for _, since_us, _ in self.moves if at_us < since_us <= until_us)]
        return len({self._group(party_id, time) for time in times}) > 1

    def _accounts(self, wanted: Wanted, group_id: str) -> list[Account]:
        own = [Account(Scope.LICENSE, wanted.license_id), Account(Scope.LICENSEE, wanted.party_id)]
        return own + ([Account(Scope.GROUP, group_id)] if group_id else [])

    def _resolved(self, limit: Allowance, wanted: Wanted, group_id: str) -> Allowance:
        if limit.account != OWN_GROUP:
            return limit
        account = Account(Scope.GROUP, group_id) if group_id else Account(Scope.LICENSEE, wanted.party_id)
        return Allowance(account, limit.window_us, limit.limit)

    def _crash_in(self, change: Callable[[], Any], *, written: bool) -> None:
        """Loses the answer of a change, whose commit came or did not come, and starts again."""
        engine = self.database._engine
        commit = engine.commit

        def fail() -> None:
            if written:
                commit()
            raise (psycopg if engine.has_rivals else sqlite3).OperationalError("lost")

        engine.commit = fail  # type: ignore[method-assign]
        try:
            self.runner.run(change())
        except CommitUnknown:
            pass
        else:
            raise AssertionError("an answer that nobody could give")
        engine.commit = commit  # type: ignore[method-assign]
        self.restart()

    def _key(self) -> ReplayKey:
        self.keys += 1
        return ReplayKey("operator:test", "Change", str(self.keys), bytes(32))

    def _set_clock(self, at_us: int) -> None:
        self.clock.advance(at_us - self.clock.now_us())

    def _held(self) -> list[Reservation]:
        return [answer for answer in self.answers.values() if answer.state is State.HELD]

    def _tallies(self) -> dict[tuple[Account, int], tuple[int, Tally]]:
        query = (
            "SELECT a.scope, a.key, t.window_us, a.last_us, t.used, t.held, t.tail_us"
            " FROM tallies t JOIN accounts a ON a.id = t.account_id"
        )
        rows = self.database.read_now(lambda connection: connection.exec_driver_sql(query).all())
        return {
            (Account(Scope(scope), key), window_us): (last_us, Tally(*sums))
            for scope, key, window_us, last_us, *sums in rows
        }


def explore(engine: str, request: pytest.FixtureRequest, folder: Path, examples: int) -> None:
    """Searches for a history that comes to something else than the oracle says."""
    numbers = itertools.count()

    def new() -> Any:
        return History(url_on(engine, request, folder / str(next(numbers)), metering_database_at))

    run_state_machine_as_test(
        new,  # type: ignore[arg-type]
        settings=settings(max_examples=examples, stateful_step_count=50, deadline=None),
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_any_history_comes_to_what_the_oracle_says(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    explore(engine, request, tmp_path, EXAMPLES[engine])


@pytest.fixture
def all_made_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever there is to add up, the writer leaves to a reader."""
    monkeypatch.setattr(tallies, "_LONG", tallies.longer_than(0))
    monkeypatch.setattr(tallies, "SHORT_US", 0)


@pytest.mark.usefixtures("all_made_ahead")
@pytest.mark.parametrize("engine", ENGINES)
def test_any_history_comes_to_the_same_where_tallies_are_made_ahead(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    explore(engine, request, tmp_path, EXAMPLES[engine] // 2)
