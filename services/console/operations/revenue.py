"""Revenue by licensee and month, as final invoices and credit notes say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console.operations.amounts import amount
from services.console.operations.charts import picture
from services.console.operations.own_ids import NO_ID, is_name
from services.console.operations.revenue_sums import (
    OfCurrency,
    by_currency,
    chart,
    month_before,
    month_name,
    month_of,
    months,
)
from services.console.web.asking import asked
from services.console.web.page import Reading, SignedIn, page_of, shown
from services.console.web.reading import msgid
from sluice.licensing.v1.billing_service_pb2 import GetRevenueRequest
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from sluice.licensing.v1.invoice_pb2 import Revenue

router = APIRouter()
PAGE = 500
MOST_PAGES = 100
"""Rows have a month, a licensee and a currency each, and a month a page of them at least."""
USUAL, MOST_MONTHS = 12, 60
"""Months that are shown where none is named, and at most."""
ROWS = 100
"""Of a table at once."""
NO_MONTH = msgid("A month is written like 2026-01.")
NO_ORDER = msgid("The first month lies after the last.")
TOO_LONG = msgid("That are more than 60 months: choose fewer.")
_MONTH = re.compile(r"(?!0000)[0-9]{4}-(0[1-9]|1[0-2])")
_ROW = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class Wish:
    """Which revenue is wanted. Months are such as 2026-11."""

    first: str
    last: str
    """Itself included."""
    licensee_id: str = ""
    """"": of all."""

    def query(self, start: int = 0) -> str:
        """In an address; `start` is the row that tables begin with."""
        said = {"from": self.first, "to": self.last, "licensee": self.licensee_id, "row": start or ""}
        return urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True)
class Found:
    """What was billed."""

    currencies: Sequence[OfCurrency]
    left_out: str = ""
    """The last month that was not read, nor any before it, for there was too much; "": all were."""


def read_wish(given: Mapping[str, str], now_us: int) -> tuple[Wish, list[str]]:
    """What an address says, and a sentence for each thing in it that says nothing.

    The last twelve months, where it names no month.
    """
    first, last, licensee = (given.get(name, "").strip() for name in ("from", "to", "licensee"))
    are_months = all(not each or _MONTH.fullmatch(each) for each in (first, last))
    last = last if are_months and last else month_of(now_us)
    first = first if are_months and first else month_before(last, USUAL - 1)
    faults = [
        *([] if are_months else [NO_MONTH]),
        *([NO_ORDER] if first > last else []),
        *([TOO_LONG] if first < month_before(last, MOST_MONTHS - 1) else []),
        *([] if not licensee or is_name(licensee) else [NO_ID]),
    ]
    return Wish(first, last, licensee), faults


@router.get("/revenue")
async def revenue(
    request: Request, session: SignedIn, row: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """A chart and a table for each currency."""
    wish, faults = read_wish(request.query_params, page_of(request).clock.now_us())
    start = int(row) if _ROW.fullmatch(row) else 0
    given: dict[str, Any] = {"wish": wish, "faults": faults, "given": request.query_params, "start": start}
    licensing = page_of(request).services.peer("licensing")
    found = None if faults else await asked(found_of(licensing, wish))
    words: dict[str, Any] = {"amount": amount, "month_name": month_name, "ROWS": ROWS}
    return shown(request, "revenue.html", 400 if faults else 200, found=found, **given, **words)


@router.get("/revenue/chart/{currency}.svg")
async def drawn(
    request: Request, session: SignedIn, reader: Reading, currency: str, theme: str = "light"
) -> Response:
    """The chart of one currency, of the same months as the page that shows it."""
    wish, faults = read_wish(request.query_params, page_of(request).clock.now_us())
    found = None if faults else await found_of(page_of(request).services.peer("licensing"), wish)
    for each in found.currencies if found else ():
        if each.currency == currency:
            return await picture(chart(reader, each), theme)
    raise not_found("CHART_UNKNOWN", "nothing was billed in this currency")


async def found_of(licensing: Peer, wish: Wish) -> Found:
    """Month by month, the newest first: where there is too much, it is the old ones that are left out."""
    rows, left = list[Revenue](), MOST_PAGES
    for month in reversed(months(wish.first, wish.last)):
        wanted = GetRevenueRequest(
            from_month=month, to_month=month, licensee_id=wish.licensee_id, page_size=PAGE
        )
        of_month, pages = await _of_month(licensing, wanted, left)
        if of_month is None:
            return Found(by_currency(rows), left_out=month)
        rows, left = rows + of_month, left - pages
    return Found(by_currency(rows))


async def _of_month(
    licensing: Peer, wanted: GetRevenueRequest, most: int
) -> tuple[list[Revenue] | None, int]:
    """What is wanted and how many pages it had; None where it has more than `most`: half would be wrong."""
    rows, stub = list[Revenue](), BillingServiceStub(licensing.channel)
    for pages in range(1, most + 1):
        page = await licensing.call(stub.GetRevenue, wanted)
        rows += page.revenue
        if not page.next_page_token:
            return rows, pages
        wanted.page_token = page.next_page_token
    return None, most
