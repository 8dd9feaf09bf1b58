"""Billing over gRPC: translates, calls, translates."""

import functools
import json
from typing import Any

from services.chassis.refusals import not_found
from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.chassis.timestamps import time_us
from services.licensing.billing import BillingDesk, unknown_invoice
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.revenue import BillFilter, DueFilter, RevenueFilter
from services.licensing.outlook import Outlook
from services.licensing.rpc.contracts import (
    DEFAULT_PAGE_SIZE,
    may_ask_about,
    own_licensee,
    page_token,
    page_token_invalid,
    read_page_token,
    stored,
)
from services.licensing.rpc.invoice_messages import (
    bill_message,
    credit_note_message,
    due_message,
    goodwill_minor,
    invoice_message,
    revenue_message,
)
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1 import billing_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import invoice_pb2

FULL_NAME = "sluice.licensing.v1.BillingService"


class BillingServicer(pb_grpc.BillingServiceServicer):
    """`sluice.licensing.v1.BillingService`."""

    def __init__(self, desk: BillingDesk, outlook: Outlook) -> None:
        self._desk = desk
        self._outlook = outlook

    async def DraftInvoice(self, request: pb.DraftInvoiceRequest, context: Any) -> pb.DraftInvoiceResponse:  # noqa: N802
        asked = (
            request.period
            if request.WhichOneof("which") == "period"
            else time_us(request.period_from, "period_from")
        )
        cut_off_us = time_us(request.cut_off, "cut_off") if request.HasField("cut_off") else None
        key = replay_key("DraftInvoice", request)
        answer = await self._desk.draft(request.license_id, asked, cut_off_us, key, _stored_invoice)
        return pb.DraftInvoiceResponse(invoice=invoice_pb2.Invoice.FromString(answer))

    async def DiscardDraft(self, request: pb.DiscardDraftRequest, context: Any) -> pb.DiscardDraftResponse:  # noqa: N802
        await self._desk.discard(request.invoice_id, replay_key("DiscardDraft", request))
        return pb.DiscardDraftResponse()

    async def FinalizeInvoice(  # noqa: N802
        self, request: pb.FinalizeInvoiceRequest, context: Any
    ) -> pb.FinalizeInvoiceResponse:
        key = replay_key("FinalizeInvoice", request)
        answer = await self._desk.finalize(request.invoice_id, request.digest, key, _stored_invoice)
        return pb.FinalizeInvoiceResponse(invoice=invoice_pb2.Invoice.FromString(answer))

    async def IssueCreditNote(  # noqa: N802
        self, request: pb.IssueCreditNoteRequest, context: Any
    ) -> pb.IssueCreditNoteResponse:
        goodwill = None
        if request.WhichOneof("what") == "goodwill":
            goodwill = functools.partial(goodwill_minor, request.goodwill.amount)
        key = replay_key("IssueCreditNote", request)
        answer = await self._desk.credit(request.invoice_id, request.reason, goodwill, key, _stored_note)
        return pb.IssueCreditNoteResponse(credit_note=invoice_pb2.CreditNote.FromString(answer))

    async def GetInvoice(self, request: pb.GetInvoiceRequest, context: Any) -> pb.GetInvoiceResponse:  # noqa: N802
        # A licensee sees their own bills, and those only once they are final.
        record = await self._desk.find(request.invoice, own_licensee())
        if record is None or not record.is_invoice:
            raise unknown_invoice()
        return pb.GetInvoiceResponse(invoice=invoice_message(record, by_whom=own_licensee() is None))

    async def GetCreditNote(self, request: pb.GetCreditNoteRequest, context: Any) -> pb.GetCreditNoteResponse:  # noqa: N802
        record = await self._desk.find(request.credit_note, own_licensee())
        if record is None or record.is_invoice:
            raise not_found("CREDIT_NOTE_UNKNOWN", "there is no such credit note")
        return pb.GetCreditNoteResponse(
            credit_note=credit_note_message(record, by_whom=own_licensee() is None)
        )

    async def ListInvoices(self, request: pb.ListInvoicesRequest, context: Any) -> pb.ListInvoicesResponse:  # noqa: N802
        # To a licensee a draft looks like what is not there.
        if not may_ask_about(request.licensee_id) or (own_licensee() and _FINAL[request.state] is False):
            return pb.ListInvoicesResponse()
        page, token = await self._page(request, _wanted(request, _FINAL[request.state]))
        return pb.ListInvoicesResponse(
            invoices=[invoice_message(each, whole=False, by_whom=own_licensee() is None) for each in page],
            next_page_token=token,
        )

    async def ListCreditNotes(  # noqa: N802
        self, request: pb.ListCreditNotesRequest, context: Any
    ) -> pb.ListCreditNotesResponse:
        if not may_ask_about(request.licensee_id):
            return pb.ListCreditNotesResponse()
        page, token = await self._page(request, _wanted(request, None))
        return pb.ListCreditNotesResponse(
            credit_notes=[
                credit_note_message(each, whole=False, by_whom=own_licensee() is None) for each in page
            ],
            next_page_token=token,
        )

    async def GetRevenue(self, request: pb.GetRevenueRequest, context: Any) -> pb.GetRevenueResponse:  # noqa: N802
        size = request.page_size or DEFAULT_PAGE_SIZE
        wanted = RevenueFilter(request.from_month, request.to_month, request.licensee_id)
        # One more than asked for tells whether there is a next page.
        months = await self._desk.revenue(wanted, _read_revenue_token(request.page_token), size + 1)
        last = months[size - 1] if len(months) > size else None
        return pb.GetRevenueResponse(
            revenue=[revenue_message(month) for month in months[:size]],
            next_page_token=page_token(json.dumps([last.month, last.licensee_id, last.currency]))
            if last
            else "",
        )

    async def ListDuePeriods(  # noqa: N802
        self, request: pb.ListDuePeriodsRequest, context: Any
    ) -> pb.ListDuePeriodsResponse:
        wanted = DueFilter(request.licensee_id, request.license_id)
        after = _read_due_token(request.page_token)
        page = await self._outlook.due(wanted, after, request.page_size or DEFAULT_PAGE_SIZE)
        return pb.ListDuePeriodsResponse(
            due=map(due_message, page.due),
            next_page_token=page_token(json.dumps(page.next_from)) if page.next_from else "",
        )

    async def PreviewInvoice(  # noqa: N802
        self, request: pb.PreviewInvoiceRequest, context: Any
    ) -> pb.PreviewInvoiceResponse:
        bill = await self._outlook.preview(request.license_id)
        return pb.PreviewInvoiceResponse(invoice=bill_message(bill))

    async def _page(
        self, request: pb.ListInvoicesRequest | pb.ListCreditNotesRequest, wanted: BillFilter
    ) -> tuple[list[BillRecord], str]:
        """A page and the token of the next one."""
        size = request.page_size or DEFAULT_PAGE_SIZE
        found = await self._desk.page(wanted, read_page_token(request.page_token), size + 1)
        return list(found[:size]), page_token(found[size - 1].bill_id) if len(found) > size else ""


