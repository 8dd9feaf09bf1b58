"""Invoices and credit notes as the billing desk keeps them, on each engine (B2, B3)."""

import hashlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.prices import BillingPeriod, Flat, PerUnit
from services.licensing.domain.pricing.revenue import BillFilter, Month, RevenueFilter
from services.licensing.domain.terms import Terms
from tests.support.billing import Accounts, instant
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.licensing import licensing_database_at, some_terms
from tests.support.prices import a_price

CENT = PerUnit(Decimal("0.01"))
PARIS = {"period": BillingPeriod.MONTH, "time_zone": "Europe/Paris"}


@pytest_asyncio.fixture(params=ENGINES)
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    database = licensing_database_at(url_on(request.param, request, tmp_path, licensing_database_at))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def accounts(database: Database) -> Accounts:
    """license-1 in force since the first of October, a cent a post by the month of Paris."""
    accounts = Accounts(database, ManualClock())
    accounts.at("2025-10-01T00:00")
    await accounts.license(price=a_price(CENT, **PARIS))
    return accounts


def lines(record: BillRecord) -> list[tuple[str, str, int, int]]:
    return [
        (each.period.label, each.line.key, each.line.posts, each.line.minor) for each in record.bill.lines
    ]


USAGE = "usage/charge 1"


async def test_b2_confirmed_posts_are_billed_and_in_full_what_nobody_confirmed(accounts: Accounts) -> None:
    accounts.at("2025-10-10T12:00")
    in_time, late = await accounts.release(100), await accounts.release(40)
    await accounts.release(7)
    await accounts.confirm(in_time, 100, 90)
    accounts.at("2025-10-10T13:00")
    await accounts.confirm(late, 40, 10)
    accounts.at("2025-11-02T00:00")

    draft = await accounts.draft("2025-10")

    assert lines(draft) == [("2025-10", USAGE, 107, 107)]
    assert (draft.bill.posts, draft.bill.total, draft.number) == (107, 107, None)
    assert draft.digest == hashlib.sha256(draft.document).digest()


async def test_a_permit_that_is_open_at_the_cut_off_counts_in_full(accounts: Accounts) -> None:
    accounts.at("2025-10-31T22:59:59")
    decision = await accounts.release(50)
    cut_off_us = accounts.at("2025-10-31T23:00:01")
    accounts.at("2025-10-31T23:00:02")
    await accounts.confirm(decision, 50, 20)
    accounts.at("2025-10-31T23:00:03")

    assert (await accounts.draft("2025-10", cut_off_us=cut_off_us)).bill.posts == 50
    assert (await accounts.draft("2025-10")).bill.posts == 20


