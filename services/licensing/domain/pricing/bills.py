"""Invoices and credit notes as values, and the one document that each of them is (B3).

Both are lists of lines, each of one period: whatever is asked of bills is a sum over their lines.
"""

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.chassis.refusals import Kind, Refusal, precondition
from services.licensing.domain.canonical import canonical_json, rfc3339, rfc3339_us
from services.licensing.domain.pricing.documents import decimal_text, read_decimal
from services.licensing.domain.pricing.exact import exact_text, read_exact
from services.licensing.domain.pricing.periods import Period
from services.licensing.domain.pricing.rating import Line, LineKind, total_of

LARGEST_MINOR = 10**15
"""Minor units in one line, in what one period comes to, or in a total: thousands of them fit into 64 bits."""


class BillKind(enum.StrEnum):
    """What a bill is."""

    INVOICE = "invoice"
    CORRECTION = "correction"
    """A credit note for what periods come to less."""
    GOODWILL = "goodwill"
    """A credit note for an amount that is let off."""


@dataclass(frozen=True)
class BillLine:
    """A line with the period that it is for."""

    period: Period
    line: Line


@dataclass(frozen=True)
class Bill:
    """All that an invoice or a credit note says but its number. Times are microseconds UTC."""

    kind: BillKind
    licensee_id: str
    licensee_name: str
    license_id: str
    license_version: int
    """Whose price the period has."""
    terms_digest: bytes
    period: Period
    """Of the invoice, or of the one that a credit note is about."""
    time_zone: str
    from_local: str
    """When the period begins as clocks of the zone show it, by today's rules: 2026-11-01T00:00:00-04:00."""
    until_local: str
    """When it ends, likewise. It is told from here: a reader's rules may be others."""
    cut_off_us: int
    """It says what was on record before this instant."""
    posts: int
    """Billed for the period; 0 on a credit note."""
    currency: str
    decimals: int
    lines: tuple[BillLine, ...]
    invoice_number: str = ""
    """Of the invoice that a credit note is about."""
    reason: str = ""
    """Why a credit note was issued."""

    @property
    def total(self) -> int:
        """In minor units."""
        return total_of(each.line for each in self.lines)

    def lines_of(self, start_us: int) -> tuple[Line, ...]:
        """The lines of the period that begins at a time."""
        return tuple(each.line for each in self.lines if each.period.start_us == start_us)

    def amounts(self) -> dict[Period, int]:
        """What the lines of each period come to, in minor units, in the order of the lines."""
        sums = dict[Period, int]()
        for each in self.lines:
            sums[each.period] = sums.get(each.period, 0) + each.line.minor
        return sums

    def check(self) -> None:
        """Raises Refusal (precondition, AMOUNT_TOO_LARGE) for a bill that nobody can mean."""
        amounts = (*(each.line.minor for each in self.lines), *self.amounts().values(), self.total)
        if any(abs(minor) > LARGEST_MINOR for minor in amounts):
            raise precondition(
                "AMOUNT_TOO_LARGE", f"an amount is more than {LARGEST_MINOR:,} minor units of {self.currency}"
            )

    def document(self) -> bytes:
        """The bill in canonical JSON, as it is stored and digested."""
        return canonical_json(
            {
                "kind": self.kind.value,
                "licensee_id": self.licensee_id,
                "licensee_name": self.licensee_name,
                "license_id": self.license_id,
                "license_version": self.license_version,
                "terms_digest": self.terms_digest.hex(),
                "period": _period_fields(self.period),
                "from_local": self.from_local,
                "until_local": self.until_local,
                "time_zone": self.time_zone,
                "cut_off": rfc3339(self.cut_off_us),
                "posts": self.posts,
                "currency": self.currency,
                "decimals": self.decimals,
                "lines": [
                    {"period": _period_fields(each.period), **_line_fields(each.line)} for each in self.lines
                ],
                "total": self.total,
                "invoice_number": self.invoice_number,
                "reason": self.reason,
            }
        )


@dataclass(frozen=True)
class BillRecord:
    """A bill as it is kept. Times are microseconds since the epoch, UTC."""

    bill_id: str
    bill: Bill
    document: bytes
    digest: bytes
    """SHA-256 of the document."""
    books: int
    """Final bills of the license that it takes into account; of a final bill, those before it."""
    drafted_at_us: int
    drafted_by: str
    """Kind and party of the principal."""
    number: str | None = None
    """None for a draft."""
    invoice_id: str | None = None
    """The invoice that a credit note is about."""
    final_at_us: int | None = None
    final_by: str | None = None
    credited: int = 0
    """What credit notes have taken back of an invoice, in minor units; not below zero."""

    @property
    def is_invoice(self) -> bool:
        """Whether it is an invoice, drafted or final, and no credit note."""
        return self.bill.kind is BillKind.INVOICE


def digest_of(document: bytes) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(document).digest()


def read_bill(document: bytes, digest: bytes) -> Bill:
    """The bill that `Bill.document` wrote.

    Raises Refusal (internal, DOCUMENT_DAMAGED) for a document that has another digest, another form, or lines
    that do not add up to its total: what it says is not used for anything.
    """
    try:
        bill = _bill_of(json.loads(document))
        # Writing it again shows whatever was read past, and a total that is not that of the lines.
        intact = digest_of(document) == digest and bill.document() == document
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise _damaged() from error
    if not intact:
        raise _damaged()
    return bill


def _damaged() -> Refusal:
    return Refusal(Kind.INTERNAL, "DOCUMENT_DAMAGED", "the stored document is not the one that was digested")


def _bill_of(fields: Mapping[str, Any]) -> Bill:
    return Bill(
        kind=BillKind(fields["kind"]),
        licensee_id=fields["licensee_id"],
        licensee_name=fields["licensee_name"],
        license_id=fields["license_id"],
        license_version=fields["license_version"],
        terms_digest=bytes.fromhex(fields["terms_digest"]),
        period=_period_of(fields["period"]),
        time_zone=fields["time_zone"],
        from_local=fields["from_local"],
        until_local=fields["until_local"],
        cut_off_us=rfc3339_us(fields["cut_off"]),
        posts=fields["posts"],
        currency=fields["currency"],
        decimals=fields["decimals"],
        lines=tuple(BillLine(_period_of(each["period"]), _line_of(each)) for each in fields["lines"]),
        invoice_number=fields["invoice_number"],
        reason=fields["reason"],
    )


def _period_fields(period: Period) -> dict[str, object]:
    return {"label": period.label, "from": rfc3339(period.start_us), "until": rfc3339(period.end_us)}


def _period_of(fields: Mapping[str, Any]) -> Period:
    return Period(fields["label"], rfc3339_us(fields["from"]), rfc3339_us(fields["until"]))


def _line_fields(line: Line) -> dict[str, object]:
    return {
        "key": line.key,
        "kind": line.kind.value,
        "description": line.description,
        "posts": line.posts,
        "unit_price": None if line.unit_price is None else decimal_text(line.unit_price),
        "per": line.per,
        "precise": exact_text(line.precise),
        "minor": line.minor,
    }


def _line_of(fields: Mapping[str, Any]) -> Line:
    unit_price: Decimal | None = None if fields["unit_price"] is None else read_decimal(fields["unit_price"])
    return Line(
        key=fields["key"],
        kind=LineKind(fields["kind"]),
        description=fields["description"],
        posts=fields["posts"],
        unit_price=unit_price,
        per=fields["per"],
        precise=read_exact(fields["precise"]),
        minor=fields["minor"],
    )
