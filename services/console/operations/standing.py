"""How everything stands: the parts of the first page, each a read that has an end."""

from collections import Counter
from dataclasses import dataclass, field

from services.chassis.dialing import Peer
from services.console.operations.counting import LENGTHS_US, Stretch, count, total
from services.console.operations.decision_wishes import CLOCKS_US
from services.console.stats import By
from sluice.consent.v1 import state_service_pb2 as states
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1 import recall_service_pb2 as recall_service
from sluice.licensing.v1 import wall_service_pb2 as walls
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.recall_pb2 import RecallState
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub
from sluice.metering.v1 import dispute_service_pb2 as disputes
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub

MOST_HALTS = 50
MOST_STEPS = 1_000
LICENSES, RECALLS, MOST_PAGES = 500, 1_000, 4
"""So many are on a page, and so many pages are read."""
SOON_US = 3 * LENGTHS_US[By.DAY]
"""A recall that is due within this time is due soon."""


@dataclass(frozen=True)
class Recent:
    """Decisions of some time up to now."""

    sums: Stretch
    as_of: int
    """The receipt number up to which they are counted."""
    is_whole: bool


@dataclass
class Licenses:
    """Licenses by LicenseState."""

    by_state: Counter[int] = field(default_factory=Counter)
    is_whole: bool = False


@dataclass
class Recalls:
    """Recalls that are not resolved."""

    overdue: int = 0
    due_soon: int = 0
    open: int = 0
    """Those due later too."""
    is_whole: bool = False


async def halts(consent: Peer) -> states.ListHaltsResponse:
    """Those in force; raises Refusal."""
    request = states.ListHaltsRequest(in_force_only=True, page_size=MOST_HALTS)
    return await consent.call(StateServiceStub(consent.channel).ListHalts, request)


async def recent(licensing: Peer, by: By, stretches: int, now_us: int) -> Recent:
    """Decisions of the stretch that runs and of so many whole ones before it; raises Refusal."""
    since_us = (now_us // LENGTHS_US[by] - stretches) * LENGTHS_US[by]
    counted = await count(licensing, by, since_us, now_us + CLOCKS_US)
    return Recent(total(counted.rows, since_us), counted.as_of, counted.cut_at_us is None)


async def licenses(licensing: Peer) -> Licenses:
    """How many there are in each state; raises Refusal."""
    request, found = contracts.ListLicensesRequest(page_size=LICENSES), Licenses()
    for _ in range(MOST_PAGES):
        page = await licensing.call(ContractServiceStub(licensing.channel).ListLicenses, request)
        found.by_state.update(license.state for license in page.licenses)
        if not page.next_page_token:
            found.is_whole = True
            break
        request.page_token = page.next_page_token
    return found


async def recalls(licensing: Peer, now_us: int) -> Recalls:
    """How many wait for licensees; raises Refusal."""
    unresolved = ("RECALL_STATE_ISSUED", "RECALL_STATE_ACKNOWLEDGED", "RECALL_STATE_OVERDUE")
    request = recall_service.ListRecallsRequest(states=unresolved, page_size=RECALLS)
    found = Recalls()
    for _ in range(MOST_PAGES):
        page = await licensing.call(RecallServiceStub(licensing.channel).ListRecalls, request)
        for recall in page.recalls:
            is_overdue = recall.state == RecallState.RECALL_STATE_OVERDUE
            found.open += 1
            found.overdue += is_overdue
            found.due_soon += not is_overdue and recall.due_at.ToMicroseconds() <= now_us + SOON_US
        if not page.next_page_token:
            found.is_whole = True
            break
        request.page_token = page.next_page_token
    return found


async def steps(metering: Peer) -> disputes.ListStepsResponse:
    """The steps of disputes that wait for a second operator (D4); raises Refusal."""
    request = disputes.ListStepsRequest(page_size=MOST_STEPS)
    return await metering.call(DisputeServiceStub(metering.channel).ListSteps, request)


async def wall(licensing: Peer) -> walls.GetWallResponse:
    """Whether anonymous callers are let in; raises Refusal."""
    return await licensing.call(WallServiceStub(licensing.channel).GetWall, walls.GetWallRequest())
