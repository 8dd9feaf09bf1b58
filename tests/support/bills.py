"""Invoices and credit notes as the console gets them, ordinary unless said."""

from typing import Any

from services.console.moments import read
from services.console.money import of_nanos
from sluice.licensing.v1.invoice_pb2 import (
    CREDIT_NOTE_KIND_GOODWILL,
    INVOICE_LINE_KIND_GOODWILL,
    INVOICE_LINE_KIND_USAGE,
    INVOICE_STATE_DRAFT,
    INVOICE_STATE_FINAL,
    CreditNote,
    Invoice,
    InvoiceLine,
)

INVOICE_ID = "019a0000-0000-7000-8000-000000000001"
NOTE_ID = "019a0000-0000-7000-8000-000000000002"
CENT = 10_000_000
"""Billionths of a dollar."""


def a_line(minor: int = 12_500, **fields: Any) -> InvoiceLine:
    """A line in dollars: posts for training at a cent and a quarter."""
    line = InvoiceLine(
        period="2026-11",
        period_from=read("2026-11-01T04:00:00Z"),
        kind=INVOICE_LINE_KIND_USAGE,
        key="usage/Training",
        description="Training, after 1,000 included",
        posts=10_000,
        unit_price="0.0125",
        per=1,
        precise="125",
        minor=minor,
        amount=of_nanos(minor * CENT, "USD"),
    )
    for name, value in fields.items():
        setattr(line, name, value)
    if line.period != "2026-11":
        line.period_from.CopyFrom(read(f"{line.period}-01T04:00:00Z"))
    return line


def an_invoice(*lines: InvoiceLine, **fields: Any) -> Invoice:
    """INV-000001 of acme for November in New York."""
    invoice = Invoice(
        invoice_id=INVOICE_ID,
        number="INV-000001",
        state=INVOICE_STATE_FINAL,
        licensee_id="acme",
        licensee_name="Acme, Inc.",
        license_id="acme-training",
        license_version=2,
        terms_digest=b"t" * 32,
        period="2026-11",
        period_from=read("2026-11-01T04:00:00Z"),
        period_until=read("2026-12-01T05:00:00Z"),
        time_zone="America/New_York",
        period_from_local="2026-11-01T00:00:00-04:00",
        period_until_local="2026-12-01T00:00:00-05:00",
        cut_off=read("2026-12-02T09:00:00Z"),
        posts=11_000,
        currency="USD",
        decimals=2,
        lines=lines,
        total_minor=sum(line.minor for line in lines),
        total=of_nanos(sum(line.minor for line in lines) * CENT, "USD"),
        credited=of_nanos(0, "USD"),
        digest=b"d" * 32,
        document=b'{"kind":"invoice"}',
        drafted_at=read("2026-12-02T09:00:01Z"),
        finalized_at=read("2026-12-03T10:00:00Z"),
    )
    for name, value in fields.items():
        setattr(invoice, name, value)
    return invoice


def a_draft(*lines: InvoiceLine, **fields: Any) -> Invoice:
    """The same before it is final."""
    draft = an_invoice(*lines, number="", state=INVOICE_STATE_DRAFT, **fields)
    draft.ClearField("finalized_at")
    return draft


def a_credit_note() -> CreditNote:
    """CN-000001, goodwill of 25 dollars about INV-000001."""
    line = a_line(-2_500, kind=INVOICE_LINE_KIND_GOODWILL, description="Goodwill", posts=0, unit_price="")
    return CreditNote(
        credit_note_id=NOTE_ID,
        number="CN-000001",
        kind=CREDIT_NOTE_KIND_GOODWILL,
        invoice_id=INVOICE_ID,
        invoice_number="INV-000001",
        licensee_id="acme",
        licensee_name="Acme, Inc.",
        license_id="acme-training",
        reason="Outage",
        cut_off=read("2026-12-02T09:00:00Z"),
        currency="USD",
        decimals=2,
        lines=[line],
        total_minor=-2_500,
        total=of_nanos(-2_500 * CENT, "USD"),
        digest=b"n" * 32,
        document=b'{"kind":"goodwill"}',
        issued_at=read("2026-12-04T10:00:00Z"),
        period="2026-11",
        period_from_local="2026-11-01T00:00:00-04:00",
        period_until_local="2026-12-01T00:00:00-05:00",
    )
