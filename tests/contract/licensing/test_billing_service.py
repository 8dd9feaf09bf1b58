"""Billing as callers meet it: over gRPC, behind identity, admission and validation."""

import hashlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from google.type.money_pb2 import Money
from sqlalchemy import text

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.pricing.prices import PerUnit
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.billing import bolt
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1 import billing_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import invoice_pb2
from tests.support.billing import PARIS, Accounts, instant
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.licensing import licensing_database
from tests.support.prices import a_price

FINANCE = (PrincipalKind.OPERATOR, "fay", ("finance",))
TRUST = (PrincipalKind.OPERATOR, "tom", ("trust",))
AUDITOR = (PrincipalKind.AUDITOR, "auditor-1")
OWN, OTHER = (PrincipalKind.LICENSEE, "licensee-1"), (PrincipalKind.LICENSEE, "licensee-2")


class Office:
    """The service with its books, on the second of November after a release of 100 posts in October."""

    def __init__(self, accounts: Accounts, server: LocalServer) -> None:
        self.accounts = accounts
        self._server = server

    async def ask(self, rpc: str, request: Any, who: tuple[Any, ...] = FINANCE) -> Any:
        peer = self._server.peer(*who)
        return await peer.call(getattr(pb_grpc.BillingServiceStub(peer.channel), rpc), request)

    def id(self) -> str:
        return uuid7(self.accounts.clock.now_us())

    async def draft(self, **fields: Any) -> invoice_pb2.Invoice:
        request = pb.DraftInvoiceRequest(
            request_id=self.id(), license_id="license-1", **{"period": "2025-10", **fields}
        )
        answer: invoice_pb2.Invoice = (await self.ask("DraftInvoice", request)).invoice
        return answer

    async def final(self) -> invoice_pb2.Invoice:
        draft = await self.draft()
        request = pb.FinalizeInvoiceRequest(
            request_id=self.id(), invoice_id=draft.invoice_id, digest=draft.digest
        )
        answer: invoice_pb2.Invoice = (await self.ask("FinalizeInvoice", request)).invoice
        return answer

    async def goodwill(self, invoice_id: str, amount: Money) -> invoice_pb2.CreditNote:
        request = pb.IssueCreditNoteRequest(
            request_id=self.id(),
            invoice_id=invoice_id,
            reason="as agreed",
            goodwill=pb.CreditGoodwill(amount=amount),
        )
        answer: invoice_pb2.CreditNote = (await self.ask("IssueCreditNote", request)).credit_note
        return answer


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    database = licensing_database(tmp_path)
    accounts = Accounts(database, ManualClock())
    accounts.at("2025-10-01T00:00")
    await accounts.license(price=a_price(PerUnit(Decimal("0.0125")), **PARIS))
    accounts.at("2025-10-20T00:00")
    await accounts.release(100)
    accounts.at("2025-11-02T00:00")
    admitted = {"admissions": ADMISSIONS, "clock": accounts.clock}
    async with serving(tmp_path, bolt(accounts.desk, accounts.outlook), **admitted) as server:  # type: ignore[arg-type]
        yield Office(accounts, server)
    await database.close()


def usd(units: int, nanos: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=nanos)


async def test_a_draft_says_all_that_a_bill_must(office: Office) -> None:
    draft = await office.draft()

    assert (draft.number, draft.state) == ("", invoice_pb2.INVOICE_STATE_DRAFT)
    assert (draft.licensee_id, draft.licensee_name) == ("licensee-1", "Licensee-1")
    assert (draft.period, draft.time_zone, draft.posts) == ("2025-10", "Europe/Paris", 100)
    # In force since the first of October UTC, when it is two o'clock in Paris.
    assert draft.period_from.ToMicroseconds() == instant("2025-10-01T00:00")
    assert draft.period_until.ToMicroseconds() == instant("2025-10-31T23:00")
    assert draft.cut_off.ToMicroseconds() == office.accounts.clock.now_us()
    assert (draft.total_minor, draft.total) == (125, usd(1, 250_000_000))
    (line,) = draft.lines
    assert (line.posts, line.unit_price, line.per, line.precise, line.minor) == (
        100,
        "0.0125",
        1,
        "1.25",
        125,
    )
    assert (line.period, line.kind) == ("2025-10", invoice_pb2.INVOICE_LINE_KIND_USAGE)
    assert draft.digest == hashlib.sha256(draft.document).digest()
    assert (draft.drafted_by, draft.HasField("finalized_at")) == ("operator:fay", False)


