"""Credit notes, and what was billed by month, on each engine (B2, B3)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.chassis.refusals import Refusal
from services.licensing import contracts
from services.licensing.domain.pricing.prices import PerUnit
from services.licensing.domain.pricing.revenue import Month, RevenueFilter
from tests.support.billing import PARIS, Accounts, instant, lines
from tests.support.licensing import some_terms
from tests.support.prices import a_price

CENT = PerUnit(Decimal("0.01"))
USAGE = "usage/charge 1"


async def test_b2_a_correction_takes_back_what_no_next_invoice_will(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10")
    with pytest.raises(Refusal, match="NOTHING_TO_CREDIT"):
        await accounts.correct(invoice)
    await accounts.confirm(decision, 100, 30)

    accounts.at("2025-11-03T00:00")
    note = await accounts.correct(invoice)
    accounts.at("2025-12-02T00:00")
    november = await accounts.invoice("2025-11")

    assert (note.number, lines(note)) == ("CN-000001", [("2025-10", USAGE, -70, -70)])
    assert (note.bill.invoice_number, note.bill.reason) == ("INV-000001", "as found")
    assert (note.invoice_id, note.bill.total) == (invoice.bill_id, -70)
    assert lines(november) == []
    assert await accounts.desk.find("CN-000001") == note
    found = await accounts.desk.find("INV-000001")
    assert found is not None
    assert found.credited == 70


async def test_what_comes_to_more_is_not_credited_but_on_the_next_invoice(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10")
    await accounts.release(4, counted_at_us=instant("2025-10-31T22:59"))
    accounts.at("2025-12-02T00:00")

    with pytest.raises(Refusal, match="NOTHING_TO_CREDIT"):
        await accounts.correct(invoice)

    assert lines(await accounts.invoice("2025-11")) == [("2025-10", USAGE, 4, 4)]


async def test_no_more_is_let_off_than_is_left(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.release(100)
    accounts.at("2025-11-02T00:00")
    draft = await accounts.draft("2025-10")
    with pytest.raises(Refusal, match="INVOICE_NOT_FINAL"):
        await accounts.let_off(draft, 10)
    invoice = await accounts.finalize(draft)

    with pytest.raises(Refusal, match="CREDIT_OVER_BILLED"):
        await accounts.let_off(invoice, 101)
    first, second = await accounts.let_off(invoice, 60), await accounts.let_off(invoice, 40)
    with pytest.raises(Refusal, match="CREDIT_OVER_BILLED"):
        await accounts.let_off(invoice, 1)

    assert [lines(note) for note in (first, second)] == [
        [("2025-10", "goodwill", 0, -60)],
        [("2025-10", "goodwill", 0, -40)],
    ]
    assert [first.number, second.number] == ["CN-000001", "CN-000002"]


async def test_goodwill_reaches_the_earlier_periods_of_an_invoice_latest_first(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    await accounts.invoice("2025-10")
    await accounts.release(30, counted_at_us=instant("2025-10-31T22:59"))
    await accounts.release(20)
    accounts.at("2025-12-02T00:00")
    november = await accounts.invoice("2025-11")

    note = await accounts.let_off(november, 45)

    assert lines(november) == [("2025-11", USAGE, 20, 20), ("2025-10", USAGE, 30, 30)]
    assert lines(note) == [("2025-11", "goodwill", 0, -20), ("2025-10", "goodwill", 0, -25)]


async def test_a_correction_takes_no_period_below_what_goodwill_has_left(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    first, second = await accounts.release(50), await accounts.release(50)
    accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10")
    await accounts.let_off(invoice, 80)
    await accounts.confirm(first, 50, 0)
    accounts.at("2025-12-02T00:00")
    november = await accounts.invoice("2025-11")
    await accounts.confirm(second, 50, 10)
    await accounts.release(75, counted_at_us=instant("2025-10-31T22:59"))
    accounts.at("2026-01-02T00:00")
    december = await accounts.invoice("2025-12")

    # 100 billed, 80 let off: 50 posts less are worth 20, and the rest was let off already.
    assert lines(november) == [("2025-10", USAGE, -50, -50), ("2025-10", "goodwill_limit", 0, 30)]
    # 85 posts in all: what was limited comes back first.
    assert lines(december) == [("2025-10", USAGE, 35, 35), ("2025-10", "goodwill_limit", 0, -30)]
    assert 100 - 80 + november.bill.total + december.bill.total == 85 - 80


async def test_a_draft_is_outdated_by_a_credit_note_and_drafted_again(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.release(100)
    accounts.at("2025-12-02T00:00")
    october = await accounts.invoice("2025-10")
    draft = await accounts.draft("2025-11")
    await accounts.let_off(october, 5)

    with pytest.raises(Refusal, match="DRAFT_OUTDATED"):
        await accounts.finalize(draft)

    assert (await accounts.finalize(await accounts.draft("2025-11"))).number == "INV-000002"


async def test_revenue_is_by_the_month_of_the_period_and_never_across_currencies(
    accounts: Accounts,
) -> None:
    await accounts.license("euros", a_price(CENT, currency="EUR", **PARIS))
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    await accounts.release(8, "euros")
    accounts.at("2025-11-02T00:00")
    october = await accounts.invoice("2025-10")
    await accounts.invoice("2025-10", "euros")
    await accounts.let_off(october, 5)
    await accounts.confirm(decision, 100, 90)
    await accounts.release(3)
    accounts.at("2025-12-02T00:00")
    await accounts.invoice("2025-11")

    months = await accounts.desk.revenue(RevenueFilter(), (), 9)

    assert months == [
        Month("2025-10", "licensee-1", "EUR", 2, 8, 0),
        Month("2025-10", "licensee-1", "USD", 2, 90, 5),
        Month("2025-11", "licensee-1", "USD", 2, 3, 0),
    ]
    assert await accounts.desk.revenue(RevenueFilter(), ("2025-10", "licensee-1", "EUR"), 1) == months[1:2]
    assert await accounts.desk.revenue(RevenueFilter("2025-11"), (), 9) == months[2:]
    assert await accounts.desk.revenue(RevenueFilter("", "2025-10"), (), 9) == months[:2]
    assert await accounts.desk.revenue(RevenueFilter(licensee_id="licensee-2"), (), 9) == []


async def test_a_correction_in_another_currency_is_left_to_a_credit_note(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On record from earlier releases, which compared an amendment with the version before alone.
    monkeypatch.setattr(contracts, "_last_price", lambda *_: None)
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    terms = some_terms(price=None, term_from_us=instant("2025-10-01T00:00"))
    accounts.at("2025-10-31T22:30")
    await accounts.amend("license-1", terms, 2)
    accounts.at("2025-11-02T00:00")
    october = await accounts.invoice("2025-10")
    await accounts.amend("license-1", replace(terms, price=a_price(CENT, currency="EUR", **PARIS)), 3)
    await accounts.release(7)
    await accounts.confirm(decision, 100, 30)
    accounts.at("2025-12-02T00:00")

    # October has the price of its first instant to its end; the next price is in force since the second.
    november = await accounts.invoice("2025-11")
    note = await accounts.correct(october)

    assert (november.bill.currency, lines(november)) == ("EUR", [("2025-11", USAGE, 7, 7)])
    assert november.bill.period.start_us == instant("2025-11-02T00:00")
    assert (note.bill.currency, lines(note)) == ("USD", [("2025-10", USAGE, -70, -70)])
