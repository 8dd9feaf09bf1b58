"""What is to be billed next, on each engine: due periods and previews, which store nothing (B2, B3)."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from services.chassis.refusals import Refusal
from services.licensing import outlook
from services.licensing.domain.pricing.prices import BillingPeriod, Flat, PerUnit
from services.licensing.domain.pricing.revenue import BillFilter, DueFilter
from services.licensing.outlook import Due
from services.licensing.storage.head import lock_head
from tests.support.billing import PARIS, Accounts, instant
from tests.support.licensing import some_terms
from tests.support.prices import a_price

CENT = PerUnit(Decimal("0.01"))


def told(due: Due) -> tuple[str, str]:
    return due.licensed.license_id, due.each.period.label if due.each else due.reason


async def all_due(accounts: Accounts, limit: int = 50, **wanted: str) -> list[tuple[str, str]]:
    found, after = list[tuple[str, str]](), ("", 0)
    while True:
        page = await accounts.outlook.due(DueFilter(**wanted), after, limit)
        assert len(page.due) <= limit
        found += map(told, page.due)
        if page.next_from is None:
            return found
        after = page.next_from


async def test_due_is_what_is_over_and_not_invoiced(accounts: Accounts) -> None:
    assert await all_due(accounts) == []
    accounts.at("2025-12-20T00:00")
    await accounts.license("free", licensee_id="licensee-2", priced=False)
    await accounts.license("new", a_price(CENT, **PARIS), licensee_id="licensee-2")

    assert await all_due(accounts) == [("license-1", "2025-10"), ("license-1", "2025-11")]
    await accounts.invoice("2025-10")
    draft = await accounts.draft("2025-11")
    page = await accounts.outlook.due(DueFilter(), ("", 0), 50)
    assert [(told(due), due.draft_id) for due in page.due] == [(("license-1", "2025-11"), draft.bill_id)]
    await accounts.finalize(draft)
    assert await all_due(accounts) == []
    accounts.at("2026-01-02T00:00")
    assert await all_due(accounts) == [("license-1", "2025-12"), ("new", "2025-12")]
    assert await all_due(accounts, licensee_id="licensee-2") == [("new", "2025-12")]
    assert await all_due(accounts, license_id="license-1") == [("license-1", "2025-12")]


@pytest.mark.parametrize("at_once", [1, 2, 200])
async def test_due_periods_are_told_page_by_page_and_each_once(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(outlook, "LICENSES_AT_ONCE", at_once)
    for name in ("a", "b", "c"):
        daily = a_price(CENT, period=BillingPeriod.DAY, time_zone="UTC")
        await accounts.license(name, daily if name != "b" else None, priced=name != "b")
    accounts.at("2025-10-04T00:00")
    whole = [(name, f"2025-10-0{day}") for name in ("a", "c") for day in (1, 2, 3)]

    for limit in range(1, 8):
        assert await all_due(accounts, limit) == whole


async def test_a_license_whose_books_are_damaged_hides_no_other(accounts: Accounts) -> None:
    await accounts.license("license-2", a_price(CENT, **PARIS))
    accounts.at("2025-12-02T00:00")
    await accounts.invoice("2025-10")
    damage = text("UPDATE bills SET document = replace(document, 'Licensee-1', 'Licensee-2')")
    await accounts.database.write(lambda connection: connection.execute(damage))

    for limit in (1, 9):
        assert await all_due(accounts, limit) == [
            ("license-1", "DOCUMENT_DAMAGED"),
            ("license-2", "2025-10"),
            ("license-2", "2025-11"),
        ]


async def test_a_preview_says_what_the_running_period_comes_to_so_far_and_stores_nothing(
    accounts: Accounts,
) -> None:
    await accounts.license("both", a_price(CENT, Flat(Decimal(5)), **PARIS))
    accounts.at("2025-10-20T00:00")
    await accounts.release(1000, "both")
    now_us = accounts.at("2025-11-10T00:00")
    decision = await accounts.release(100, "both")
    await accounts.confirm(decision, 100, 70)
    accounts.at("2025-11-10T00:01")

    bill = await accounts.outlook.preview("both")

    assert (bill.period.label, bill.posts, bill.total) == ("2025-11", 70, 570)
    assert {each.period.label for each in bill.lines} == {"2025-11"}
    assert bill.cut_off_us > now_us
    assert await accounts.desk.page(BillFilter(invoices=True), "", 9) == []
    assert await accounts.database.write(lambda connection: lock_head(connection).cut_off_us) == 0


async def test_where_no_period_runs_there_is_no_preview(accounts: Accounts) -> None:
    await accounts.license("free", priced=False)
    price = a_price(CENT, **PARIS)
    await accounts.license("over", price, term_until_us=instant("2025-10-05T00:00"))
    accounts.at("2025-10-20T00:00")
    until_then = some_terms(price=None, term_from_us=instant("2025-10-01T00:00"))
    await accounts.amend("license-1", until_then, 2)
    assert (await accounts.outlook.preview("license-1")).posts == 0
    accounts.at("2025-11-10T00:00")

    refused = {
        "nobody's": "LICENSE_UNKNOWN",
        "free": "LICENSE_HAS_NO_PRICE",
        "over": "NO_PERIOD_RUNNING",
        "license-1": "NO_PERIOD_RUNNING",
    }
    for license_id, reason in refused.items():
        with pytest.raises(Refusal) as refusal:
            await accounts.outlook.preview(license_id)
        assert refusal.value.reason == reason
