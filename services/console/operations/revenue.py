"""Revenue by licensee and month, as final invoices and credit notes say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console.operations.amounts import amount
from services.console.operations.charts import picture
from services.console.operations.own_ids import NO_ID, is_name
from services.console.operations.revenue_sums import OfCurrency, by_currency, chart, month_name
from services.console.web.asking import asked
from services.console.web.page import Reading, SignedIn, page_of, shown
from services.console.web.reading import msgid
from sluice.licensing.v1.billing_service_pb2 import GetRevenueRequest
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from sluice.licensing.v1.invoice_pb2 import Revenue

router = APIRouter()
PAGE = 500
MOST_PAGES = 10
"""Rows have a month, a licensee and a currency each: 5,000 of them are read for one page at most."""
NO_MONTH = msgid("A month is written like 2026-01.")
NO_ORDER = msgid("The first month lies after the last.")
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Wish:
    """Which revenue is wanted: "" is from the first month, up to the last, and of all licensees."""

    first: str = ""
    last: str = ""
    licensee_id: str = ""

    @property
    def query(self) -> str:
        """In an address."""
        said = {"from": self.first, "to": self.last, "licensee": self.licensee_id}
        return urlencode({name: value for name, value in said.items() if value})


@dataclass(frozen=True)
class Found:
    """What was billed."""

    currencies: Sequence[OfCurrency]
    is_whole: bool
    """False where there was too much to read at once: then the newest months are missing."""


def read_wish(given: Mapping[str, str]) -> tuple[Wish, list[str]]:
    """What an address says, and a sentence for each thing in it that says nothing."""
    first, last, licensee = (given.get(name, "").strip() for name in ("from", "to", "licensee"))
    are_months = all(not each or _MONTH.fullmatch(each) for each in (first, last))
    faults = [
        *([] if are_months else [NO_MONTH]),
        *([NO_ORDER] if are_months and first and last and first > last else []),
        *([] if not licensee or is_name(licensee) else [NO_ID]),
    ]
    return (Wish() if faults else Wish(first, last, licensee)), faults


@router.get("/revenue")
async def revenue(request: Request, session: SignedIn) -> Response:
    """A chart and a table for each currency."""
    wish, faults = read_wish(request.query_params)
    given: dict[str, Any] = {"wish": wish, "faults": faults, "given": request.query_params}
    licensing = page_of(request).services.peer("licensing")
    found = None if faults else await asked(_found(licensing, wish))
    words: dict[str, Any] = {"amount": amount, "month_name": month_name}
    return shown(request, "revenue.html", 400 if faults else 200, found=found, **given, **words)


@router.get("/revenue/chart/{currency}.svg")
async def drawn(
    request: Request, session: SignedIn, reader: Reading, currency: str, theme: str = "light"
) -> Response:
    """The chart of one currency, of the same months as the page that shows it."""
    wish, faults = read_wish(request.query_params)
    found = None if faults else await _found(page_of(request).services.peer("licensing"), wish)
    for each in found.currencies if found else ():
        if each.currency == currency:
            return await picture(chart(reader, each), theme)
    raise not_found("CHART_UNKNOWN", "nothing was billed in this currency")


async def _found(licensing: Peer, wish: Wish) -> Found:
    request = GetRevenueRequest(
        from_month=wish.first, to_month=wish.last, licensee_id=wish.licensee_id, page_size=PAGE
    )
    rows, stub = list[Revenue](), BillingServiceStub(licensing.channel)
    for _ in range(MOST_PAGES):
        page = await licensing.call(stub.GetRevenue, request)
        rows += page.revenue
        if not page.next_page_token:
            return Found(by_currency(rows), is_whole=True)
        request.page_token = page.next_page_token
    # The last month may go on in the next page: half of it would be a wrong number.
    whole = [row for row in rows if row.month < rows[-1].month]
    return Found(by_currency(whole), is_whole=False)
