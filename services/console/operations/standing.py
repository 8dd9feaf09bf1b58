"""How everything stands: the parts of the first page, each a read that has an end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.chassis.dialing import Peer
from services.console.operations.counting import LENGTHS_US, Stretch, count, total
from services.console.operations.decision_wishes import CLOCKS_US
from services.console.operations.recall_wishes import UNRESOLVED
from services.console.stats import By
from sluice.consent.v1 import state_service_pb2 as states
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1 import recall_service_pb2 as recall_service
from sluice.licensing.v1 import wall_service_pb2 as walls
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.license_pb2 import License, LicenseState
from sluice.licensing.v1.recall_pb2 import Recall, RecallState
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
_SUSPENDED = LicenseState.LICENSE_STATE_SUSPENDED


@dataclass(frozen=True)
class Recent:
    """Decisions of some time up to now."""

    sums: Stretch
    as_of: int
    """The receipt number up to which they are counted."""


@dataclass
class Licenses:
    """Licenses by LicenseState."""

    by_state: Counter[int] = field(default_factory=Counter)
    at_least: frozenset[int] = frozenset()
    """States of which there may be more than were counted."""


@dataclass(frozen=True)
class Overdue:
    """Recalls whose deadline passed without an answer (W3)."""

    count: int
    is_whole: bool
    """Whether there are no more."""


@dataclass
class Recalls:
    """Recalls that are not resolved."""

    due_soon: int = 0
    open: int = 0
    """Those that are overdue or due later too."""
    is_whole: bool = False


async def halts(consent: Peer) -> states.ListHaltsResponse:
    """Those in force; raises Refusal."""
    request = states.ListHaltsRequest(in_force_only=True, page_size=MOST_HALTS)
    return await consent.call(StateServiceStub(consent.channel).ListHalts, request)


async def recent(licensing: Peer, by: By, stretches: int, now_us: int) -> Recent:
    """Decisions of the stretch that runs and of so many whole ones before it; raises Refusal."""
    since_us = (now_us // LENGTHS_US[by] - stretches) * LENGTHS_US[by]
    counted = await count(licensing, by, since_us, now_us + CLOCKS_US)
    return Recent(total(counted.rows, since_us), counted.as_of)


async def licenses(licensing: Peer) -> Licenses:
    """How many there are in each state; raises Refusal.

    Those that are suspended are counted for themselves where there are too many to look at each: a license
    that is suspended shows at once, whatever its id (L4).
    """
    every, is_whole = await _licenses(licensing)
    found = Counter[int](license.state for license in every)
    if is_whole:
        return Licenses(found)
    suspended, are_all = await _licenses(licensing, _SUSPENDED)
    found[_SUSPENDED] = len(suspended)
    return Licenses(found, frozenset(LicenseState.values()) - ({_SUSPENDED} if are_all else set()))


async def _licenses(licensing: Peer, *states: LicenseState) -> tuple[list[License], bool]:
    """The first of those that stand so, in any state without one; and whether they are all."""
    request, found = contracts.ListLicensesRequest(page_size=LICENSES, states=states), list[License]()
    for _ in range(MOST_PAGES):
        page = await licensing.call(ContractServiceStub(licensing.channel).ListLicenses, request)
        found += page.licenses
        if not page.next_page_token:
            return found, True
        request.page_token = page.next_page_token
    return found, False


async def overdue(licensing: Peer) -> Overdue:
    """How many recalls are, however many newer ones wait; raises Refusal."""
    found, is_whole = await newest_recalls(licensing, [RecallState.RECALL_STATE_OVERDUE])
    return Overdue(len(found), is_whole)


async def recalls(licensing: Peer, now_us: int) -> Recalls:
    """How many wait for licensees; raises Refusal."""
    found, is_whole = await newest_recalls(licensing, UNRESOLVED)
    soon = [
        recall
        for recall in found
        if recall.state != RecallState.RECALL_STATE_OVERDUE
        and recall.due_at.ToMicroseconds() <= now_us + SOON_US
    ]
    return Recalls(len(soon), len(found), is_whole)


async def newest_recalls(
    licensing: Peer, states: Sequence[RecallState], licensee_id: str = ""
) -> tuple[list[Recall], bool]:
    """The newest that stand so, and whether they are all; raises Refusal."""
    request = recall_service.ListRecallsRequest(licensee_id=licensee_id, states=states, page_size=RECALLS)
    found = list[Recall]()
    for _ in range(MOST_PAGES):
        page = await licensing.call(RecallServiceStub(licensing.channel).ListRecalls, request)
        found += page.recalls
        if not page.next_page_token:
            return found, True
        request.page_token = page.next_page_token
    return found, False


async def steps(metering: Peer) -> disputes.ListStepsResponse:
    """The steps of disputes that wait for a second operator (D4); raises Refusal."""
    request = disputes.ListStepsRequest(page_size=MOST_STEPS)
    return await metering.call(DisputeServiceStub(metering.channel).ListSteps, request)


async def wall(licensing: Peer) -> walls.GetWallResponse:
    """Whether anonymous callers are let in; raises Refusal."""
    return await licensing.call(WallServiceStub(licensing.channel).GetWall, walls.GetWallRequest())
