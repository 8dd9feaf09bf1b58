"""M1 to M4 and M8 over random histories, crashes included, against sums over all accesses there ever were."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from services.metering.domain.allowances import Allowance, AllowanceKey, Scope, Tally
from services.metering.domain.reservations import Reservation, State, Wanted
from services.metering.domain.windows import MINUTE_US, SECOND_US, Window
from services.metering.meter import Meter
from services.metering.schema.tables import MeteringTable
from services.metering.storage import SqlBooks
from tests.support.clock import ManualClock
from tests.support.metering import Access, Oracle, a_count, a_wanted, an_allowance, metering_database

SECOND_1 = an_allowance(7, Window.SECOND, "license-1")
SECOND_2 = an_allowance(9, Window.SECOND, "license-2")
MINUTE = an_allowance(12, Window.MINUTE, "licensee-1", Scope.LICENSEE)
TERM = an_allowance(40, Window.TERM, "license-1")
ALLOWANCES = [SECOND_1, SECOND_2, MINUTE, TERM]
ASKED_TOGETHER = [(SECOND_1,), (SECOND_1, SECOND_2), (SECOND_2, MINUTE), (MINUTE,), (SECOND_1, MINUTE, TERM)]
GAPS_US = [1, 250_000, 499_999, 500_000, 999_999, SECOND_US, -300_000, MINUTE_US // 2, MINUTE_US - 1]

END_OF_TIME_US = 2**63


class History(RuleBasedStateMachine):
    """Does to the meter and to the oracle the same things, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.oracle = Oracle()
        self.last_us: dict[AllowanceKey, int] = {}
        self.wanted: list[Wanted] = []
        self.answers: dict[str, Reservation] = {}
        self.to_come_back: Reservation | None = None

    @initialize()
    def open(self) -> None:
        self.database = metering_database(Path(self.folder.name))
        self.meter = Meter(SqlBooks(self.database), self.clock.now_us)

    def teardown(self) -> None:
        self.database.close_now()
        self.runner.close()
        self.folder.cleanup()

    @rule()
    def restart(self) -> None:
        self.database.close_now()
        self.open()

    @rule(
        gap_us=st.sampled_from([0, *GAPS_US]),
        posts=st.integers(1, 13),
        allowances=st.sampled_from(ASKED_TOGETHER),
    )
    def reserve(self, gap_us: int, posts: int, allowances: tuple[Allowance, ...]) -> None:
        self.clock.advance(gap_us)
        self._ask(a_wanted(0, posts, *allowances))

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        wanted = data.draw(st.sampled_from(self.wanted))

        answer = self.runner.run(self.meter.reserve(wanted)).reservation

        assert answer == self.answers[wanted.reservation_id]

    @precondition(lambda self: self._held())
    @rule(data=st.data(), part=st.sampled_from([1, 1, 0.5, 0]))
    def settle(self, data: st.DataObject, part: float) -> None:
        hold = data.draw(st.sampled_from(self._held()))
        posts = round(hold.posts_reserved * part)
        delivered = (a_count(posts),) if posts else ()

        id = hold.wanted.reservation_id
        self.answers[id] = self.runner.run(self.meter.settle(id, delivered))

        self.oracle.end(id, posts)

    @precondition(lambda self: self._held())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(self._held())).wanted.reservation_id

        self.answers[id] = self.runner.run(self.meter.cancel(id))

        self.oracle.end(id, 0)

    @precondition(lambda self: self.to_come_back)
    @rule()
    def come_back(self) -> None:
        refused, self.to_come_back = self.to_come_back, None
        assert refused is not None
        assert refused.no_room is not None
        wait = refused.no_room.shortfall
        assert wait.retry_at_us is not None
        # Others may have come in between, or taken another allowance of the request further than its clock.
        if self._stamp(refused.wanted) > wait.retry_at_us - 1:
            return

        self._set_clock(wait.retry_at_us - 1)
        early = self._ask(refused.wanted)
        self._set_clock(wait.retry_at_us)
        self._ask(refused.wanted)

        if wait.exact:
            assert early.state is State.NO_ROOM

    @invariant()
    def no_window_is_ever_over_its_limit(self) -> None:
        # The fullest windows are those that end where something was counted.
        for allowance in ALLOWANCES:
            ends = {access.at_us for access in self.oracle.accesses.values() if allowance.key in access.keys}
            length_us = allowance.key.window.length_us
            for end_us in ends:
                assert self.oracle.counted(allowance.key, length_us, end_us) <= allowance.limit

    @invariant()
    def the_tallies_are_the_sums_of_their_windows(self) -> None:
        for key, tally in self._tallies().items():
            length_us = key.window.length_us
            assert tally.last_us == self.last_us[key]
            assert tally.used == self.oracle.used(key, length_us, tally.last_us)
            assert tally.held == self.oracle.held(key, length_us, tally.last_us)

    def _ask(self, like: Wanted) -> Reservation:
        """Asks for the same under a fresh id, and compares the answer with the oracle's."""
        wanted = a_wanted(len(self.wanted) + 1, like.posts, *like.allowances)
        at_us = self._stamp(wanted)
        lacking = [each for each in wanted.allowances if not self._fits(each, at_us, wanted.posts)]

        answer = self.runner.run(self.meter.reserve(wanted)).reservation

        self.wanted.append(wanted)
        self.answers[wanted.reservation_id] = answer
        self.last_us.update({allowance.key: at_us for allowance in wanted.allowances})
        if lacking:
            self._check_no_room(answer, lacking, at_us)
        else:
            assert (answer.state, answer.counted_at_us) == (State.HELD, at_us)
            keys = frozenset(allowance.key for allowance in wanted.allowances)
            self.oracle.accesses[wanted.reservation_id] = Access(at_us, keys, wanted.posts)
        return answer

    def _check_no_room(self, answer: Reservation, lacking: list[Allowance], at_us: int) -> None:
        posts = answer.wanted.posts
        assert answer.no_room is not None
        assert answer.no_room.allowance in lacking
        named = answer.no_room.allowance
        length_us = named.key.window.length_us
        assert answer.no_room.used == self.oracle.used(named.key, length_us, at_us)
        assert answer.no_room.held == self.oracle.held(named.key, length_us, at_us)
        wait = answer.no_room.shortfall
        never = [each for each in lacking if self._never_fits(each, posts)]
        assert wait.never == bool(never)
        if never or any(each.key.window is Window.TERM for each in lacking):
            assert wait.retry_at_us is None
            return
        fits_us = {each: self._first_fit_us(each, posts, at_us) for each in lacking}
        assert wait.retry_at_us == max(fits_us.values())
        assert wait.exact == (answer.no_room.held == 0)
        self.to_come_back = answer

    def _never_fits(self, allowance: Allowance, posts: int) -> bool:
        if allowance.key.window is not Window.TERM:
            return posts > allowance.limit
        return (
            posts + self.oracle.used(allowance.key, None, self.clock.now_us() + MINUTE_US) > allowance.limit
        )

    def _first_fit_us(self, allowance: Allowance, posts: int, at_us: int) -> int:
        length_us = allowance.key.window.length_us
        assert length_us is not None
        return self.oracle.first_fit_us(allowance, length_us, posts, at_us)

    def _fits(self, allowance: Allowance, at_us: int, posts: int) -> bool:
        counted = self.oracle.counted(allowance.key, allowance.key.window.length_us, at_us)
        return counted + posts <= allowance.limit

    def _set_clock(self, at_us: int) -> None:
        self.clock.advance(at_us - self.clock.now_us())

    def _stamp(self, wanted: Wanted) -> int:
        return max([self.clock.now_us(), *(self.last_us.get(each.key, 0) for each in wanted.allowances)])

    def _held(self) -> list[Reservation]:
        return [answer for answer in self.answers.values() if answer.state is State.HELD]

    def _tallies(self) -> dict[AllowanceKey, Tally]:
        table = MeteringTable.metadata.tables["tallies"]
        rows = self.database.read_now(lambda connection: connection.execute(select(table)).all())
        return {
            AllowanceKey(Scope(scope), id, Window(window)): Tally(*sums)
            for _, scope, id, window, *sums in rows
        }


History.TestCase.settings = settings(max_examples=20, stateful_step_count=50, deadline=None)
TestHistory = History.TestCase
