"""What is to be billed and credited of a license, given all that was (B2, B3).

Invariant: for every period the lines of all final bills, goodwill aside, add up to the lines that it comes to
at the latest cut-off; and with goodwill they never add up to less than nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from services.chassis.refusals import precondition
from services.licensing.domain.pricing.bills import Bill, BillKind, BillLine
from services.licensing.domain.pricing.calendars import BillablePeriod, Licensed
from services.licensing.domain.pricing.deltas import correction
from services.licensing.domain.pricing.periods import Period, local_text
from services.licensing.domain.pricing.prices import Price
from services.licensing.domain.pricing.rating import Line, LineKind, lines_of, total_of

LIMIT_WORDS = "Let off by goodwill already"


@dataclass(frozen=True)
class Books:
    """All final bills of one license, in the order in which they became final."""

    bills: Sequence[Bill]

    @property
    def invoiced(self) -> tuple[Period, ...]:
        """The periods that have an invoice of their own, as it says them."""
        return tuple(bill.period for bill in self.bills if bill.kind is BillKind.INVOICE)

    @property
    def cut_off_us(self) -> int | None:
        """The latest cut-off that something was billed as of; None where nothing was."""
        return max((bill.cut_off_us for bill in self.bills), default=None)

    def lines(self, start_us: int) -> list[Line]:
        """All that was billed for a period, without goodwill."""
        return [line for line in self._all(start_us) if line.kind is not LineKind.GOODWILL]

    def goodwill(self, start_us: int) -> int:
        """What was let off of a period, in minor units; not below zero."""
        return -total_of(line for line in self._all(start_us) if line.kind is LineKind.GOODWILL)

    def left(self, start_us: int) -> int:
        """What is left of all that was billed for a period, in minor units."""
        return total_of(self._all(start_us))

    def _all(self, start_us: int) -> Sequence[Line]:
        return self._by_period.get(start_us, ())

    @cached_property
    def _by_period(self) -> Mapping[int, Sequence[Line]]:
        """All lines by the first instant of their period: each bill is looked through once."""
        found = dict[int, list[Line]]()
        for bill in self.bills:
            for each in bill.lines:
                found.setdefault(each.period.start_us, []).append(each.line)
        return found


@dataclass(frozen=True)
class About:
    """The invoice that a credit note is about, and why there is to be one."""

    invoice: Bill
    number: str
    reason: str

    def note(self, kind: BillKind, lines: Sequence[BillLine]) -> Bill:
        """The credit note with these lines. Raises Refusal (precondition, AMOUNT_TOO_LARGE)."""
        note = replace(
            self.invoice,
            kind=kind,
            posts=0,
            lines=tuple(lines),
            invoice_number=self.number,
            reason=self.reason,
        )
        note.check()
        return note


def due_lines(price: Price, posts: int, goodwill: int) -> tuple[Line, ...]:
    """What a period comes to with so many posts, of which `goodwill` minor units were let off.

    Where it comes to less than was let off, a line of its own makes up the difference: the period is worth
    nothing then, and not less.
    """
    lines = lines_of(price, posts)
    over = goodwill - total_of(lines)
    if over <= 0:
        return lines
    kind, precise = LineKind.GOODWILL_LIMIT, Fraction(over, 10**price.decimals)
    return (*lines, Line(kind.value, kind, LIMIT_WORDS, 0, None, 1, precise, over))


def invoice(
    licensed: Licensed,
    asked: BillablePeriod,
    earlier: Iterable[BillablePeriod],
    *,
    posts: Mapping[int, int],
    books: Books,
    cut_off_us: int,
) -> Bill:
    """The invoice of a period, with the corrections of all earlier ones.

    `posts` are those that are billed at the cut-off, by the first instant of each period. What was billed in
    another currency is left to credit notes: an invoice has one. Raises Refusal (precondition,
    AMOUNT_TOO_LARGE).
    """
    own = due_lines(asked.price, posts[asked.period.start_us], books.goodwill(asked.period.start_us))
    lines = [BillLine(asked.period, line) for line in own]
    for each in earlier:
        if each.price.currency == asked.price.currency:
            lines += _corrections(each, posts, books)
    bill = Bill(
        kind=BillKind.INVOICE,
        licensee_id=licensed.licensee_id,
        licensee_name=licensed.licensee_name,
        license_id=licensed.license_id,
        license_version=asked.version.number,
        terms_digest=asked.version.terms_digest,
        period=asked.period,
        time_zone=asked.price.time_zone,
        from_local=local_text(asked.period.start_us, asked.price.time_zone),
        until_local=local_text(asked.period.end_us, asked.price.time_zone),
        cut_off_us=cut_off_us,
        posts=posts[asked.period.start_us],
        currency=asked.price.currency,
        decimals=asked.price.decimals,
        lines=tuple(lines),
    )
    bill.check()
    return bill


def correcting_note(
    about: About,
    periods: Iterable[BillablePeriod],
    posts: Mapping[int, int],
    books: Books,
    cut_off_us: int,
) -> Bill:
    """A credit note for what the periods on an invoice come to less than was billed for them.

    A period that comes to more is left out: it is for the next invoice. Raises Refusal (precondition,
    NOTHING_TO_CREDIT, AMOUNT_TOO_LARGE).
    """
    lines = list[BillLine]()
    for each in periods:
        found = list(_corrections(each, posts, books))
        if total_of(one.line for one in found) < 0:
            lines += found
    if not lines:
        raise precondition("NOTHING_TO_CREDIT", "its periods come to no less than was billed for them")
    return replace(about.note(BillKind.CORRECTION, lines), cut_off_us=cut_off_us)


def goodwill_note(about: About, amount: int, credited: int, books: Books) -> Bill:
    """A credit note that lets off an amount of an invoice, in minor units.

    `credited` is what credit notes about the invoice have taken back. The period of the invoice comes first,
    then the earlier ones on it, latest first, each as far as something of it is left. Raises Refusal
    (precondition, CREDIT_OVER_BILLED, AMOUNT_TOO_LARGE).
    """
    lines, rest = list[BillLine](), amount
    for period, billed in _latest_first(about.invoice):
        part = min(rest, max(0, min(billed, books.left(period.start_us))))
        if part > 0:
            lines.append(BillLine(period, _goodwill_line(part, about.invoice.decimals)))
            rest -= part
    if rest or amount > about.invoice.total - credited:
        raise precondition("CREDIT_OVER_BILLED", "that is more than is left of the invoice and its periods")
    return about.note(BillKind.GOODWILL, lines)


def _corrections(each: BillablePeriod, posts: Mapping[int, int], books: Books) -> Iterator[BillLine]:
    start_us = each.period.start_us
    now = due_lines(each.price, posts[start_us], books.goodwill(start_us))
    for line in correction(books.lines(start_us), now):
        yield BillLine(each.period, line)


def _latest_first(invoice: Bill) -> list[tuple[Period, int]]:
    amounts = invoice.amounts().items()
    return sorted(amounts, key=lambda amount: amount[0].start_us, reverse=True)


def _goodwill_line(minor: int, decimals: int) -> Line:
    kind, precise = LineKind.GOODWILL, Fraction(-minor, 10**decimals)
    return Line(kind.value, kind, "Goodwill", 0, None, 1, precise, -minor)