async def test_b4_m5_it_is_the_stamp_of_the_hold_that_says_in_which_period_a_post_is(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-31T23:00:01")
    await accounts.release(3, counted_at_us=instant("2025-10-31T23:00") - 1)
    await accounts.release(5, counted_at_us=instant("2025-10-31T23:00"))
    accounts.at("2025-12-02T00:00")

    assert (await accounts.invoice("2025-10")).bill.posts == 3
    assert (await accounts.invoice("2025-11")).bill.posts == 5


async def test_b3_a_cut_off_gives_the_same_document_however_much_happened_meanwhile(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-20T00:00")
    decision, other = await accounts.release(100), await accounts.release(100)
    cut_off_us = accounts.at("2025-11-02T00:00")
    first = await accounts.draft("2025-10", cut_off_us=cut_off_us)

    # This very microsecond, and by a process whose clock is an hour behind.
    await accounts.release(9, counted_at_us=instant("2025-10-30T00:00"))
    accounts.at("2025-11-01T23:00")
    await accounts.release(8, counted_at_us=instant("2025-10-30T00:00"))
    await accounts.confirm(decision, 100, 0)
    accounts.at("2025-11-05T00:00")
    await accounts.confirm(other, 100, 1)
    await accounts.terminate("license-1")
    accounts.at("2025-11-06T00:00")
    again = await accounts.draft("2025-10", cut_off_us=cut_off_us)
    now = await accounts.draft("2025-10")

    assert (again.document, again.digest) == (first.document, first.digest)
    assert (first.bill.posts, now.bill.posts) == (200, 18)
    assert first.bill_id == again.bill_id == now.bill_id


async def test_a_confirmation_by_a_clock_behind_is_never_on_record_before_its_decision(
    accounts: Accounts,
) -> None:
    accounts.at("2025-11-01T00:00")
    decision = await accounts.release(100, counted_at_us=instant("2025-10-30T00:00"))
    cut_off_us = accounts.at("2025-10-31T23:30")
    await accounts.confirm(decision, 100, 0)
    accounts.at("2025-11-05T00:00")

    assert (await accounts.draft("2025-10", cut_off_us=cut_off_us)).bill.posts == 0
    assert (await accounts.draft("2025-10")).bill.posts == 0


async def test_b3_what_changes_after_an_invoice_comes_on_the_next_one_and_names_its_period(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    accounts.at("2025-11-02T00:00")
    october = await accounts.invoice("2025-10")
    await accounts.confirm(decision, 100, 30)
    # Concluded late: metering's stamp is of October.
    await accounts.release(4, counted_at_us=instant("2025-10-31T22:59"))
    await accounts.release(11)
    accounts.at("2025-12-01T12:00")
    november = await accounts.invoice("2025-11")
    accounts.at("2026-01-01T12:00")
    december = await accounts.invoice("2025-12")

    assert lines(october) == [("2025-10", USAGE, 100, 100)]
    assert lines(november) == [("2025-11", USAGE, 11, 11), ("2025-10", USAGE, -66, -66)]
    assert (november.bill.total, lines(december)) == (-55, [])
    assert [record.number for record in (october, november, december)] == [
        "INV-000001",
        "INV-000002",
        "INV-000003",
    ]


@pytest.mark.parametrize(
    ("period", "reason"),
    [
        ("2025-13", "PERIOD_INVALID"),
        ("2025-Q4", "PERIOD_INVALID"),
        ("2024-10", "PERIOD_INVALID"),
        ("10000", "PERIOD_INVALID"),
        (7, "PERIOD_INVALID"),
        ("2025-11", "PERIOD_NOT_OVER"),
        ("2025-12", "PERIOD_NOT_OVER"),
        ("2030-12", "PERIOD_INVALID"),
    ],
)
async def test_what_cannot_be_drafted_is_refused(accounts: Accounts, period: str | int, reason: str) -> None:
    accounts.at("2025-11-20T00:00")

    with pytest.raises(Refusal) as refused:
        await accounts.draft(period)

    assert refused.value.reason == reason


async def test_periods_are_invoiced_in_order_and_once(accounts: Accounts) -> None:
    accounts.at("2025-12-20T00:00")

    with pytest.raises(Refusal, match="PERIOD_OUT_OF_ORDER: period 2025-10 is to be invoiced first"):
        await accounts.draft("2025-11")
    await accounts.invoice("2025-10")
    with pytest.raises(Refusal, match="PERIOD_INVOICED"):
        await accounts.draft("2025-10")
    by_instant = await accounts.draft(instant("2025-10-31T23:00"))

    assert by_instant.bill.period.label == "2025-11"


async def test_cut_offs_lie_neither_ahead_nor_behind_what_was_billed(accounts: Accounts) -> None:
    now_us = accounts.at("2025-12-20T00:00")

    with pytest.raises(Refusal, match="CUT_OFF_IN_FUTURE"):
        await accounts.draft("2025-10", cut_off_us=now_us + 1)
    await accounts.invoice("2025-10", cut_off_us=now_us - 5)
    with pytest.raises(Refusal, match="CUT_OFF_TOO_EARLY"):
        await accounts.draft("2025-11", cut_off_us=now_us - 6)
    await accounts.draft("2025-11", cut_off_us=now_us - 5)


async def test_a_license_without_a_price_or_never_in_force_is_not_billed(accounts: Accounts) -> None:
    await accounts.license("free", licensee_id="licensee-2", priced=False)
    accounts.at("2025-12-20T00:00")

    with pytest.raises(Refusal, match="LICENSE_HAS_NO_PRICE"):
        await accounts.draft("2025-10", "free")
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await accounts.draft("2025-10", "no-license")


async def test_what_is_finalised_is_what_was_read(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    read = await accounts.draft("2025-10")
    await accounts.release(5, counted_at_us=instant("2025-10-30T00:00"))
    accounts.at("2025-11-03T00:00")
    drafted = await accounts.draft("2025-10")

    with pytest.raises(Refusal, match="DIGEST_DIFFERS"):
        await accounts.finalize(read)
    final = await accounts.finalize(drafted)

    assert (final.document, final.number, final.final_by) == (drafted.document, "INV-000001", "operator:fay")


async def test_b3_a_final_invoice_is_never_changed(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    final = await accounts.invoice("2025-10")

    with pytest.raises(Refusal, match="INVOICE_FINAL"):
        await accounts.finalize(final)
    with pytest.raises(Refusal, match="INVOICE_FINAL"):
        await accounts.desk.discard(final.bill_id, accounts.key())
    with pytest.raises(Refusal, match="PERIOD_INVOICED"):
        await accounts.draft("2025-10")

    assert await accounts.desk.find("INV-000001") == final


async def test_a_draft_that_is_discarded_is_gone_and_uses_up_no_number(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    draft = await accounts.draft("2025-10")

    await accounts.desk.discard(draft.bill_id, accounts.key())

    assert await accounts.desk.find(draft.bill_id) is None
    with pytest.raises(Refusal, match="INVOICE_UNKNOWN"):
        await accounts.finalize(draft)
    assert (await accounts.invoice("2025-10")).number == "INV-000001"


async def test_a_number_that_was_taken_by_a_unit_that_failed_is_given_again(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    draft = await accounts.draft("2025-10")

    def die(_: BillRecord) -> bytes:
        raise ValueError("at the last line")

    with pytest.raises(ValueError, match="at the last line"):
        await accounts.desk.finalize(draft.bill_id, draft.digest, accounts.key(), die)

    assert (await accounts.finalize(draft)).number == "INV-000001"


async def test_a_repeated_request_gets_the_same_answer(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")
    draft_key, final_key = accounts.key("DraftInvoice"), accounts.key("FinalizeInvoice")

    def told(record: BillRecord) -> bytes:
        return f"{record.bill_id} {record.number} {record.digest.hex()}".encode()

    first = await accounts.desk.draft("license-1", "2025-10", None, draft_key, told)
    draft = await accounts.draft("2025-10")
    final = await accounts.desk.finalize(draft.bill_id, draft.digest, final_key, told)

    assert await accounts.desk.draft("license-1", "2025-10", None, draft_key, told) == first
    assert await accounts.desk.finalize(draft.bill_id, draft.digest, final_key, told) == final


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


async def test_a_damaged_document_is_used_for_nothing(accounts: Accounts) -> None:
    accounts.at("2025-12-02T00:00")
    invoice = await accounts.invoice("2025-10")
    damage = text("UPDATE bills SET document = replace(document, 'Licensee-1', 'Licensee-2')")
    await accounts.database.write(lambda connection: connection.execute(damage))

    for read in (accounts.desk.find(invoice.bill_id), accounts.draft("2025-11")):
        with pytest.raises(Refusal) as refused:
            await read
        assert (refused.value.kind, refused.value.reason) == (Kind.INTERNAL, "DOCUMENT_DAMAGED")


async def test_the_price_of_a_period_is_that_of_the_version_at_its_first_instant(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.release(10)
    dearer = some_terms(
        price=a_price(PerUnit(Decimal("0.02")), **PARIS), term_from_us=instant("2025-10-01T00:00")
    )
    await accounts.amend("license-1", dearer, 2)
    await accounts.release(10)
    accounts.at("2025-11-20T00:00")
    await accounts.release(10)
    accounts.at("2025-12-02T00:00")

    october, november = await accounts.invoice("2025-10"), await accounts.invoice("2025-11")

    assert (october.bill.license_version, lines(october)) == (1, [("2025-10", USAGE, 20, 20)])
    assert (november.bill.license_version, lines(november)) == (2, [("2025-11", USAGE, 10, 20)])
    assert november.bill.terms_digest == _digest(dearer)


async def test_a_license_that_was_terminated_has_no_later_period_and_its_last_can_be_billed(
    accounts: Accounts,
) -> None:
    await accounts.license("flat", a_price(Flat(Decimal(30)), **PARIS))
    accounts.at("2025-11-10T00:00")
    await accounts.terminate("flat")
    accounts.at("2025-11-11T00:00")

    await accounts.invoice("2025-10", "flat")
    november = await accounts.invoice("2025-11", "flat")
    accounts.at("2026-01-10T00:00")
    with pytest.raises(Refusal, match="PERIOD_INVALID"):
        await accounts.draft("2025-12", "flat")

    assert november.bill.period.end_us == instant("2025-11-10T00:00")
    assert november.bill.total == 3_000


async def test_bills_are_listed_page_by_page_as_asked(accounts: Accounts) -> None:
    await accounts.license("license-2", a_price(CENT, **PARIS), licensee_id="licensee-2")
    accounts.at("2025-11-02T00:00")
    first = await accounts.invoice("2025-10")
    accounts.at("2025-11-03T00:00")
    other = await accounts.draft("2025-10", "license-2")

    async def listed(after: str = "", limit: int = 9, **wanted: object) -> list[str]:
        page = await accounts.desk.page(BillFilter(invoices=True, **wanted), after, limit)  # type: ignore[arg-type]
        return [record.bill_id for record in page]

    assert await listed() == [first.bill_id, other.bill_id]
    assert await listed(limit=1) == [first.bill_id]
    assert await listed(after=first.bill_id) == [other.bill_id]
    assert await listed(licensee_id="licensee-2") == [other.bill_id]
    assert await listed(license_id="license-1") == [first.bill_id]
    assert await listed(final=True) == [first.bill_id]
    assert await listed(final=False) == [other.bill_id]
    assert await accounts.desk.page(BillFilter(invoices=False), "", 9) == []


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


def _digest(terms: Terms) -> bytes:
    return hashlib.sha256(terms.document()).digest()
