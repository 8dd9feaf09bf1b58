"""The halts in force, for pages on which somebody would look for what stops a licensee (C12)."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.dialing import Peer
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.halt_pb2 import Halt
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub

IN_FORCE, MOST_PAGES = 500, 20
"""Halts that are looked through, so many at a time: there is no asking for one."""


@dataclass(frozen=True)
class HaltsInForce:
    """Halts in force, newest first."""

    halts: Sequence[Halt]

    def of(self, licensee_id: str) -> list[Halt]:
        """Those by which nothing at all goes to a licensee."""
        return [halt for halt in self.halts if halt.scope.everything or halt.scope.licensee_id == licensee_id]

    @property
    def are_others(self) -> bool:
        """Whether some stop a purpose or a country, whoever the licensee is."""
        return any(halt.scope.WhichOneof("scope") not in {"everything", "licensee_id"} for halt in self.halts)


async def halts_in_force(consent: Peer) -> HaltsInForce:
    """The newest IN_FORCE * MOST_PAGES; raises Refusal."""
    request, found = pb.ListHaltsRequest(page_size=IN_FORCE, in_force_only=True), list[Halt]()
    for _ in range(MOST_PAGES):
        page = await consent.call(StateServiceStub(consent.channel).ListHalts, request)
        found += page.halts
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    return HaltsInForce(found)
