"""The billing desk: drafts invoices from the ledger, finalises them, and issues credit notes (B2, B3).

A cut-off is made true before it is read: it is written to the head row under its lock, and whatever is put
on record from then on counts as of the cut-off or later, whichever process does it. So the same cut-off gives
the same document for ever. What takes long is read outside of the lock; what is written rests on the final
bills that were read, which is looked at again under it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id
from services.chassis.refusals import Kind, Refusal, invalid, not_found, precondition, unavailable
from services.chassis.replays import ReplayKey
from services.licensing.contracts import unknown_license
from services.licensing.domain.pricing.bills import Bill, BillKind, BillRecord, digest_of
from services.licensing.domain.pricing.calendars import (
    BillablePeriod,
    Licensed,
    asked_period,
    billable_periods,
    period_not_over,
)
from services.licensing.domain.pricing.invoices import (
    About,
    Books,
    correcting_note,
    goodwill_note,
    invoice,
)
from services.licensing.domain.pricing.revenue import BillFilter, Month, RevenueFilter

COUNTED_AT_ONCE = 1_000
"""Rows of an older release that are counted in one transaction, some 20 ms: decisions wait for no more."""

T = TypeVar("T")


class Rows(Protocol):
    """Bills, and what they rest on, inside one transaction."""

    def go_on(self) -> None: ...
    def lock_head(self) -> int: ...
    def server_now_us(self) -> int | None: ...
    def earlier(self, key: ReplayKey) -> bytes | None: ...
    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes: ...
    def count_uncounted(self, limit: int) -> bool: ...
    def raise_cut_off(self, cut_off_us: int) -> None: ...
    def licensed(self, license_id: str, cut_off_us: int) -> Licensed | None: ...
    def billed_posts(
        self, license_id: str, from_us: int | None, until_us: int | None, cut_off_us: int
    ) -> int: ...
    def books(self, license_id: str) -> Books: ...
    def final_bills(self, license_id: str) -> int: ...
    def bill(self, id_or_number: str, final_of: str | None = None) -> BillRecord | None: ...
    def invoice_of(self, license_id: str, period_from_us: int) -> BillRecord | None: ...
    def put(self, record: BillRecord) -> None: ...
    def remove(self, bill_id: str) -> None: ...
    def take_invoice_number(self) -> int: ...
    def take_credit_note_number(self) -> int: ...
    def page(self, wanted: BillFilter, after: str, limit: int) -> Sequence[BillRecord]: ...
    def revenue(self, wanted: RevenueFilter, after: Sequence[str], limit: int) -> Sequence[Month]: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...
    async def read_long(self, query: Callable[[Rows], T]) -> T: ...


Render = Callable[[BillRecord], bytes]
"""Turns a result into the answer that is stored and given again."""


@dataclass(frozen=True)
class _Begun:
    """A request that is to be carried out: its cut-off is true."""

    license_id: str
    cut_off_us: int


class BillingDesk:
    """Keeps invoices and credit notes.

    Each write takes a `key`, whose request and principal it is. All of them raise Refusal
    REQUEST_ID_MALFORMED, REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE and REQUEST_ID_REUSED; all that read a bill
    DOCUMENT_DAMAGED.
    """

    def __init__(self, store: Store, clock: Clock, new_id: Callable[[], str], margin_us: int) -> None:
        """`margin_us` is how far this clock and that of a database server may be apart."""
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._margin_us = margin_us

    async def draft(
        self, license_id: str, asked: str | int, cut_off_us: int | None, key: ReplayKey, render: Render
    ) -> bytes:
        """Drafts the invoice of a period, by its label or first instant, as of a cut-off (None: now).

        Raises Refusal LICENSE_UNKNOWN, CUT_OFF_IN_FUTURE, CUT_OFF_TOO_EARLY, AMOUNT_TOO_LARGE,
        BOOKS_CHANGED, CLOCKS_DIFFER, and what `asked_period` raises.
        """

        def begin(rows: Rows, now_us: int) -> _Begun:
            if rows.licensed(license_id, now_us) is None:
                raise unknown_license()
            if cut_off_us is not None and cut_off_us > now_us:
                raise invalid("CUT_OFF_IN_FUTURE", "the cut-off is later than now", field="cut_off")
            return _Begun(license_id, now_us if cut_off_us is None else cut_off_us)

        def write(rows: Rows, bill: Bill, books: int, now_us: int) -> BillRecord:
            earlier = rows.invoice_of(license_id, bill.period.start_us)
            record = _record(earlier.bill_id if earlier else self._new_id(), bill, books, key, now_us)
            rows.put(record)
            return record

        def work_out(rows: Rows, begun: _Begun) -> tuple[Bill, int]:
            return _draft(rows, begun, asked, self._clock.now_us())

        return await self._billed(key, begin, work_out, write, render)

    async def credit(
        self,
        invoice_id: str,
        reason: str,
        goodwill: Callable[[Bill], int] | None,
        key: ReplayKey,
        render: Render,
    ) -> bytes:
        """Issues a credit note: for what is too much by now, or for an amount that `goodwill` gives.

        `goodwill` tells minor units for the invoice and may refuse. Raises Refusal INVOICE_UNKNOWN,
        INVOICE_NOT_FINAL, NOTHING_TO_CREDIT, CREDIT_OVER_BILLED, CALENDAR_CHANGED, AMOUNT_TOO_LARGE,
        BOOKS_CHANGED, CLOCKS_DIFFER.
        """

        def begin(rows: Rows, now_us: int) -> _Begun:
            return _Begun(_final_invoice(rows, invoice_id).bill.license_id, now_us)

        def work_out(rows: Rows, begun: _Begun) -> tuple[Bill, int]:
            found, books = _final_invoice(rows, invoice_id), rows.books(begun.license_id)
            about = About(found.bill, found.number or "", reason)
            if goodwill is not None:
                note = goodwill_note(about, goodwill(found.bill), found.credited, books)
            else:
                note = _correct(rows, begun, about, books)
            return note, len(books.bills)

        def write(rows: Rows, bill: Bill, books: int, now_us: int) -> BillRecord:
            number = f"CN-{rows.take_credit_note_number():06d}"
            draft = _record(self._new_id(), bill, books, key, now_us)
            record = replace(_final(draft, number, key, now_us), invoice_id=invoice_id)
            rows.put(record)
            return record

        return await self._billed(key, begin, work_out, write, render)

    async def finalize(self, invoice_id: str, digest: bytes, key: ReplayKey, render: Render) -> bytes:
        """Numbers the draft that has this digest.

        Raises Refusal INVOICE_UNKNOWN, INVOICE_FINAL, DIGEST_DIFFERS, DRAFT_OUTDATED.
        """

        def change(rows: Rows, now_us: int) -> bytes:
            draft = _draft_by_id(rows, invoice_id)
            if draft.digest != digest:
                raise precondition("DIGEST_DIFFERS", "the draft is not the one that was read")
            if rows.final_bills(draft.bill.license_id) != draft.books:
                raise precondition("DRAFT_OUTDATED", "a credit note was issued since: draft it again")
            record = _final(draft, f"INV-{rows.take_invoice_number():06d}", key, now_us)
            rows.put(record)
            return render(record)

        return await self._once(key, change)

    async def discard(self, invoice_id: str, key: ReplayKey) -> bytes:
        """Removes a draft; nothing is answered. Raises Refusal INVOICE_UNKNOWN, INVOICE_FINAL."""

        def change(rows: Rows, now_us: int) -> bytes:
            rows.remove(_draft_by_id(rows, invoice_id).bill_id)
            return b""

        return await self._once(key, change)

    async def find(self, id_or_number: str, final_of: str | None = None) -> BillRecord | None:
        """A bill by its id or number, or a final one of one licensee alone; None where there is none."""
        return await self._store.read(lambda rows: rows.bill(id_or_number, final_of))

    async def page(self, wanted: BillFilter, after: str, limit: int) -> Sequence[BillRecord]:
        """At most `limit` bills with ids above `after`, by id, which is the order in which they came up."""
        return await self._store.read(lambda rows: rows.page(wanted, after, limit))

    async def revenue(self, wanted: RevenueFilter, after: Sequence[str], limit: int) -> Sequence[Month]:
        """At most `limit` sums after a (month, licensee, currency), in this order; () for the first."""
        return await self._store.read(lambda rows: rows.revenue(wanted, after, limit))

    async def _billed(
        self,
        key: ReplayKey,
        begin: Callable[[Rows, int], _Begun],
        work_out: Callable[[Rows, _Begun], tuple[Bill, int]],
        write: Callable[[Rows, Bill, int, int], BillRecord],
        render: Render,
    ) -> bytes:
        """Makes the cut-off true, works the bill out, and writes it if the books are still those it rests on.

        `work_out` gives the bill and how many final bills it took into account. A process that dies in
        between leaves no more than a cut-off that is true.
        """
        # A page each: decisions go on in between.
        while (begun := await self._store.write(lambda rows: self._begin(rows, key, begin))) is None:
            pass
        if isinstance(begun, bytes):
            return begun
        bill, books = await self._store.read_long(lambda rows: work_out(rows, begun))

        def change(rows: Rows, now_us: int) -> bytes:
            if rows.final_bills(bill.license_id) != books:
                raise Refusal(Kind.ABORTED, "BOOKS_CHANGED", "something was billed meanwhile: ask again")
            return render(write(rows, bill, books, now_us))

        return await self._once(key, change)

    def _begin(
        self, rows: Rows, key: ReplayKey, begin: Callable[[Rows, int], _Begun]
    ) -> _Begun | bytes | None:
        """The request, or the answer that it got before; None while not all that is on record is counted."""
        check_request_id(key.request_id, self._clock.now_us())
        cut_off_us = rows.lock_head()
        if (answer := rows.earlier(key)) is not None:
            return answer
        now_us = self._clock.now_us()
        self._check_clock(now_us, rows.server_now_us())
        # Where another process has drafted by a clock ahead of this one, what is on record is before this.
        begun = begin(rows, now_us if now_us >= cut_off_us else cut_off_us + 1)
        if not rows.count_uncounted(COUNTED_AT_ONCE):
            return None
        rows.raise_cut_off(begun.cut_off_us)
        return begun

    def _check_clock(self, now_us: int, server_us: int | None) -> None:
        """Raises Refusal CLOCKS_DIFFER: a cut-off far ahead would leave out all that comes before it."""
        if server_us is not None and abs(now_us - server_us) > self._margin_us:
            raise unavailable(
                "CLOCKS_DIFFER", "the clocks of licensing and of its database differ by more than the margin"
            )

    async def _once(self, key: ReplayKey, produce: Callable[[Rows, int], bytes]) -> bytes:
        check_request_id(key.request_id, self._clock.now_us())

        def unit(rows: Rows) -> bytes:
            rows.lock_head()
            now_us = self._clock.now_us()
            return rows.once(key, now_us, lambda: produce(rows, now_us))

        return await self._store.write(unit)


def unknown_invoice() -> Refusal:
    """There is no such invoice, or not for this caller; it does not say which."""
    return not_found("INVOICE_UNKNOWN", "there is no such invoice")


def _draft(rows: Rows, begun: _Begun, asked: str | int, now_us: int) -> tuple[Bill, int]:
    licensed, books = rows.licensed(begun.license_id, begun.cut_off_us), rows.books(begun.license_id)
    if licensed is None:
        raise unknown_license()
    period = asked_period(licensed, asked, books.invoiced, begun.cut_off_us)
    # The cut-off may be that of a clock that was ahead.
    if period.period.end_us > now_us:
        raise period_not_over()
    if books.cut_off_us is not None and begun.cut_off_us < books.cut_off_us:
        raise precondition("CUT_OFF_TOO_EARLY", "the license was billed as of later than that")
    # All up to the cut-off: where one ends may follow from the next.
    periods = billable_periods(licensed, begun.cut_off_us, books.invoiced)
    earlier = [each for each in periods if each.period.start_us < period.period.start_us]
    posts = _posts(rows, begun, [*earlier, period])
    wanted = _while_wanted(rows, earlier)
    bill = invoice(licensed, period, wanted, posts=posts, books=books, cut_off_us=begun.cut_off_us)
    return bill, len(books.bills)


def _while_wanted(rows: Rows, periods: Sequence[BillablePeriod]) -> Iterator[BillablePeriod]:
    """The periods one by one, while somebody waits for the bill: there may be thousands of days."""
    for each in periods:
        rows.go_on()
        yield each


def _correct(rows: Rows, begun: _Begun, about: About, books: Books) -> Bill:
    licensed = rows.licensed(begun.license_id, begun.cut_off_us)
    if licensed is None:
        raise unknown_license()
    on_it = {about.invoice.period.start_us, *(line.period.start_us for line in about.invoice.lines)}
    periods = [
        each
        for each in billable_periods(licensed, begun.cut_off_us, books.invoiced)
        if each.period.start_us in on_it and each.price.currency == about.invoice.currency
    ]
    posts = _posts(rows, begun, periods)
    return correcting_note(about, _while_wanted(rows, periods), posts, books, begun.cut_off_us)


def _posts(rows: Rows, begun: _Begun, periods: Sequence[BillablePeriod]) -> dict[int, int]:
    """Posts that are billed at the cut-off, by the first instant of each period."""
    return {
        each.period.start_us: rows.billed_posts(
            begun.license_id, each.counted_from_us, each.counted_until_us, begun.cut_off_us
        )
        for each in periods
    }


def _draft_by_id(rows: Rows, invoice_id: str) -> BillRecord:
    found = rows.bill(invoice_id)
    if found is None or found.bill.kind is not BillKind.INVOICE:
        raise unknown_invoice()
    if found.number is not None:
        raise precondition("INVOICE_FINAL", f"{found.number} is final: it is never changed")
    return found


def _final_invoice(rows: Rows, invoice_id: str) -> BillRecord:
    found = rows.bill(invoice_id)
    if found is None or found.bill.kind is not BillKind.INVOICE:
        raise unknown_invoice()
    if found.number is None:
        raise precondition("INVOICE_NOT_FINAL", "the invoice is a draft: it can be drafted again")
    return found


def _record(bill_id: str, bill: Bill, books: int, key: ReplayKey, now_us: int) -> BillRecord:
    document = bill.document()
    return BillRecord(bill_id, bill, document, digest_of(document), books, now_us, key.principal)


def _final(draft: BillRecord, number: str, key: ReplayKey, now_us: int) -> BillRecord:
    return replace(draft, number=number, final_at_us=now_us, final_by=key.principal)
