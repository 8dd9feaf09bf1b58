"""One license: its terms in words, how full its windows are, its versions, and who changed it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.chassis.dialing import Peer
from services.console.operations.allowances import gauges
from services.console.operations.halts_in_force import halts_in_force
from services.console.operations.license_steps import get_license, offered
from services.console.operations.license_terms import lines
from services.console.operations.licensee_names import names_of
from services.console.operations.licenses import TABLES
from services.console.operations.own_ids import name_in
from services.console.operations.words_licenses import STEPS
from services.console.web.asking import NAME_US, asked, together
from services.console.web.calling import Services
from services.console.web.page import Reading, SignedIn, page_of, shown
from services.console.web.words import PURPOSES
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License

router = APIRouter()
VERSIONS = 10
CHANGES = 25
WORDS: dict[str, Any] = {**TABLES, "STEPS": STEPS, "PURPOSES": PURPOSES}
"""What templates say numbers with."""
Token = Annotated[str, Query(max_length=500)]


@router.get("/licenses/{id}")
async def license(
    request: Request,
    session: SignedIn,
    reader: Reading,
    id: str,
    *,
    versions: Token = "",
    changes: Token = "",
) -> Response:
    """As it stands at this moment: nothing of it is kept here."""
    services = page_of(request).services
    found = await get_license(services.peer("licensing"), name_in(id))
    parts = await _parts(services, found, versions, changes)
    words: dict[str, Any] = {"terms": lines(reader, found.terms), "offered": offered(found, session)}
    tokens: dict[str, Any] = {"versions_token": versions, "changes_token": changes}
    return shown(request, "license.html", license=found, lines=lines, **parts, **words, **tokens, **WORDS)


async def _parts(services: Services, found: License, versions: str, changes: str) -> dict[str, Any]:
    licensing, id = services.peer("licensing"), found.license_id
    return await together(
        rooms=gauges(services.peer("metering"), [found]),
        names=asked(names_of(licensing, {found.terms.licensee_id}), NAME_US),
        halts=halts_in_force(services.peer("consent")),
        versions=_versions(licensing, id, versions),
        changes=_changes(licensing, id, changes),
    )


async def _versions(licensing: Peer, id: str, token: str) -> pb.ListLicenseVersionsResponse:
    request = pb.ListLicenseVersionsRequest(license_id=id, page_size=VERSIONS, page_token=token)
    return await licensing.call(ContractServiceStub(licensing.channel).ListLicenseVersions, request)


async def _changes(licensing: Peer, id: str, token: str) -> pb.ListLicenseChangesResponse:
    request = pb.ListLicenseChangesRequest(license_id=id, page_size=CHANGES, page_token=token)
    return await licensing.call(ContractServiceStub(licensing.channel).ListLicenseChanges, request)
