"""The licensees: who they are, what they are licensed for, who is counted with them, and their API keys."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.chassis.refusals import not_found
from services.console.operations.allowances import gauges
from services.console.operations.halts_in_force import halts_in_force
from services.console.operations.licensee_names import named
from services.console.operations.licenses import TABLES
from services.console.operations.own_ids import name_in
from services.console.operations.roles import ORDER_HALT, SUSPEND, is_open
from services.console.operations.words_licenses import AFFILIATE_STANDINGS
from services.console.web.asking import asked, together
from services.console.web.page import SignedIn, page_of, shown
from services.console.web.sessions import Session
from services.console.web.words import PURPOSES
from sluice.licensing.v1 import affiliate_service_pb2 as affiliates
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1 import key_service_pb2 as keys
from sluice.licensing.v1.affiliate_service_pb2_grpc import AffiliateServiceStub
from sluice.licensing.v1.api_key_pb2 import ApiKey
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from sluice.licensing.v1.license_pb2 import Licensee

router = APIRouter()
LICENSEES = 50
LICENSES, AFFILIATES, KEYS = 20, 50, 20
WORDS: dict[str, Any] = {**TABLES, "AFFILIATE_STANDINGS": AFFILIATE_STANDINGS, "PURPOSES": PURPOSES}
"""What templates say numbers with."""
Token = Annotated[str, Query(max_length=500)]


@router.get("/licensees")
async def licensees(request: Request, session: SignedIn, page: Token = "") -> Response:
    """By id."""
    licensing = page_of(request).services.peer("licensing")
    listed = pb.ListLicenseesRequest(page_size=LICENSEES, page_token=page)
    found = await licensing.call(ContractServiceStub(licensing.channel).ListLicensees, listed)
    return shown(request, "licensees.html", found=found, token=page)


@router.get("/licensees/{id}")
async def licensee(
    request: Request, session: SignedIn, id: str, affiliates_page: Token = "", keys_page: Token = ""
) -> Response:
    """Each part for itself: where one cannot be had, the others stand."""
    services = page_of(request).services
    licensing = services.peer("licensing")
    found = await _licensee(licensing, name_in(id))
    parts: dict[str, Any] = await together(
        halts=halts_in_force(services.peer("consent")),
        licenses=_licenses(licensing, id),
        affiliates=_affiliates(licensing, id, affiliates_page),
        keys=_keys(licensing, id, keys_page),
    )
    limited = parts["licenses"].licenses if parts["licenses"] else ()
    parts["rooms"] = await asked(gauges(services.peer("metering"), limited))
    given: dict[str, Any] = {"keys_page": keys_page, "affiliates_page": affiliates_page}
    return shown(request, "licensee.html", licensee=found, **parts, **given, **_tools(request, session))


def _tools(request: Request, session: Session) -> dict[str, Any]:
    state_of = partial(key_state, now_us=page_of(request).clock.now_us())
    roles = {"may_halt": is_open(session, ORDER_HALT), "may_suspend": is_open(session, SUSPEND)}
    return {"state_of": state_of, **roles, **WORDS}


def key_state(key: ApiKey, now_us: int) -> str:
    """ "revoked", "expired" or "active"."""
    if key.HasField("revoked_at"):
        return "revoked"
    is_over = key.HasField("expires_at") and key.expires_at.ToMicroseconds() <= now_us
    return "expired" if is_over else "active"


async def _licensee(licensing: Peer, id: str) -> Licensee:
    """Raises Refusal (not found, LICENSEE_UNKNOWN)."""
    found: Sequence[Licensee] = await named(licensing, [id])
    if not found:
        raise not_found("LICENSEE_UNKNOWN", "there is no such licensee")
    return found[0]


async def _licenses(licensing: Peer, id: str) -> pb.ListLicensesResponse:
    request = pb.ListLicensesRequest(licensee_id=id, page_size=LICENSES)
    return await licensing.call(ContractServiceStub(licensing.channel).ListLicenses, request)


async def _affiliates(licensing: Peer, id: str, token: str) -> affiliates.ListAffiliatesResponse:
    request = affiliates.ListAffiliatesRequest(
        licensee_id=id, include_ended=True, page_size=AFFILIATES, page_token=token
    )
    return await licensing.call(AffiliateServiceStub(licensing.channel).ListAffiliates, request)


async def _keys(licensing: Peer, id: str, token: str) -> keys.ListApiKeysResponse:
    request = keys.ListApiKeysRequest(licensee_id=id, page_size=KEYS, page_token=token)
    return await licensing.call(ApiKeyServiceStub(licensing.channel).ListApiKeys, request)
