"""Invoices when another release of the tz database is installed between them (B3, B4)."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from services.chassis.refusals import Refusal
from services.licensing.domain.pricing.prices import BillingPeriod, Flat, PerUnit
from services.licensing.domain.pricing.revenue import RevenueFilter
from tests.support.billing import Accounts, instant, lines
from tests.support.prices import a_price
from tests.support.zones import rules_of, write_zone

ZONE = "Test/Moved"
USAGE, FLAT = "usage/charge 1", "flat/charge 2"
HOUR_S = 3_600


@pytest.fixture
def today(tmp_path: Path) -> Iterator[Path]:
    """Rules by which the zone keeps an hour ahead of UTC; the folder of others, where it does not."""
    write_zone(tmp_path / "today", ZONE, HOUR_S, instant("2000-01-01T00:00"), HOUR_S)
    with rules_of(tmp_path / "today"):
        yield tmp_path / "tomorrow"


async def priced(accounts: Accounts, **price: object) -> None:
    charges = (PerUnit(Decimal("0.01")), Flat(Decimal(5)))
    given = {"period": BillingPeriod.MONTH, "time_zone": ZONE, **price}
    await accounts.license("moved", a_price(*charges, **given), licensee_id="licensee-2")


async def test_b4_a_month_that_begins_later_by_other_rules_is_not_billed_again(
    accounts: Accounts, today: Path
) -> None:
    await priced(accounts)
    for month in ("10", "11", "12"):
        accounts.at(f"2025-{month}-20T00:00")
        await accounts.release(1000, "moved")
    accounts.at("2025-12-02T00:00")
    await accounts.invoice("2025-10", "moved")
    november = await accounts.invoice("2025-11", "moved")
    # Counted between the two midnights with which November and December may begin.
    await accounts.release(7, "moved", counted_at_us=instant("2025-10-31T23:30"))
    await accounts.release(3, "moved", counted_at_us=instant("2025-11-30T23:30"))
    write_zone(today, ZONE, HOUR_S, instant("2025-10-25T00:00"), 0)
    accounts.at("2026-01-02T00:00")
    with rules_of(today):
        december = await accounts.invoice("2025-12", "moved")
        with pytest.raises(Refusal, match="PERIOD_INVOICED"):
            await accounts.draft("2025-11", "moved")

    assert november.bill.period.start_us == instant("2025-10-31T23:00")
    assert december.bill.period.start_us == instant("2025-12-01T00:00")
    # The seven are of November, which began where it was invoiced; and the three too, which ends later now.
    assert lines(december) == [
        ("2025-12", USAGE, 1000, 1000),
        ("2025-12", FLAT, 0, 500),
        ("2025-11", USAGE, 10, 10),
    ]
    months = await accounts.desk.revenue(RevenueFilter(licensee_id="licensee-2"), (), 9)
    assert sum(month.invoiced for month in months) == 3 * 1500 + 10


async def test_b4_days_that_begin_earlier_by_other_rules_meet_those_that_were_invoiced(
    accounts: Accounts, today: Path
) -> None:
    await priced(accounts, period=BillingPeriod.DAY)
    accounts.at("2025-10-04T12:00")
    # The first day is cut by the term, and the third ends at 23:00 by the rules of today.
    for day in ("2025-10-01", "2025-10-02", "2025-10-03"):
        await accounts.invoice(day, "moved")
    await accounts.release(9, "moved", counted_at_us=instant("2025-10-03T22:30"))
    write_zone(today, ZONE, HOUR_S, instant("2025-10-02T12:00"), 2 * HOUR_S)
    accounts.at("2025-10-06T00:00")
    with rules_of(today):
        fourth = await accounts.invoice("2025-10-04", "moved")

    assert fourth.bill.period.start_us == instant("2025-10-03T22:00")
    assert lines(fourth) == [("2025-10-04", USAGE, 9, 9), ("2025-10-04", FLAT, 0, 500)]


async def test_an_invoice_says_the_local_times_of_its_period_by_the_rules_that_it_was_billed_by(
    accounts: Accounts, today: Path
) -> None:
    await priced(accounts)
    accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10", "moved")
    write_zone(today, ZONE, HOUR_S, instant("2025-10-25T00:00"), 0)
    with rules_of(today):
        found = await accounts.desk.find(invoice.bill_id)

    assert found is not None
    assert (found.bill.from_local, found.bill.until_local) == (
        "2025-10-01T01:00:00+01:00",
        "2025-11-01T00:00:00+01:00",
    )


async def test_b3_where_an_invoiced_day_has_no_place_any_more_nothing_is_billed(
    accounts: Accounts, today: Path
) -> None:
    await priced(accounts, period=BillingPeriod.DAY)
    accounts.at("2025-10-04T12:00")
    for day in ("2025-10-01", "2025-10-02", "2025-10-03"):
        invoice = await accounts.invoice(day, "moved")
    # The zone goes over the date line: its clocks skip the third.
    write_zone(today, ZONE, HOUR_S - 12 * HOUR_S, instant("2025-10-03T11:00"), HOUR_S + 12 * HOUR_S)
    accounts.at("2025-10-06T00:00")
    with rules_of(today):
        with pytest.raises(Refusal, match="CALENDAR_CHANGED"):
            await accounts.draft("2025-10-04", "moved")
        with pytest.raises(Refusal, match="CALENDAR_CHANGED"):
            await accounts.correct(invoice)

    assert (await accounts.draft("2025-10-04", "moved")).bill.total == 500
