"""What the console asks of billing. Each raises Refusal where it is not done."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from services.chassis.dialing import Peer
from services.chassis.refusals import precondition
from services.console.connections import Connections
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from sluice.licensing.v1.invoice_pb2 import CreditNote, DuePeriod, Invoice, Revenue

if TYPE_CHECKING:
    # The stub as it is on a channel of asyncio; it exists in the annotations alone.
    from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceAsyncStub

PAGE = 200
LONG_US = 120_000_000
"""For what reads a period: seconds for a million decisions, and a busy machine."""


async def draft_invoice(connections: Connections, request: pb.DraftInvoiceRequest) -> Invoice:
    """Under a fresh request id."""
    peer, stub = _desk(connections)
    request.request_id = connections.new_id()
    return (await peer.call(stub.DraftInvoice, request, at_most_us=LONG_US)).invoice


async def discard_draft(connections: Connections, invoice_id: str) -> None:
    """Removes a draft."""
    peer, stub = _desk(connections)
    request = pb.DiscardDraftRequest(request_id=connections.new_id(), invoice_id=invoice_id)
    await peer.call(stub.DiscardDraft, request)


async def finalize_invoice(connections: Connections, invoice_id: str, digest: bytes) -> Invoice:
    """Numbers the draft that has this digest."""
    peer, stub = _desk(connections)
    request = pb.FinalizeInvoiceRequest(request_id=connections.new_id(), invoice_id=invoice_id, digest=digest)
    return (await peer.call(stub.FinalizeInvoice, request)).invoice


async def issue_credit_note(connections: Connections, request: pb.IssueCreditNoteRequest) -> CreditNote:
    """Under a fresh request id."""
    peer, stub = _desk(connections)
    request.request_id = connections.new_id()
    return (await peer.call(stub.IssueCreditNote, request, at_most_us=LONG_US)).credit_note


async def get_invoice(connections: Connections, invoice: str) -> Invoice:
    """By id or number."""
    peer, stub = _desk(connections)
    return (await peer.call(stub.GetInvoice, pb.GetInvoiceRequest(invoice=invoice))).invoice


async def get_credit_note(connections: Connections, credit_note: str) -> CreditNote:
    """By id or number."""
    peer, stub = _desk(connections)
    request = pb.GetCreditNoteRequest(credit_note=credit_note)
    return (await peer.call(stub.GetCreditNote, request)).credit_note


async def all_invoices(connections: Connections, request: pb.ListInvoicesRequest) -> list[Invoice]:
    """Every one that is asked for, without lines."""
    peer, stub = _desk(connections)
    pages = _pages(request, lambda asked: peer.call(stub.ListInvoices, asked))
    return [invoice async for page in pages for invoice in page.invoices]


async def all_credit_notes(connections: Connections, request: pb.ListCreditNotesRequest) -> list[CreditNote]:
    """Every one that is asked for, without lines."""
    peer, stub = _desk(connections)
    pages = _pages(request, lambda asked: peer.call(stub.ListCreditNotes, asked))
    return [note async for page in pages for note in page.credit_notes]


async def all_due(connections: Connections, request: pb.ListDuePeriodsRequest) -> list[DuePeriod]:
    """Every period that is over and not invoiced, by license and time."""
    peer, stub = _desk(connections)
    pages = _pages(request, lambda asked: peer.call(stub.ListDuePeriods, asked, at_most_us=LONG_US))
    return [each async for page in pages for each in page.due]


async def next_due(connections: Connections, license_id: str) -> DuePeriod:
    """The first period of a license that is over and not invoiced.

    Raises Refusal NOTHING_DUE, or the reason for which none is told.
    """
    peer, stub = _desk(connections)
    request = pb.ListDuePeriodsRequest(license_id=license_id, page_size=1)
    due = (await peer.call(stub.ListDuePeriods, request, at_most_us=LONG_US)).due
    if not due:
        raise precondition("NOTHING_DUE", f"no period of {license_id} is over and not invoiced")
    if due[0].reason:
        raise precondition(due[0].reason, f"no period of {license_id} can be told")
    return due[0]


async def preview_invoice(connections: Connections, license_id: str) -> Invoice:
    """What the running period comes to so far."""
    peer, stub = _desk(connections)
    request = pb.PreviewInvoiceRequest(license_id=license_id)
    return (await peer.call(stub.PreviewInvoice, request, at_most_us=LONG_US)).invoice


async def all_revenue(connections: Connections, request: pb.GetRevenueRequest) -> list[Revenue]:
    """By month, licensee and currency."""
    peer, stub = _desk(connections)
    pages = _pages(request, lambda asked: peer.call(stub.GetRevenue, asked))
    return [each async for page in pages for each in page.revenue]


async def _pages(request: Any, call: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[Any]:
    request.page_size = PAGE
    while True:
        page = await call(request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _desk(connections: Connections) -> "tuple[Peer, BillingServiceAsyncStub]":
    peer = connections.peer("licensing")
    return peer, BillingServiceStub(peer.channel)
