"""What licensees are called, asked of licensing for a whole page at once."""

from collections.abc import Collection, Mapping

from services.chassis.dialing import Peer
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import Licensee

MOST = 500


async def named(licensing: Peer, ids: Collection[str]) -> list[Licensee]:
    """Those of at most MOST ids that there are, by id; raises Refusal."""
    if not ids:
        return []
    request = pb.ListLicenseesRequest(licensee_ids=sorted(ids), page_size=MOST)
    return list(
        (await licensing.call(ContractServiceStub(licensing.channel).ListLicensees, request)).licensees
    )


async def names_of(licensing: Peer, ids: Collection[str]) -> Mapping[str, str]:
    """Their names by id; raises Refusal."""
    return {licensee.licensee_id: licensee.display_name for licensee in await named(licensing, ids)}