_FINAL = {
    invoice_pb2.INVOICE_STATE_UNSPECIFIED: None,
    invoice_pb2.INVOICE_STATE_DRAFT: False,
    invoice_pb2.INVOICE_STATE_FINAL: True,
}


def bolt(desk: BillingDesk, outlook: Outlook) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_BillingServiceServicer_to_server, BillingServicer(desk, outlook), FULL_NAME)


def _stored_invoice(record: BillRecord) -> bytes:
    return stored(invoice_message(record))


def _stored_note(record: BillRecord) -> bytes:
    return stored(credit_note_message(record))


def _wanted(request: pb.ListInvoicesRequest | pb.ListCreditNotesRequest, final: bool | None) -> BillFilter:
    return BillFilter(
        invoices=isinstance(request, pb.ListInvoicesRequest),
        licensee_id=own_licensee() or request.licensee_id,
        license_id=request.license_id,
        invoice_id="" if isinstance(request, pb.ListInvoicesRequest) else request.invoice_id,
        final=True if own_licensee() else final,
    )


def _read_revenue_token(token: str) -> list[str]:
    """The key of the last row of the page before; raises Refusal PAGE_TOKEN_INVALID."""
    match _read_token(token):
        case None:
            return []
        case [str(month), str(licensee_id), str(currency)]:
            return [month, licensee_id, currency]
    raise page_token_invalid()


def _read_due_token(token: str) -> tuple[str, int]:
    """The place after which the page begins; raises Refusal PAGE_TOKEN_INVALID."""
    match _read_token(token):
        case None:
            return "", 0
        case [str(license_id), int(start_us)]:
            return license_id, start_us
    raise page_token_invalid()


def _read_token(token: str) -> object:
    """What a token says, in JSON; None where it is empty. Raises Refusal PAGE_TOKEN_INVALID."""
    text = read_page_token(token)
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise page_token_invalid() from error
