"""A bill in a file of its own: CSV, and whatever else is written whole or not at all."""

import csv
import io
from pathlib import Path

from services.console.bill_papers import Bill, plain_amount
from services.console.names import word_of
from sluice.licensing.v1.invoice_pb2 import CreditNote, InvoiceLineKind

HEADER = (
    *("document", "number", "licensee_id", "licensee_name", "license_id"),
    # Of the invoice, also on a credit note about it; local times, and the cut-off in UTC.
    *("invoice_period", "invoice_from", "invoice_until", "cut_off"),
    *("period", "kind", "description", "posts", "unit_price", "per", "amount", "currency", "decimals"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula, in both widths."""


def bill_csv(bill: Bill) -> str:
    """The lines of a bill, a row each."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    document = "credit note" if isinstance(bill, CreditNote) else "invoice"
    for line in bill.lines:
        texts = (bill.licensee_id, bill.licensee_name, bill.license_id)
        times = (bill.period, bill.period_from_local, bill.period_until_local, bill.cut_off.ToJsonString())
        kind = word_of(InvoiceLineKind.DESCRIPTOR, line.kind)
        writer.writerow(
            [
                *(document, bill.number, *map(safe_cell, texts), *times),
                *(line.period, kind, safe_cell(line.description)),
                *(line.posts, line.unit_price, line.per if line.unit_price else ""),
                *(plain_amount(line.amount, bill.decimals), bill.currency, bill.decimals),
            ]
        )
    return out.getvalue()


def safe_cell(text: str) -> str:
    """A text that somebody chose, with an apostrophe where a spreadsheet would compute it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_whole(content: bytes, out: Path) -> None:
    """Writes a file that is whole once it is there; raises OSError."""
    unfinished = out.with_name(f"{out.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