async def test_an_invoice_is_read_by_id_and_by_number_and_a_credit_note_too(office: Office) -> None:
    final = await office.final()
    note = await office.goodwill(final.invoice_id, usd(1))

    for name in (final.invoice_id, "INV-000001"):
        found = (await office.ask("GetInvoice", pb.GetInvoiceRequest(invoice=name))).invoice
        assert (found.number, found.lines, found.credited) == ("INV-000001", final.lines, usd(1))
    for name in (note.credit_note_id, "CN-000001"):
        found = (await office.ask("GetCreditNote", pb.GetCreditNoteRequest(credit_note=name))).credit_note
        assert found == note
    assert (note.kind, note.total) == (invoice_pb2.CREDIT_NOTE_KIND_GOODWILL, usd(-1))
    assert (note.invoice_number, note.reason, note.issued_by) == ("INV-000001", "as agreed", "operator:fay")
    with pytest.raises(Refusal, match="INVOICE_UNKNOWN"):
        await office.ask("GetInvoice", pb.GetInvoiceRequest(invoice=note.credit_note_id))
    with pytest.raises(Refusal, match="CREDIT_NOTE_UNKNOWN"):
        await office.ask("GetCreditNote", pb.GetCreditNoteRequest(credit_note=final.invoice_id))


async def test_a_period_can_be_named_by_its_first_instant(office: Office) -> None:
    request = pb.DraftInvoiceRequest(request_id=office.id(), license_id="license-1")
    request.period_from.FromMicroseconds(instant("2025-10-01T00:00"))

    assert (await office.ask("DraftInvoice", request)).invoice.period == "2025-10"


async def test_a_discarded_draft_is_gone(office: Office) -> None:
    draft = await office.draft()
    request = pb.DiscardDraftRequest(request_id=office.id(), invoice_id=draft.invoice_id)

    await office.ask("DiscardDraft", request)
    await office.ask("DiscardDraft", request)

    with pytest.raises(Refusal, match="INVOICE_UNKNOWN"):
        await office.ask("GetInvoice", pb.GetInvoiceRequest(invoice=draft.invoice_id))


@pytest.mark.parametrize("who", [TRUST, AUDITOR, OWN, (PrincipalKind.PIPELINE, "firehose")])
async def test_only_finance_writes(office: Office, who: tuple[Any, ...]) -> None:
    final = await office.final()
    id, about = office.id(), final.invoice_id
    credit = pb.IssueCreditNoteRequest(
        request_id=id, invoice_id=about, reason="x", correction=pb.CreditCorrection()
    )
    writes = {
        "DraftInvoice": pb.DraftInvoiceRequest(request_id=id, license_id="license-1", period="2025-10"),
        "DiscardDraft": pb.DiscardDraftRequest(request_id=id, invoice_id=about),
        "FinalizeInvoice": pb.FinalizeInvoiceRequest(request_id=id, invoice_id=about, digest=bytes(32)),
        "IssueCreditNote": credit,
    }

    for rpc, request in writes.items():
        with pytest.raises(Refusal, match="NOT_ADMITTED"):
            await office.ask(rpc, request, who)


async def test_that_anothers_document_is_damaged_is_no_licensees_business(office: Office) -> None:
    final = await office.final()
    note = await office.goodwill(final.invoice_id, usd(1))
    damage = text("UPDATE bills SET document = replace(document, 'Licensee-1', 'Licensee-2')")
    await office.accounts.database.write(lambda connection: connection.execute(damage))

    asked = (
        ("GetInvoice", pb.GetInvoiceRequest(invoice=final.number), "INVOICE_UNKNOWN"),
        ("GetCreditNote", pb.GetCreditNoteRequest(credit_note=note.number), "CREDIT_NOTE_UNKNOWN"),
    )
    for rpc, request, reason in asked:
        for who, expected in ((OTHER, reason), (OWN, "DOCUMENT_DAMAGED"), (TRUST, "DOCUMENT_DAMAGED")):
            with pytest.raises(Refusal) as refused:
                await office.ask(rpc, request, who)
            assert refused.value.reason == expected


