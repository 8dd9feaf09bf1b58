"""Random histories of releases, confirmations and bills against billing it once at the end (B2, B3)."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.licensing.domain.pricing.bills import BillKind, BillRecord
from services.licensing.domain.pricing.deltas import summed
from services.licensing.domain.pricing.prices import (
    BillingPeriod,
    Graduated,
    Package,
    PerUnit,
    Price,
    Volume,
)
from services.licensing.domain.pricing.rating import LineKind, lines_of, total_of
from services.licensing.domain.pricing.revenue import BillFilter, RevenueFilter
from tests.support.billing import Accounts
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at
from tests.support.prices import a_price, prices, tiers

pytestmark = pytest.mark.slow

ZONE = "Europe/Paris"
HOUR_US = 3_600_000_000
EXPECTED = {"NOTHING_TO_CREDIT", "CREDIT_OVER_BILLED", "PERIOD_NOT_OVER"}
ROOM = timedelta(days=60)
"""From the beginning of one history to that of the next: cut-offs of a database only go forward."""

begins = (date(2025, 10, 24) + number * ROOM for number in itertools.count())
numbers = itertools.count(1)


@dataclass
class Release:
    """One decision as a slow reader sees it; times in microseconds."""

    decision_id: str
    posts: int
    counted_at_us: int
    recorded_at_us: int
    confirmed: tuple[int, int] | None = None
    """When, and how many were delivered."""

    def billed(self, cut_off_us: int) -> int:
        if self.recorded_at_us >= cut_off_us:
            return 0
        if self.confirmed is not None and self.confirmed[0] < cut_off_us:
            return self.confirmed[1]
        return self.posts


@dataclass
class History:
    """What was done to one license."""

    accounts: Accounts
    license_id: str
    begin: date
    releases: list[Release] = field(default_factory=list)
    invoices: list[BillRecord] = field(default_factory=list)

    def posts(self, day: date, cut_off_us: int) -> int:
        """Billed for a day of Paris, release by release."""
        return sum(each.billed(cut_off_us) for each in self.releases if _day(each.counted_at_us) == day)

    async def release(self, posts: int, hours_ago: int) -> None:
        now_us = self.accounts.clock.now_us()
        counted_us = max(now_us - hours_ago * HOUR_US, _start_us(self.begin))
        decision_id = await self.accounts.release(posts, self.license_id, counted_us)
        self.releases.append(Release(decision_id, posts, counted_us, now_us))

    async def confirm(self, which: int, percent: int) -> None:
        open_ones = [each for each in self.releases if each.confirmed is None]
        if open_ones:
            each = open_ones[which % len(open_ones)]
            delivered = each.posts * percent // 100
            each.confirmed = (self.accounts.clock.now_us(), delivered)
            await self.accounts.confirm(each.decision_id, each.posts, delivered)

    async def invoice(self, hours_ago: int) -> None:
        """The next one, as of some hours ago but not before what was billed."""
        day = self.begin + timedelta(days=len(self.invoices))
        begun_us = _start_us(self.begin) + 1
        billed_us = max((each.bill.cut_off_us for each in await self.bills()), default=begun_us)
        cut_off_us = max(self.accounts.clock.now_us() - hours_ago * HOUR_US, billed_us)
        draft = await self.accounts.draft(day.isoformat(), self.license_id, cut_off_us)
        assert draft.bill.posts == self.posts(day, cut_off_us)
        self.invoices.append(await self.accounts.finalize(draft))

    async def correct(self, which: int) -> None:
        if self.invoices:
            await self.accounts.correct(self.invoices[which % len(self.invoices)])

    async def let_off(self, which: int, percent: int) -> None:
        if self.invoices:
            invoice = self.invoices[which % len(self.invoices)]
            await self.accounts.let_off(invoice, max(1, invoice.bill.total * percent // 100))

    async def bills(self) -> list[BillRecord]:
        """All that are final."""
        desk, mine = self.accounts.desk, {"license_id": self.license_id, "final": True}
        pages = [await desk.page(BillFilter(invoices=each, **mine), "", 999) for each in (True, False)]  # type: ignore[arg-type]
        return [record for page in pages for record in page]


Step = tuple[str, tuple[int, ...], int]
"""What is done, with what, and after how many hours."""

hours = st.sampled_from([0, 1, 5, 13, 25])
some_posts = st.integers(1, 60) | st.integers(1, 60) | st.integers(1, 4_000)
steps: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.tuples(st.just("release"), st.tuples(some_posts, st.integers(0, 40)), hours),
        st.tuples(st.just("confirm"), st.tuples(st.integers(0, 9), st.sampled_from([0, 1, 50, 100])), hours),
        st.tuples(st.just("invoice"), st.tuples(st.integers(0, 20)), hours),
        st.tuples(st.just("correct"), st.tuples(st.integers(0, 9)), hours),
        st.tuples(
            st.just("let_off"), st.tuples(st.integers(0, 9), st.sampled_from([5, 70, 100, 110])), hours
        ),
    ),
    min_size=12,
    max_size=40,
)
models = st.sampled_from(
    [
        PerUnit(Decimal("0.5")),
        PerUnit(Decimal(1), 3),
        Package(Decimal(7), 20),
        Graduated(tiers((20, "1"), (50, "0.5", "3"), (None, "0.105"))),
        Volume(tiers((30, "1"), (None, "0.4", "2"))),
    ]
)
simple_prices = st.builds(
    lambda charges, minimum: a_price(*charges, minimum=minimum),
    st.lists(models, min_size=1, max_size=3),
    st.none() | st.just(Decimal(9)),
)
"""Under which a few posts more or less come to something else."""


@pytest.fixture(scope="module", params=ENGINES)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("histories")
    database = licensing_database_at(url_on(request.param, request, folder, licensing_database_at))
    yield database
    database.close_now()


@given(simple_prices | prices(), steps)
def test_b3_all_bills_of_a_period_add_up_to_billing_it_once_and_none_is_billed_twice(
    database: Database, price: Price, steps: list[Step]
) -> None:
    asyncio.run(live(database, replace(price, period=BillingPeriod.DAY, time_zone=ZONE), steps))


async def live(database: Database, price: Price, steps: Sequence[Step]) -> None:
    begin = next(begins)
    accounts = Accounts(database, ManualClock(_start_us(begin)))
    license_id, licensee_id = f"license-{next(numbers)}", f"licensee-{next(numbers)}"
    term_until_us = _start_us(begin + ROOM - timedelta(days=1))
    await accounts.license(license_id, price, licensee_id=licensee_id, term_until_us=term_until_us)
    history = History(accounts, license_id, begin)
    for what, with_what, hours in steps:
        accounts.clock.advance(hours * HOUR_US + 1)
        try:
            await getattr(history, what)(*with_what)
        except Refusal as refusal:
            assert refusal.reason in EXPECTED
        check_left(await history.bills())
    # The last invoice corrects everything before it.
    last = _start_us(begin + timedelta(days=len(history.invoices) + 1))
    accounts.clock.advance(max(0, last - accounts.clock.now_us()) + 1)
    await history.invoice(0)
    check_sums(history, price, await history.bills())
    await check_revenue(database, accounts, licensee_id, await history.bills())


def check_left(bills: Sequence[BillRecord]) -> None:
    """No period was ever billed for less than nothing."""
    left = dict[int, int]()
    for record in bills:
        for period, minor in record.bill.amounts().items():
            left[period.start_us] = left.get(period.start_us, 0) + minor
    assert all(minor >= 0 for minor in left.values())


def check_sums(history: History, price: Price, bills: Sequence[BillRecord]) -> None:
    """Every period comes to what one bill of it would, at the last cut-off."""
    cut_off_us = history.invoices[-1].bill.cut_off_us
    own = [record.bill.period.start_us for record in bills if record.bill.kind is BillKind.INVOICE]
    assert len(own) == len(set(own)) == len(history.invoices)
    for invoice in history.invoices:
        period = invoice.bill.period
        found = [line for record in bills for line in record.bill.lines_of(period.start_us)]
        kinds = {LineKind.GOODWILL, LineKind.GOODWILL_LIMIT}
        once = lines_of(price, history.posts(date.fromisoformat(period.label), cut_off_us))
        goodwill = -total_of(line for line in found if line.kind is LineKind.GOODWILL)
        assert _amounts(line for line in found if line.kind not in kinds) == _amounts(once)
        assert total_of(found) == max(0, total_of(once) - goodwill)


async def check_revenue(
    database: Database, accounts: Accounts, licensee_id: str, bills: Sequence[BillRecord]
) -> None:
    """The sums by month are those of the documents, and numbers have no gap."""
    months = await accounts.desk.revenue(RevenueFilter(licensee_id=licensee_id), (), 999)
    invoiced = sum(record.bill.total for record in bills if record.is_invoice)
    credited = -sum(record.bill.total for record in bills if not record.is_invoice)
    assert sum(month.invoiced for month in months) == invoiced
    assert sum(month.credited for month in months) == credited
    by_month = dict[str, int]()
    for record in bills:
        for period, minor in record.bill.amounts().items():
            by_month[period.label[:7]] = by_month.get(period.label[:7], 0) + minor
    assert {month.month: month.invoiced - month.credited for month in months} == by_month
    given = text("SELECT number FROM bills WHERE number LIKE :like ORDER BY number")
    for kind in ("INV", "CN"):
        found = await database.read(
            lambda connection, kind=kind: connection.execute(given, {"like": f"{kind}-%"}).scalars().all()  # type: ignore[misc]
        )
        assert list(found) == [f"{kind}-{number:06d}" for number in range(1, len(found) + 1)]


def _amounts(lines: Iterator[object] | Sequence[object]) -> dict[str, tuple[int, object, int]]:
    sums = {line.key: (line.posts, line.precise, line.minor) for line in summed(lines)}  # type: ignore[arg-type]
    return {key: sum for key, sum in sums.items() if any(sum)}


def _start_us(day: date) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(ZONE)).timestamp()) * 1_000_000


def _day(time_us: int) -> date:
    return (
        (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(ZoneInfo(ZONE)).date()
    )
