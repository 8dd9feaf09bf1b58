"""Invoices as the billing desk keeps them, on each engine (B2, B3)."""

import hashlib
from decimal import Decimal

import pytest
from sqlalchemy import text

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.prices import Flat, PerUnit
from services.licensing.domain.pricing.revenue import BillFilter
from services.licensing.domain.terms import digest_of
from tests.support.billing import PARIS, Accounts, instant, lines
from tests.support.licensing import some_terms
from tests.support.prices import a_price

CENT = PerUnit(Decimal("0.01"))
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


@pytest.mark.parametrize("change", ["terminate", "amend"])
async def test_b3_a_cut_off_gives_the_same_document_though_the_license_is_changed_by_a_clock_behind(
    accounts: Accounts, change: str
) -> None:
    await accounts.license("flat", a_price(Flat(Decimal(30)), **PARIS), licensee_id="licensee-2")
    cut_off_us = accounts.at("2025-12-02T00:00")
    first = await accounts.invoice("2025-10", "flat", cut_off_us=cut_off_us)
    november = await accounts.draft("2025-11", "flat", cut_off_us=cut_off_us)
    # Of another process, and before November began.
    accounts.at("2025-10-31T22:00")
    if change == "terminate":
        await accounts.terminate("flat")
    else:
        dearer = a_price(Flat(Decimal(40)), **PARIS)
        terms = {"licensee_id": "licensee-2", "term_from_us": instant("2025-10-01T00:00")}
        await accounts.amend("flat", some_terms(price=dearer, **terms), 2)
    accounts.at("2025-12-03T00:00")

    again = await accounts.draft("2025-11", "flat", cut_off_us=cut_off_us)

    assert (again.document, first.bill.period.label) == (november.document, "2025-10")


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
    assert november.bill.terms_digest == digest_of(dearer.document())


async def test_a_price_that_is_removed_is_billed_to_the_end_of_the_period_that_began_with_it(
    accounts: Accounts,
) -> None:
    free = some_terms(price=None, term_from_us=instant("2025-10-01T00:00"))
    accounts.at("2025-10-20T00:00")
    await accounts.release(10)
    await accounts.amend("license-1", free, 2)
    await accounts.release(100)
    accounts.at("2025-11-20T00:00")
    await accounts.release(1000)
    accounts.at("2025-12-02T00:00")

    assert (await accounts.invoice("2025-10")).bill.posts == 110
    with pytest.raises(Refusal, match="PERIOD_INVALID"):
        await accounts.draft("2025-11")


async def test_a_price_that_is_added_is_billed_from_then_on_in_a_period_that_began_without(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-02T00:00")
    await accounts.license("free", priced=False)
    await accounts.release(1000, "free")
    accounts.at("2025-10-20T00:00")
    priced = some_terms(price=a_price(CENT, **PARIS), term_from_us=instant("2025-10-02T00:00"))
    await accounts.amend("free", priced, 2)
    await accounts.release(10, "free")
    accounts.at("2025-11-02T00:00")
    october = await accounts.invoice("2025-10", "free")

    assert (october.bill.period.start_us, october.bill.posts) == (instant("2025-10-20T00:00"), 10)


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
