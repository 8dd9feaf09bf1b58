"""Amounts that are too large, and bills that take long, on each engine (B1, B3)."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TypeVar, overload

import pytest
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.billing import BillingDesk
from services.licensing.domain.pricing.bills import Bill
from services.licensing.domain.pricing.calendars import Licensed, PricedVersion, billable_periods
from services.licensing.domain.pricing.invoices import Books, invoice
from services.licensing.domain.pricing.prices import BillingPeriod, Flat, PerUnit
from services.licensing.domain.pricing.revenue import RevenueFilter
from services.licensing.storage.billing import BillingRows, BillingStore
from tests.support.billing import MARGIN_US, PARIS, Accounts, instant
from tests.support.prices import a_price

T = TypeVar("T")
DAYS = 200


async def test_a_bill_that_fits_no_ledger_is_refused_and_billing_goes_on(accounts: Accounts) -> None:
    dear = a_price(PerUnit(Decimal(10) ** 12), **PARIS)
    await accounts.license("dear", dear, licensee_id="licensee-2")
    accounts.at("2025-10-20T00:00")
    await accounts.release(11, "dear")
    accounts.at("2025-11-02T00:00")

    with pytest.raises(Refusal) as refused:
        await accounts.draft("2025-10", "dear")

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "AMOUNT_TOO_LARGE")
    assert (await accounts.invoice("2025-10")).number == "INV-000001"


async def test_revenue_is_added_up_though_it_needs_more_than_64_bits(accounts: Accounts) -> None:
    await accounts.license("flat", a_price(Flat(Decimal(1)), **PARIS))
    accounts.at("2025-12-02T00:00")
    for period in ("2025-10", "2025-11"):
        await accounts.invoice(period, "flat")
    nearly = 2**63 - 1
    amounts = text("UPDATE bill_amounts SET month = '2025-10', invoiced = :much, credited = :less")
    await accounts.database.write(lambda c: c.execute(amounts, {"much": nearly, "less": -7_000_001}))

    (month,) = await accounts.desk.revenue(RevenueFilter(), (), 9)

    assert (month.invoiced, month.credited) == (2 * nearly, -14_000_002)


def no_server(_: object) -> None:
    """Nothing to compare this clock with."""


class Counted(Sequence[Bill]):
    """Bills that count how often they are looked through."""

    def __init__(self, bills: Sequence[Bill]) -> None:
        self._bills = bills
        self.times = 0

    def __iter__(self) -> Iterator[Bill]:
        self.times += 1
        return iter(self._bills)

    @overload
    def __getitem__(self, index: int) -> Bill: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Bill]: ...
    def __getitem__(self, index: int | slice) -> Bill | Sequence[Bill]:
        return self._bills[index]

    def __len__(self) -> int:
        return len(self._bills)


def test_the_bills_of_a_license_are_looked_through_once_however_many_periods_there_are() -> None:
    price = a_price(PerUnit(Decimal(1)), period=BillingPeriod.DAY, time_zone="UTC")
    from_us, until_us = instant("2025-01-01T00:00"), instant("2026-01-01T00:00")
    version = PricedVersion(1, from_us, bytes(32), from_us, until_us, price)
    licensed = Licensed("license-1", "licensee-1", "Licensee", None, (version,))
    *earlier, last = billable_periods(licensed, until_us)[:DAYS]
    posts = {each.period.start_us: 10 for each in (*earlier, last)}
    bills = [
        invoice(licensed, each, [], posts=posts, books=Books([]), cut_off_us=until_us) for each in earlier
    ]
    counted = Counted(bills)

    bill = invoice(licensed, last, earlier, posts=posts, books=Books(counted), cut_off_us=until_us)

    assert (bill.total, counted.times) == (1_000, 1)


class Impatient(BillingStore):
    """Stops waiting for a long read when it is asked so many times whether it shall go on."""

    def __init__(self, database: Database, times: int) -> None:
        super().__init__(database, no_server)
        self._impatient_database, self._left = database, times

    async def read_long(self, query: Callable[[BillingRows], T]) -> T:
        return await self._impatient_database.read(lambda c: query(BillingRows(c, no_server, self._count)))

    def _count(self) -> None:
        self._left -= 1
        if not self._left:
            raise InterruptedError


async def test_a_draft_that_nobody_waits_for_ends_between_two_periods(accounts: Accounts) -> None:
    day = a_price(PerUnit(Decimal(1)), period=BillingPeriod.DAY, time_zone="UTC")
    await accounts.license("daily", day)
    accounts.at("2025-10-06T00:00")
    for number in range(1, 5):
        await accounts.invoice(f"2025-10-0{number}", "daily")

    # Four bills are read, and four periods corrected.
    for times in range(1, 9):
        desk = BillingDesk(Impatient(accounts.database, times), accounts.clock, lambda: uuid7(0), MARGIN_US)
        with pytest.raises(InterruptedError):
            await desk.draft("daily", "2025-10-05", None, accounts.key(), lambda _: b"")


async def test_what_computes_for_a_caller_who_has_gone_away_is_stopped(database: Database) -> None:
    began = threading.Event()

    def compute(rows: BillingRows) -> None:
        began.set()
        while True:
            rows.go_on()

    reading = asyncio.create_task(BillingStore(database, no_server).read_long(compute))
    await asyncio.to_thread(began.wait)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await BillingStore(database, no_server).read_long(lambda rows: rows.final_bills("license-1")) == 0
