"""What is to be billed next: periods that are over and not invoiced, and what the running one comes to.

It reads only. No cut-off is made true: a moment later it may say something else. A draft says it for good.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.refusals import Refusal, precondition
from services.licensing.contracts import unknown_license
from services.licensing.domain.pricing.bills import Bill
from services.licensing.domain.pricing.calendars import (
    BillablePeriod,
    Licensed,
    check_priced,
    due_periods,
    running_period,
)
from services.licensing.domain.pricing.invoices import Books, invoice
from services.licensing.domain.pricing.revenue import DueFilter

LICENSES_AT_ONCE = 200
"""Licenses that are looked at for one page; it may be shorter than asked for, and have a next one."""

T = TypeVar("T")


class Rows(Protocol):
    """Bills, and what they rest on, in one snapshot."""

    def go_on(self) -> None: ...
    def license_ids(self, wanted: DueFilter, from_id: str, limit: int) -> Sequence[str]: ...
    def licensed(self, license_id: str, cut_off_us: int) -> Licensed | None: ...
    def books(self, license_id: str) -> Books: ...
    def drafts(self, license_id: str) -> dict[int, str]: ...
    def billed_posts(
        self, license_id: str, from_us: int | None, until_us: int | None, cut_off_us: int
    ) -> int: ...


class Store(Protocol):
    """Where the rows are."""

    async def read_long(self, query: Callable[[Rows], T]) -> T: ...


@dataclass(frozen=True)
class Due:
    """A period that is over and not invoiced."""

    licensed: Licensed
    each: BillablePeriod | None
    """None where none of the license can be told."""
    draft_id: str = ""
    """Of its draft; "" where there is none."""
    reason: str = ""
    """Why none can be told: that of the refusal a draft would meet."""

    @property
    def place(self) -> tuple[str, int]:
        """Where it stands in the list: its license and its first instant in microseconds."""
        return self.licensed.license_id, self.each.period.start_us if self.each else 0


@dataclass(frozen=True)
class DuePage:
    """Some of them, in the order of their places."""

    due: Sequence[Due]
    next_from: tuple[str, int] | None
    """The place after which the next page begins; None on the last one."""


class Outlook:
    """Tells what is to be billed. All raise what `Database.read_each` raises."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def due(self, wanted: DueFilter, after: tuple[str, int], limit: int) -> DuePage:
        """At most `limit` due periods after a place, ("", 0) for the first page."""
        now_us = self._clock.now_us()
        return await self._store.read_long(lambda rows: _page(rows, wanted, after, limit, now_us))

    async def preview(self, license_id: str) -> Bill:
        """What the period of a license that runs comes to so far, without corrections of earlier ones.

        Raises Refusal LICENSE_UNKNOWN, LICENSE_HAS_NO_PRICE, NO_PERIOD_RUNNING, CALENDAR_CHANGED,
        AMOUNT_TOO_LARGE, DOCUMENT_DAMAGED.
        """
        now_us = self._clock.now_us()
        return await self._store.read_long(lambda rows: _preview(rows, license_id, now_us))


def _page(rows: Rows, wanted: DueFilter, after: tuple[str, int], limit: int, now_us: int) -> DuePage:
    license_ids = rows.license_ids(wanted, after[0], LICENSES_AT_ONCE + 1)
    found = list[Due]()
    for license_id in license_ids[:LICENSES_AT_ONCE]:
        rows.go_on()
        found += (each for each in _due_of(rows, license_id, now_us) if each.place > after)
        if len(found) > limit:
            return DuePage(found[:limit], found[limit - 1].place)
    more = len(license_ids) > LICENSES_AT_ONCE
    # Nothing of the next license comes before this place.
    return DuePage(found, (license_ids[LICENSES_AT_ONCE], -1) if more else None)


def _due_of(rows: Rows, license_id: str, now_us: int) -> Iterator[Due]:
    licensed = rows.licensed(license_id, now_us)
    if licensed is None or all(version.price is None for version in licensed.versions):
        return
    try:
        periods = due_periods(licensed, rows.books(license_id).invoiced, now_us)
    except Refusal as refusal:
        # Told in its place: what is wrong with one license hides none of the others.
        yield Due(licensed, None, reason=refusal.reason)
        return
    drafts = rows.drafts(license_id)
    for each in periods:
        yield Due(licensed, each, drafts.get(each.period.start_us, ""))


def _preview(rows: Rows, license_id: str, now_us: int) -> Bill:
    licensed = rows.licensed(license_id, now_us)
    if licensed is None:
        raise unknown_license()
    check_priced(licensed)
    books = rows.books(license_id)
    running = running_period(licensed, books.invoiced, now_us)
    if running is None:
        raise precondition("NO_PERIOD_RUNNING", "no period of the license that is billed runs now")
    from_us, until_us = running.counted_from_us, running.counted_until_us
    posts = {running.period.start_us: rows.billed_posts(license_id, from_us, until_us, now_us)}
    return invoice(licensed, running, (), posts=posts, books=books, cut_off_us=now_us)
