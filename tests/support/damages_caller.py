"""What tests of claims ask."""

from collections.abc import Iterable
from typing import Any

from services.chassis.identity import PrincipalKind
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from sluice.metering.v1 import damages_pb2
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1 import party_service_pb2 as party_pb
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub
from sluice.metering.v1.party_pb2 import Party
from sluice.metering.v1.party_service_pb2_grpc import PartyServiceStub
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering_usage import UsageCaller, an_access

MILLION = 1_000_000
START_US = NOON_US - NOON_US % ROLLING_DAY_US - 40 * ROLLING_DAY_US
"""A midnight well before now."""


def a_policy(**more: Any) -> damages_pb2.DamagesPolicy:
    """The clause of the terms as it is quoted, read as a rule."""
    given: dict[str, Any] = {
        "title": "Terms of Service, November 2024",
        "terms_digest": b"\7" * 32,
        "threshold": MILLION,
        "unit": MILLION,
        "rate": {"currency_code": "USD", "units": 15_000},
        "decimals": 2,
        "rounding": damages_pb2.DAMAGES_ROUNDING_WHOLE_UNITS,
        "overlap": damages_pb2.DAMAGES_OVERLAP_DISJOINT,
    }
    return damages_pb2.DamagesPolicy(**(given | more))


def a_scope(
    since_us: int = START_US, until_us: int = START_US + 30 * ROLLING_DAY_US, **more: Any
) -> damages_pb2.AssessmentScope:
    """Thirty days of party acme, unless said."""
    scope = damages_pb2.AssessmentScope(**({"of": UsageOf(party_id="acme")} | more))
    scope.since.FromMicroseconds(since_us)
    scope.until.FromMicroseconds(until_us)
    return scope


def group(id: str = "red") -> UsageOf:
    """A group."""
    return UsageOf(group_id=id)


class DamagesCaller:
    """Calls metering about claims, as an operator."""

    def __init__(self, server: LocalServer, clock: ManualClock) -> None:
        self.usage = UsageCaller(server, clock)
        self.peer = server.peer(PrincipalKind.OPERATOR, "lena", roles=("legal",))
        self.stub = DamagesServiceStub(self.peer.channel)
        self.new_id = self.usage.new_id
        self.now_us = clock.now_us
        self._parties = PartyServiceStub(self.usage.peer.channel)

    async def put(self, policy: damages_pb2.DamagesPolicy | None = None) -> damages_pb2.DamagesPolicy:
        """Puts a policy on record."""
        request = pb.PutDamagesPolicyRequest(request_id=self.new_id(), policy=policy or a_policy())
        return (await self.peer.call(self.stub.PutDamagesPolicy, request)).policy

    async def took(self, hours: float, posts: int, party_id: str = "acme", **more: Any) -> None:
        """Reports an access so many hours after the start."""
        at_us = START_US + round(hours * HOUR_US)
        more.setdefault("id", self.new_id())
        answer = await self.usage.report(an_access(at_us=at_us, party_id=party_id, posts=posts, **more))
        assert list(answer.outcomes) == [1]

    async def describe(self, party_id: str, at_us: int, *, vetted_research: bool) -> None:
        """Says what a party is, from a time on."""
        party = Party(party_id=party_id, vetted_research=vetted_research)
        request = party_pb.PutPartyRequest(request_id=self.new_id(), party=party)
        request.effective_at.FromMicroseconds(at_us)
        await self.usage.peer.call(self._parties.PutParty, request)

    async def preview(self, scope: damages_pb2.AssessmentScope | None = None) -> damages_pb2.Assessment:
        """What it comes to."""
        request = pb.PreviewAssessmentRequest(scope=scope or a_scope())
        return merged(await self.steps(self.stub.PreviewAssessment, request))

    async def record(
        self, scope: damages_pb2.AssessmentScope | None = None, id: str = ""
    ) -> damages_pb2.Assessment:
        """The same on record."""
        request = pb.RecordAssessmentRequest(request_id=id or self.new_id(), scope=scope or a_scope())
        return merged(await self.steps(self.stub.RecordAssessment, request))

    async def get(self, assessment_id: str) -> damages_pb2.Assessment:
        """One on record."""
        request = pb.GetAssessmentRequest(assessment_id=assessment_id)
        return merged(await self.steps(self.stub.GetAssessment, request))

    async def document(self, assessment_id: str) -> bytes:
        """That of one on record."""
        request = pb.ReadDocumentRequest(assessment_id=assessment_id)
        return b"".join(each.piece for each in await self.steps(self.stub.ReadDocument, request))

    async def evidence(self, assessment_id: str) -> list[pb.ReadEvidenceResponse]:
        """Its rows."""
        request = pb.ReadEvidenceRequest(assessment_id=assessment_id)
        return await self.steps(self.stub.ReadEvidence, request)

    async def pages(self, method: Any, request: Any) -> list[Any]:
        """All pages of a list."""
        found = [await self.peer.call(method, request)]
        while token := found[-1].next_page_token:
            request.page_token = token
            found.append(await self.peer.call(method, request))
        return found

    async def steps(self, method: Any, request: Any) -> list[Any]:
        """All answers of a stream."""
        async with self.peer.open(method, request) as stream:
            return [answer async for answer in stream]


def merged(steps: Iterable[Any]) -> damages_pb2.Assessment:
    """The assessment whose parts are among these."""
    whole = damages_pb2.Assessment()
    for step in steps:
        whole.MergeFrom(step.assessment)
    return whole
