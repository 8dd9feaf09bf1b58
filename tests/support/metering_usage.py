"""What tests of usage ask and report."""

from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.metering.domain.windows import ROLLING_DAY_US
from sluice.metering.v1 import access_pb2, usage_pb2
from sluice.metering.v1 import metering_service_pb2 as metering_pb
from sluice.metering.v1 import party_service_pb2 as party_pb
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.metering_service_pb2_grpc import MeteringServiceStub
from sluice.metering.v1.party_pb2 import Party
from sluice.metering.v1.party_service_pb2_grpc import PartyServiceStub
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.content_pb2 import CONTENT_KIND_POST
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.metering import an_id
from tests.support.metering_messages import a_day, a_reserve, posts

CHECKS = 11
"""Of the audit."""

ACCEPTED, DUPLICATE, CONFLICT, REJECTED = 1, 2, 3, 4
REQUEST = access_pb2.ACCESS_KIND_REQUEST
VIEW, ACCESS = access_pb2.ACCESS_KIND_VIEW, access_pb2.ACCESS_KIND_ACCESS
GATE, SEEN = usage_pb2.USAGE_ORIGIN_GATE, usage_pb2.USAGE_ORIGIN_SEEN


def of_party(party_id: str = "acme") -> usage_pb2.UsageOf:
    """A party's usage."""
    return usage_pb2.UsageOf(party_id=party_id)


def an_access(
    id: str = "", at_us: int = NOON_US, party_id: str = "acme", **more: Any
) -> access_pb2.SeenAccess:
    """One post, handed over as data, unless said."""
    given: dict[str, Any] = {
        "source": "edge",
        "id": id,
        "party_id": party_id,
        "access": ACCESS,
        "kind": CONTENT_KIND_POST,
        "posts": 1,
    }
    access = access_pb2.SeenAccess(**(given | more))
    access.accessed_at.FromMicroseconds(at_us)
    return access


class UsageCaller:
    """Calls all services of metering, as licensing and as an operator."""

    def __init__(self, server: LocalServer, clock: ManualClock) -> None:
        self._server = server
        self.peer = server.peer(PrincipalKind.OPERATOR, "olga", roles=("admin",))
        self._service = server.peer(PrincipalKind.SERVICE, "licensing")
        self.usage = UsageServiceStub(self.peer.channel)
        self._parties = PartyServiceStub(self.peer.channel)
        self._metering = MeteringServiceStub(self._service.channel)
        self._clock = clock

    def new_id(self) -> str:
        return uuid7(self._clock.now_us())

    def as_other(self, kind: PrincipalKind, party: str, *roles: str) -> Peer:
        """Somebody else's connection."""
        return self._server.peer(kind, party, roles=roles)

    async def report(
        self, *accesses: access_pb2.SeenAccess, id: str = "", by: Peer | None = None
    ) -> pb.ReportAccessesResponse:
        """One page, of the operator's unless said."""
        rows = [
            pb.ReportAccessesRequest.Row(line=line, access=access) for line, access in enumerate(accesses, 1)
        ]
        page = pb.ReportAccessesRequest(request_id=id or self.new_id(), rows=rows)
        peer = by or self.peer
        async with peer.open(UsageServiceStub(peer.channel).ReportAccesses) as stream:
            await stream.send(page)
            return await stream.receive()

    async def reserve(self, n: int, count: int, party_id: str = "acme") -> metering_pb.ReserveResponse:
        request = a_reserve(n, count, a_day())
        request.claim.party_id = party_id
        return await self._service.call(self._metering.Reserve, request)

    async def record(self, n: int, count: int, party_id: str = "acme") -> metering_pb.RecordResponse:
        claim = a_reserve(n, count, a_day()).claim
        claim.party_id = party_id
        request = metering_pb.RecordRequest(reservation_id=an_id(n), claim=claim)
        return await self._service.call(self._metering.Record, request)

    async def reduce(self, n: int, count: int) -> None:
        request = metering_pb.ReduceHoldRequest(reservation_id=an_id(n), keep=[posts(count)])
        await self._service.call(self._metering.ReduceHold, request)

    async def settle(self, n: int, count: int) -> None:
        request = metering_pb.SettleRequest(
            reservation_id=an_id(n), delivered=[posts(count)] if count else []
        )
        await self._service.call(self._metering.Settle, request)

    async def cancel(self, n: int) -> None:
        await self._service.call(self._metering.Cancel, metering_pb.CancelRequest(reservation_id=an_id(n)))

    async def move(self, party_id: str, group_id: str, at_us: int) -> None:
        put = party_pb.PutPartyRequest(request_id=self.new_id(), party=Party(party_id=party_id))
        await self.peer.call(self._parties.PutParty, put)
        move = party_pb.MovePartyRequest(request_id=self.new_id(), party_id=party_id, group_id=group_id)
        move.effective_at.FromMicroseconds(at_us)
        await self.peer.call(self._parties.MoveParty, move)

    async def rows(
        self, of: usage_pb2.UsageOf, since_us: int | None = None, until_us: int | None = None
    ) -> list[tuple[int, ...]]:
        """(origin, access, kind, media, used, held) of each row."""
        request = pb.QueryUsageRequest(of=of)
        for field, time_us in (("since", since_us), ("until", until_us)):
            if time_us is not None:
                getattr(request, field).FromMicroseconds(time_us)
        answer = await self.peer.call(self.usage.QueryUsage, request)
        return [
            (row.origin, row.access, row.kind, row.media_flags, row.used, row.held) for row in answer.rows
        ]

    async def peaks(
        self,
        of: usage_pb2.UsageOf,
        window_us: int = ROLLING_DAY_US,
        since_us: int | None = None,
        parts: int = 0,
    ) -> list[tuple[int, int | None]]:
        """(posts, time) of each peak."""
        request = pb.MaxWindowRequest(of=of, parts=parts)
        request.window.FromMicroseconds(window_us)
        if since_us is not None:
            request.since.FromMicroseconds(since_us)
        answer = await self.peer.call(self.usage.MaxWindow, request)
        return [
            (peak.posts, peak.at.ToMicroseconds() if peak.HasField("at") else None) for peak in answer.peaks
        ]

    async def differences(self) -> dict[str, list[str]]:
        """What the audit finds, by check."""
        found = await self.named_differences()
        return {check: [subject for subject, *_ in named] for check, named in found.items()}

    async def named_differences(self) -> dict[str, list[tuple[str, str, str]]]:
        """(subject, expected, found) of each difference that the audit finds, by check."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        async with self.peer.open(self.usage.AuditUsage, pb.AuditUsageRequest()) as stream:
            async for answer in stream:
                assert answer.difference_count == len(answer.differences)
                if answer.step == pb.AUDIT_STEP_DONE:
                    found[answer.check] = [
                        (each.subject, each.expected, each.found) for each in answer.differences
                    ]
        assert len(found) == CHECKS
        return {check: named for check, named in found.items() if named}

    async def refusal(self, method: Any, request: Any) -> tuple[Kind, str]:
        with pytest.raises(Refusal) as refused:
            await self.peer.call(method, request)
        return refused.value.kind, refused.value.reason
