"""What the pages about recalls, damages and actions show: put on record over the real services."""

from dataclasses import dataclass
from typing import Any, Self

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import recall_pb2
from sluice.licensing.v1 import recall_service_pb2 as recalls
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from sluice.metering.v1 import dispute_service_pb2 as disputes
from sluice.metering.v1.damages_pb2 import Assessment
from sluice.metering.v1.dispute_pb2 import DisputeStep
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub
from tests.support.cluster import DAY_US, Cluster
from tests.support.damages_caller import DamagesCaller, a_policy, a_scope
from tests.support.pages import Seen, Visitor
from tests.support.recalls import Shelf

SCRIPT = "<script>alert(1)</script>"
CLAIMED = "US$30,000.00"
"""What `an_assessment` comes to, as it is written in Britain."""


async def an_assessment(cluster: Cluster, party_id: str = "acme", **scope: Any) -> Assessment:
    """25 posts in a day, where every 10 are 15,000 dollars; put on record by lena."""
    caller = DamagesCaller(cluster.metering, cluster.clock)
    await caller.put(a_policy(threshold=10, unit=10, title=SCRIPT))
    await caller.took(1, 25, party_id)
    return await caller.record(a_scope(of={"party_id": party_id}, **scope))


async def propose(cluster: Cluster, assessment: Assessment, who: str = "lena", **more: Any) -> DisputeStep:
    """A step, as a command proposes it; a dispute unless said."""
    peer = cluster.metering.peer(PrincipalKind.OPERATOR, who, ["legal"])
    given: dict[str, Any] = {"kind": 1, "reason": "Letter of 3 March"}
    request = disputes.ProposeStepRequest(
        request_id=cluster.new_id(), assessment_id=assessment.assessment_id, **(given | more)
    )
    return (await peer.call(DisputeServiceStub(peer.channel).ProposeStep, request)).step


async def decide(cluster: Cluster, step: DisputeStep, who: str, *, approve: bool, reason: str = "") -> None:
    """As a command does."""
    peer = cluster.metering.peer(PrincipalKind.OPERATOR, who, ["legal"])
    request = disputes.DecideStepRequest(
        request_id=cluster.new_id(), proposal_id=step.proposal_id, approve=approve, reason=reason
    )
    await peer.call(DisputeServiceStub(peer.channel).DecideStep, request)


async def disputed(cluster: Cluster, party_id: str = "acme") -> Assessment:
    """An assessment that is disputed, by two operators."""
    assessment = await an_assessment(cluster, party_id)
    await decide(cluster, await propose(cluster, assessment), "kim", approve=True)
    return assessment


@dataclass
class Recalls:
    """The licensee acme, and recalls of what it was released."""

    cluster: Cluster
    shelf: Shelf

    @classmethod
    async def begin(cls, cluster: Cluster) -> Self:
        """With the decisions that they are of."""
        await cluster.license()
        shelf = Shelf(cluster.database)
        shelf.decisions(1, 2, 3)
        return cls(cluster, shelf)

    def issue(self, due_in_days: int = 30, posts: int = 2) -> str:
        """Another one, issued so that it is due in so many days; its id."""
        issued_us = self.cluster.clock.now_us() - (30 - due_in_days) * DAY_US
        return self.shelf.recall(at_us=issued_us, posts={1: [2**63 + place for place in range(posts)]})


async def resolve(cluster: Cluster, recall_id: str, statement: str, outcome: int = 3) -> None:
    """Says as the licensee how it ended."""
    acme = cluster.licensing.peer(PrincipalKind.LICENSEE, "acme")
    attestation = recall_pb2.Attestation(name="Kim Doe", role="Counsel", statement=statement)
    resolution = recall_pb2.RecallResolution(outcome=outcome, attestation=attestation)  # type: ignore[arg-type]
    request = recalls.ResolveRecallRequest(recall_id=recall_id, resolution=resolution)
    await acme.call(RecallServiceStub(acme.channel).ResolveRecall, request)


async def propose_on_page(visitor: Visitor, assessment: Assessment, name: str, button: str) -> Seen:
    """Proposes a step without an amount; the page that comes."""
    page = await visitor.get(f"/damages/{assessment.assessment_id}/propose/{name}")
    return await visitor.press(page, button, {"reason": "Letter of 3 March"})
