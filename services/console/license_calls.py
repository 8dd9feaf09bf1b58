"""What the console asks of the contracts desk. Each raises Refusal where it is not done."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.dialing import Peer
from services.console.connections import Connections
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License, LicenseChange, LicenseTerms, LicenseVersion

if TYPE_CHECKING:
    # The stub as it is on a channel of asyncio; it exists in the annotations alone.
    from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceAsyncStub

PAGE = 200


async def create_license(connections: Connections, request: contracts.CreateLicenseRequest) -> License:
    """Creates the draft under a fresh request id; raises Refusal."""
    peer, stub = _desk(connections)
    request.request_id = connections.new_id()
    return (await peer.call(stub.CreateLicense, request)).license


async def activate_license(
    connections: Connections, license: License, reason: str, at: Timestamp | None = None
) -> License:
    """Puts into force what is drafted in `license`, exactly as it was read; at once if `at` is None."""
    peer, stub = _desk(connections)
    drafted = license.next if license.HasField("next") else license
    request = contracts.ActivateLicenseRequest(
        request_id=connections.new_id(),
        license_id=license.license_id,
        reason=reason,
        version=drafted.version,
        terms_digest=drafted.terms_digest,
        effective_at=at,
    )
    return (await peer.call(stub.ActivateLicense, request)).license


async def check_terms(connections: Connections, terms: LicenseTerms) -> bytes:
    """The digest that these terms would have; raises Refusal for those that would not be taken."""
    peer, stub = _desk(connections)
    request = contracts.CheckTermsRequest(terms=terms)
    return (await peer.call(stub.CheckTerms, request)).terms_digest


async def amend_license(
    connections: Connections, license: License, terms: LicenseTerms, reason: str
) -> License:
    """Drafts other terms for `license`, against those in it."""
    peer, stub = _desk(connections)
    request = contracts.AmendLicenseRequest(
        request_id=connections.new_id(),
        license_id=license.license_id,
        base_digest=license.terms_digest,
        terms=terms,
        reason=reason,
    )
    return (await peer.call(stub.AmendLicense, request)).license


async def withdraw_amendment(connections: Connections, id: str, version: int, reason: str) -> License:
    """Takes back a version that is not in force yet."""
    peer, stub = _desk(connections)
    request = contracts.WithdrawAmendmentRequest(
        request_id=connections.new_id(), license_id=id, version=version, reason=reason
    )
    return (await peer.call(stub.WithdrawAmendment, request)).license


async def all_versions(connections: Connections, id: str) -> list[LicenseVersion]:
    """Every version of a license that the caller may see, newest first."""
    peer, stub = _desk(connections)
    found: list[LicenseVersion] = []
    token = ""
    while True:
        request = contracts.ListLicenseVersionsRequest(license_id=id, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListLicenseVersions, request)
        found += page.versions
        token = page.next_page_token
        if not token:
            return found


async def all_changes(connections: Connections, id: str) -> list[LicenseChange]:
    """Every change of a license, newest first."""
    peer, stub = _desk(connections)
    found: list[LicenseChange] = []
    token = ""
    while True:
        request = contracts.ListLicenseChangesRequest(license_id=id, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListLicenseChanges, request)
        found += page.changes
        token = page.next_page_token
        if not token:
            return found


async def suspend_license(connections: Connections, id: str, reason: str) -> License:
    """Stops it; every decision that concludes after the answer sees that (L4)."""
    return await _change(connections, id, reason, contracts.SuspendLicenseRequest, lambda s: s.SuspendLicense)


async def resume_license(connections: Connections, id: str, reason: str) -> License:
    """Lets it go on."""
    return await _change(connections, id, reason, contracts.ResumeLicenseRequest, lambda s: s.ResumeLicense)


async def terminate_license(connections: Connections, id: str, reason: str) -> License:
    """Ends it for good."""
    return await _change(
        connections, id, reason, contracts.TerminateLicenseRequest, lambda s: s.TerminateLicense
    )


async def get_license(connections: Connections, id: str, *, at_most_us: int | None = None) -> License:
    """Within `at_most_us` microseconds; raises Refusal."""
    peer = connections.peer("licensing")
    request = contracts.GetLicenseRequest(license_id=id)
    stub = ContractServiceStub(peer.channel)
    return (await peer.call(stub.GetLicense, request, at_most_us=at_most_us)).license


async def all_licenses(connections: Connections) -> list[License]:
    """Every license the caller may see, by id; raises Refusal."""
    peer = connections.peer("licensing")
    stub = ContractServiceStub(peer.channel)
    licenses: list[License] = []
    token = ""
    while True:
        page = await peer.call(
            stub.ListLicenses, contracts.ListLicensesRequest(page_size=PAGE, page_token=token)
        )
        licenses += page.licenses
        token = page.next_page_token
        if not token:
            return licenses


async def _change(
    connections: Connections, id: str, reason: str, request: Any, method: Callable[[ContractServiceStub], Any]
) -> License:
    asked = request(request_id=connections.new_id(), license_id=id, reason=reason)
    peer, stub = _desk(connections)
    license: License = (await peer.call(method(stub), asked)).license
    return license


def _desk(connections: Connections) -> tuple[Peer, "ContractServiceAsyncStub"]:
    peer = connections.peer("licensing")
    return peer, ContractServiceStub(peer.channel)