async def test_a_licensee_is_not_told_who_of_the_operators_people_billed(office: Office) -> None:
    final = await office.final()
    note = await office.goodwill(final.invoice_id, usd(1))

    for who, by in ((OWN, ""), (AUDITOR, "operator:fay")):
        told = (await office.ask("GetInvoice", pb.GetInvoiceRequest(invoice=final.number), who)).invoice
        (listed,) = (await office.ask("ListInvoices", pb.ListInvoicesRequest(), who)).invoices
        assert {told.drafted_by, told.finalized_by, listed.drafted_by, listed.finalized_by} == {by}
        asked = pb.GetCreditNoteRequest(credit_note=note.number)
        told_note = (await office.ask("GetCreditNote", asked, who)).credit_note
        (listed_note,) = (await office.ask("ListCreditNotes", pb.ListCreditNotesRequest(), who)).credit_notes
        assert {told_note.issued_by, listed_note.issued_by} == {by}


async def test_a_licensee_sees_their_own_final_bills_and_anothers_look_like_none(office: Office) -> None:
    draft = await office.draft()
    by_id = pb.GetInvoiceRequest(invoice=draft.invoice_id)
    with pytest.raises(Refusal) as refused:
        await office.ask("GetInvoice", by_id, OWN)
    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "INVOICE_UNKNOWN")
    for asked in (pb.ListInvoicesRequest(), pb.ListInvoicesRequest(state=invoice_pb2.INVOICE_STATE_DRAFT)):
        assert not (await office.ask("ListInvoices", asked, OWN)).invoices
        assert len((await office.ask("ListInvoices", asked, AUDITOR)).invoices) == 1

    final = await office.final()
    note = await office.goodwill(final.invoice_id, usd(1))

    for who in (OWN, TRUST, AUDITOR):
        assert (await office.ask("GetInvoice", by_id, who)).invoice.number == "INV-000001"
        listed = (await office.ask("ListInvoices", pb.ListInvoicesRequest(), who)).invoices
        assert [(each.number, len(each.lines), each.document) for each in listed] == [("INV-000001", 0, b"")]
        notes = (await office.ask("ListCreditNotes", pb.ListCreditNotesRequest(), who)).credit_notes
        assert [each.number for each in notes] == ["CN-000001"]
    number, request = pb.GetInvoiceRequest(invoice="INV-000001"), pb.ListInvoicesRequest
    with pytest.raises(Refusal, match="INVOICE_UNKNOWN"):
        await office.ask("GetInvoice", number, OTHER)
    with pytest.raises(Refusal, match="CREDIT_NOTE_UNKNOWN"):
        await office.ask("GetCreditNote", pb.GetCreditNoteRequest(credit_note=note.number), OTHER)
    for asked in (request(), request(licensee_id="licensee-1"), request(license_id="license-1")):
        assert not (await office.ask("ListInvoices", asked, OTHER)).invoices
    asked_notes = pb.ListCreditNotesRequest(invoice_id=final.invoice_id)
    assert not (await office.ask("ListCreditNotes", asked_notes, OTHER)).credit_notes
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await office.ask("GetRevenue", pb.GetRevenueRequest(), OWN)


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        (usd(0), "CREDIT_AMOUNT_INVALID"),
        (usd(-1), "CREDIT_AMOUNT_INVALID"),
        (usd(0, 1_000_000), "CREDIT_AMOUNT_INVALID"),
        (usd(1, -10_000_000), "CREDIT_AMOUNT_INVALID"),
        (Money(currency_code="EUR", units=1), "CREDIT_CURRENCY_DIFFERS"),
        (usd(1, 260_000_000), "CREDIT_OVER_BILLED"),
    ],
)
async def test_goodwill_is_an_amount_of_the_invoice(office: Office, amount: Money, reason: str) -> None:
    final = await office.final()

    with pytest.raises(Refusal, match=reason):
        await office.goodwill(final.invoice_id, amount)


async def test_pages_are_whole_and_end_with_an_empty_token(office: Office) -> None:
    await office.final()
    accounts = office.accounts
    accounts.at("2026-01-02T00:00")
    for period in ("2025-11", "2025-12"):
        accounts.clock.advance(1)
        draft = await office.draft(period=period)
        request = pb.FinalizeInvoiceRequest(
            request_id=office.id(), invoice_id=draft.invoice_id, digest=draft.digest
        )
        await office.ask("FinalizeInvoice", request)

    first = await office.ask("ListInvoices", pb.ListInvoicesRequest(page_size=2))
    rest = pb.ListInvoicesRequest(page_size=2, page_token=first.next_page_token)
    last = await office.ask("ListInvoices", rest)

    assert [each.period for each in first.invoices] == ["2025-10", "2025-11"]
    assert [each.period for each in last.invoices] == ["2025-12"]
    assert (first.next_page_token != "", last.next_page_token) == (True, "")


