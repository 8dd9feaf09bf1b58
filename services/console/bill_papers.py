"""An invoice or a credit note as a paper: what is on it, whatever it is written on (terminal, page, file).

It says the same each time. What has become of an invoice since is no part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from google.type.money_pb2 import Money

from services.console.moments import clock_face
from services.console.money import NANOS, face, in_nanos
from sluice.licensing.v1.invoice_pb2 import (
    CREDIT_NOTE_KIND_GOODWILL,
    INVOICE_LINE_KIND_GOODWILL_LIMIT,
    CreditNote,
    Invoice,
    InvoiceLine,
)

Bill = Invoice | CreditNote

COLUMNS = ("Period", "Description", "Posts", "Unit price", "Amount")
COUNTED = "Billed are posts confirmed as delivered, and all that was released where nothing was confirmed."
LATER = "What is found after the cut-off comes on the next invoice or on a credit note."
NO_TAX = "Amounts are without tax."
SO_FAR = "This is a preview of a period that is not over: it is stored nowhere and is no demand for payment."
NOTHING = "It bills nothing: there is no line."
LIMITED = "What was let off by goodwill is not taken back, and no period comes to less than nothing."
NO_DEMAND = "This is a draft: it has no number and is no demand for payment."


@dataclass(frozen=True)
class Paper:
    """What is on it."""

    title: str
    is_draft: bool
    facts: Sequence[tuple[str, str]]
    """Names and values."""
    rows: Sequence[tuple[str, str, str, str, str]]
    """A line each, under COLUMNS."""
    currency: str
    total: str
    """Without the currency, like the amounts of the lines."""
    notes: Sequence[str]


def paper_of(bill: Bill) -> Paper:
    """What is on a bill."""
    is_draft = isinstance(bill, Invoice) and not bill.number
    return Paper(
        title=title_of(bill),
        is_draft=is_draft,
        facts=_invoice_facts(bill) if isinstance(bill, Invoice) else _note_facts(bill),
        rows=[_row(line, bill) for line in bill.lines],
        currency=bill.currency,
        total=amount(bill.total, bill.decimals),
        notes=_notes(bill, is_draft),
    )


def title_of(bill: Bill) -> str:
    """What it is called."""
    if isinstance(bill, CreditNote):
        return f"Credit note {bill.number}"
    if is_preview(bill):
        return f"Preview of the invoice for {bill.period}"
    return f"Invoice {bill.number}" if bill.number else f"Draft invoice for {bill.period}"


def is_preview(invoice: Invoice) -> bool:
    """Whether it is stored nowhere."""
    return not invoice.invoice_id


def amount(money: Money, decimals: int) -> str:
    """An amount without its currency: "-1,250.00"."""
    return face(money, decimals).partition(" ")[2]


def plain_amount(money: Money, decimals: int) -> str:
    """The same without commas, for programs."""
    return f"{Decimal(in_nanos(money)) / NANOS:.{decimals}f}"


def per_words(line: InvoiceLine) -> str:
    """A unit price with what it is for: "0.50 per 1,000"; "" where there is none."""
    if not line.unit_price:
        return ""
    return line.unit_price if line.per == 1 else f"{line.unit_price} per {line.per:,}"


def _row(line: InvoiceLine, bill: Bill) -> tuple[str, str, str, str, str]:
    posts = f"{line.posts:,}" if line.posts else ""
    corrects = isinstance(bill, Invoice) and line.period_from != bill.period_from
    description = f"Correction: {line.description}" if corrects else line.description
    return line.period, description, posts, per_words(line), amount(line.amount, bill.decimals)


def _invoice_facts(invoice: Invoice) -> list[tuple[str, str]]:
    # As the document says it: the rules of time zones may be others here.
    begin, end = (time.replace("T", " ") for time in (invoice.period_from_local, invoice.period_until_local))
    return [
        *_number_and_date(invoice),
        ("Billed to", f"{invoice.licensee_name} ({invoice.licensee_id})"),
        ("License", f"{invoice.license_id}, version {invoice.license_version}"),
        ("SHA-256 of its terms", invoice.terms_digest.hex()),
        ("Period", f"{invoice.period}: from {begin} until {end}, {invoice.time_zone}"),
        ("Cut-off", clock_face(invoice.cut_off)),
        ("Posts billed", f"{invoice.posts:,}"),
        *([] if is_preview(invoice) else [("SHA-256 of this document", invoice.digest.hex())]),
    ]


def _number_and_date(invoice: Invoice) -> list[tuple[str, str]]:
    if is_preview(invoice):
        return []
    date = invoice.finalized_at if invoice.number else invoice.drafted_at
    return [("Number", invoice.number or "none (draft)"), ("Date", clock_face(date))]


def _note_facts(note: CreditNote) -> list[tuple[str, str]]:
    kind = "Goodwill" if note.kind == CREDIT_NOTE_KIND_GOODWILL else "Correction"
    return [
        ("Number", note.number),
        ("Date", clock_face(note.issued_at)),
        ("Credits invoice", note.invoice_number),
        ("For", f"{note.licensee_name} ({note.licensee_id})"),
        ("License", note.license_id),
        ("Kind", kind),
        ("Reason", note.reason),
        ("Cut-off", clock_face(note.cut_off)),
        ("SHA-256 of this document", note.digest.hex()),
    ]


def _notes(bill: Bill, is_draft: bool) -> list[str]:
    notes = [NO_DEMAND] if is_draft else []
    if isinstance(bill, Invoice) and is_preview(bill):
        notes = [SO_FAR]
    if not bill.lines:
        notes.append(NOTHING)
    if isinstance(bill, Invoice):
        notes += [COUNTED, LATER]
    if any(line.kind == INVOICE_LINE_KIND_GOODWILL_LIMIT for line in bill.lines):
        notes.append(LIMITED)
    return [*notes, NO_TAX]
