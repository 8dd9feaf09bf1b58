"""The licenses: how each stands, and how full its windows are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.console.operations.allowances import HIGH_PERCENT, gauges
from services.console.operations.halts_in_force import halts_in_force
from services.console.operations.licensee_names import names_of
from services.console.operations.own_ids import NO_ID, is_name
from services.console.operations.roles import SUSPEND, is_open
from services.console.operations.words_decisions import LICENSE_STATES
from services.console.operations.words_licenses import PER, TEMPLATES, WINDOWS
from services.console.web.asking import NAME_US, asked, together
from services.console.web.calling import Services
from services.console.web.page import SignedIn, page_of, shown
from services.console.web.reading import msgid
from services.console.web.words import word
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License

router = APIRouter()
PAGE = 50
MOST_EMPTY = 10
"""Pages without any license that are gone over to find one in the state that is wanted."""
TABLES: dict[str, Any] = {
    "word": word,
    "LICENSE_STATES": LICENSE_STATES,
    "TEMPLATES": TEMPLATES,
    "PER": PER,
    "WINDOWS": WINDOWS,
    "HIGH_PERCENT": HIGH_PERCENT,
}
"""What templates say numbers with."""
NO_STATE = msgid("There is no such state.")
_STATES = {str(number): number for number in LICENSE_STATES}


@dataclass(frozen=True)
class Wish:
    """Which licenses are wanted, as the address of the page says it."""

    licensee_id: str = ""
    """"": of all."""
    state: int = 0
    """0: in any."""

    def address(self, token: str = "") -> str:
        """That of the page with this wish."""
        said = {"licensee": self.licensee_id, "state": self.state or "", "page": token}
        query = urlencode({name: value for name, value in said.items() if value})
        return f"/licenses?{query}" if query else "/licenses"

    def request(self, token: str) -> pb.ListLicensesRequest:
        """What licensing is asked for."""
        states = [self.state] if self.state else []
        return pb.ListLicensesRequest(
            licensee_id=self.licensee_id,
            states=states,  # type: ignore[arg-type]  # an open enum: any number can be sent
            page_size=PAGE,
            page_token=token,
        )


def read_wish(licensee: str, state: str) -> tuple[Wish, list[str]]:
    """What an address says, and a sentence for each thing in it that says nothing, which is left out then."""
    licensee = licensee.strip()
    faults = [
        *([] if not licensee or is_name(licensee) else [NO_ID]),
        *([] if not state or state in _STATES else [NO_STATE]),
    ]
    return Wish(licensee if is_name(licensee) else "", _STATES.get(state, 0)), faults


@router.get("/licenses")
async def licenses(
    request: Request,
    session: SignedIn,
    licensee: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """By id, with the use of what they allow."""
    wish, faults = read_wish(licensee, state)
    given: dict[str, Any] = {"wish": wish, "faults": faults, "licensee": licensee, "token": page, **TABLES}
    if faults:
        return shown(request, "licenses.html", 400, found=None, **given)
    services, given["may_suspend"] = page_of(request).services, is_open(session, SUSPEND)
    found = await listed(services.peer("licensing"), wish.request(page))
    parts = await _parts(services, found.licenses)
    return shown(request, "licenses.html", found=found, **given, **parts)


async def _parts(services: Services, found: Sequence[License]) -> dict[str, Any]:
    licensees = {each.terms.licensee_id for each in found}
    return await together(
        rooms=gauges(services.peer("metering"), found),
        names=asked(names_of(services.peer("licensing"), licensees), NAME_US),
        halts=halts_in_force(services.peer("consent")),
    )


async def listed(licensing: Peer, wanted: pb.ListLicensesRequest) -> pb.ListLicensesResponse:
    """The next page that has any license, or the last of so many that had none."""
    for _ in range(MOST_EMPTY):
        page = await licensing.call(ContractServiceStub(licensing.channel).ListLicenses, wanted)
        if page.licenses or not page.next_page_token:
            break
        wanted.page_token = page.next_page_token
    return page