async def test_revenue_comes_in_pages_with_what_was_credited_beside_it(office: Office) -> None:
    final = await office.final()
    await office.goodwill(final.invoice_id, usd(1))
    await office.accounts.license(
        "license-2", a_price(PerUnit(Decimal(1)), **PARIS), licensee_id="licensee-2"
    )
    await office.accounts.release(3, "license-2")
    office.accounts.at("2025-12-02T00:00")
    await office.accounts.invoice("2025-11", "license-2")

    first = await office.ask("GetRevenue", pb.GetRevenueRequest(page_size=1))
    following = pb.GetRevenueRequest(page_size=1, page_token=first.next_page_token)
    last = await office.ask("GetRevenue", following, AUDITOR)

    (october,), (november,) = first.revenue, last.revenue
    assert (october.month, october.licensee_id, october.decimals) == ("2025-10", "licensee-1", 2)
    assert (october.invoiced, october.credited) == (usd(1, 250_000_000), usd(1))
    assert october.net == usd(0, 250_000_000)
    assert (november.month, november.licensee_id, november.net) == ("2025-11", "licensee-2", usd(3))
    assert last.next_page_token == ""
    for token in ("e30=", "WzFd", "?"):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await office.ask("GetRevenue", pb.GetRevenueRequest(page_token=token))


@pytest.mark.parametrize(
    "request_",
    [
        pb.GetInvoiceRequest(invoice="INV-1"),
        pb.GetRevenueRequest(from_month="2025-13"),
        pb.DraftInvoiceRequest(license_id="license-1", period="2025-10"),
        pb.DraftInvoiceRequest(request_id=uuid7(0), license_id="license-1"),
    ],
)
async def test_what_breaks_the_contract_is_refused_at_the_edge(office: Office, request_: Any) -> None:
    rpc = type(request_).__name__.removesuffix("Request")

    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        await office.ask(rpc, request_)


async def test_what_is_due_and_a_preview_are_for_finance_and_auditors(office: Office) -> None:
    office.accounts.at("2025-11-20T00:00")
    await office.accounts.release(40)
    office.accounts.at("2025-11-20T00:01")
    due, preview = pb.ListDuePeriodsRequest(), pb.PreviewInvoiceRequest(license_id="license-1")

    for who in (FINANCE, AUDITOR):
        (period,) = (await office.ask("ListDuePeriods", due, who)).due
        assert (period.license_id, period.period, period.invoice_id) == ("license-1", "2025-10", "")
        assert (period.licensee_name, period.time_zone, period.reason) == ("Licensee-1", "Europe/Paris", "")
        assert period.period_until.ToMicroseconds() == instant("2025-10-31T23:00")
        so_far = (await office.ask("PreviewInvoice", preview, who)).invoice
        assert (so_far.invoice_id, so_far.number, so_far.digest, so_far.state) == ("", "", b"", 0)
        assert (so_far.period, so_far.posts, so_far.total) == ("2025-11", 40, usd(0, 500_000_000))
    for who in (TRUST, OWN):
        for rpc, request in (("ListDuePeriods", due), ("PreviewInvoice", preview)):
            with pytest.raises(Refusal, match="NOT_ADMITTED"):
                await office.ask(rpc, request, who)


async def test_due_periods_come_page_by_page_and_other_tokens_are_refused(office: Office) -> None:
    office.accounts.at("2025-12-20T00:00")
    request = pb.ListDuePeriodsRequest(page_size=1)
    first = await office.ask("ListDuePeriods", request)
    request.page_token = first.next_page_token
    last = await office.ask("ListDuePeriods", request)

    assert [each.period for each in (*first.due, *last.due)] == ["2025-10", "2025-11"]
    assert last.next_page_token == ""
    for token in ("?", "WzFd", "e30=", "e30"):
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await office.ask("ListDuePeriods", pb.ListDuePeriodsRequest(page_token=token))
        with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
            await office.ask("GetRevenue", pb.GetRevenueRequest(page_token=token))
