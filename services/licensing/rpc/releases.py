"""The release desk over gRPC: translates, calls, translates."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from services.chassis.clock import Clock
from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.ids import check_request_id
from services.chassis.interceptors import reads_itself
from services.chassis.serving import Bolt
from services.chassis.telemetry import current_trace_id
from services.licensing.desk import ReleaseDesk
from services.licensing.domain.asking import PostIds
from services.licensing.domain.attempts import Ending
from services.licensing.domain.decisions import Asker, Request
from services.licensing.domain.deliveries import delivery_of
from services.licensing.ledger import Concluded, Ledger, unknown_decision
from services.licensing.listing import Decisions
from services.licensing.requesting import Asking, RequestDesk
from services.licensing.rpc import counting
from services.licensing.rpc.batches import batch_of
from services.licensing.rpc.decision_lists import DEFAULT_PAGE_SIZE, list_message, wanted_of
from services.licensing.rpc.decision_messages import (
    coarse,
    decision_message,
    delivery_message,
    served_message,
)
from services.licensing.rpc.decision_spans import trace_decision
from services.licensing.rpc.disclosures import number_below
from services.licensing.rpc.streams import DecisionStreams
from services.licensing.serving import ServingDesk
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1 import release_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.ReleaseService"
Sandbox = Callable[[Request], Awaitable[pb.Decision]]
"""Answers requests of sandbox principals, which never come near desk and ledger."""
SEES_ALL = frozenset({PrincipalKind.OPERATOR, PrincipalKind.AUDITOR})


class ReleaseServicer(pb_grpc.ReleaseServiceServicer):
    """`sluice.licensing.v1.ReleaseService`."""

    def __init__(
        self,
        desk: ReleaseDesk,
        requests: RequestDesk,
        serving: ServingDesk,
        ledger: Ledger,
        decisions: Decisions,
        *,
        clock: Clock,
        sandbox: Sandbox,
    ) -> None:
        self._desk = desk
        self._requests = requests
        self._serving = serving
        self._sandbox = sandbox
        self._ledger = ledger
        self._decisions = decisions
        self._clock = clock
        self._streams = DecisionStreams(self._decision)

    async def Decide(self, request: pb.DecideRequest, context: Any) -> pb.DecideResponse:  # noqa: N802
        return pb.DecideResponse(decision=await self._decision(request))

    @reads_itself
    async def DecideStream(  # noqa: N802
        self, payloads: AsyncIterator[bytes], context: Any
    ) -> AsyncIterator[pb.DecideStreamResponse]:
        expires_in_us = current_principal().expires_us - self._clock.now_us()
        # Closed with this call: what is under way is as shielded as a call whose caller has gone away.
        async with contextlib.aclosing(self._streams.answers(payloads, expires_in_us)) as answers:
            async for answer in answers:
                yield answer

    async def _decision(self, request: pb.DecideRequest) -> pb.Decision:
        arrived_at_us, principal = self._clock.now_us(), current_principal()
        check_request_id(request.request_id, arrived_at_us)
        asker = Asker(principal.party, principal.kind.value, request.request_id)
        asked = Request(asker, batch_of(request), arrived_at_us, current_trace_id())
        if principal.sandbox:
            return await self._sandbox(asked)
        with counting.under_way():
            return await self._told(await self._desk.decide(asked), arrived_at_us)

    async def _told(self, concluded: Concluded, arrived_at_us: int) -> pb.Decision:
        trace_decision(concluded)
        counting.count(concluded)
        if concluded.replayed:
            decision, delivery = await self._ledger.find(concluded.decision.decision_id)
        else:
            decision = concluded.decision
            delivery = delivery_of(decision.posts_released, None, None)
        return decision_message(decision, delivery, arrived_at_us, replayed=concluded.replayed)

    async def RequestRelease(  # noqa: N802
        self, request: pb.RequestReleaseRequest, context: Any
    ) -> pb.RequestReleaseResponse:
        """Decides on posts that a licensee names by their ids."""
        arrived_at_us, principal = self._clock.now_us(), current_principal()
        check_request_id(request.request_id, arrived_at_us)
        asker = Asker(principal.party, principal.kind.value, request.request_id)
        asked = PostIds.of(request.license_id, request.purpose, request.post_ids)
        asking = Asking(asker, asked, arrived_at_us, current_trace_id())
        with counting.under_way():
            told = await self._told(await self._requests.request(asking), arrived_at_us)
        return pb.RequestReleaseResponse(decision=coarse(told))

    async def GetReleasedPosts(  # noqa: N802
        self, request: pb.GetReleasedPostsRequest, context: Any
    ) -> pb.GetReleasedPostsResponse:
        """What a decision released."""
        asked_at_us, caller = self._clock.now_us(), current_principal()
        served = await self._serving.released(
            request.decision_id,
            lambda asker: caller.kind in SEES_ALL or asker.is_served_by(caller.kind.value, caller.party),
        )
        return served_message(served, asked_at_us)

    async def ConfirmDelivery(  # noqa: N802
        self, request: pb.ConfirmDeliveryRequest, context: Any
    ) -> pb.ConfirmDeliveryResponse:
        caller = current_principal()
        delivery = await self._ledger.confirm(
            request.decision_id, caller.kind.value, caller.party, request.delivered
        )
        return pb.ConfirmDeliveryResponse(delivery=delivery_message(delivery))

    async def GetDecision(self, request: pb.GetDecisionRequest, context: Any) -> pb.GetDecisionResponse:  # noqa: N802
        asked_at_us, caller = self._clock.now_us(), current_principal()
        decision, delivery = await self._ledger.find(request.decision_id)
        own = decision.asker.is_asked_by(caller.kind.value, caller.party)
        if not own and caller.kind not in SEES_ALL:
            raise unknown_decision()
        answer = decision_message(decision, delivery, asked_at_us, replayed=True)
        if caller.kind is PrincipalKind.LICENSEE:
            return pb.GetDecisionResponse(decision=coarse(answer))
        if not own:
            answer.ClearField("salt")
            answer.delivery.confirmed_by = delivery.confirmed_by or ""
        if caller.kind is PrincipalKind.AUDITOR:
            answer.ClearField("reasons")
        return pb.GetDecisionResponse(decision=answer)

    async def ListDecisions(  # noqa: N802
        self, request: pb.ListDecisionsRequest, context: Any
    ) -> pb.ListDecisionsResponse:
        """A page of decisions."""
        below, limit = number_below(request.page_token), request.page_size or DEFAULT_PAGE_SIZE
        return list_message(await self._decisions.page(wanted_of(request), below, limit))

    async def CheckAttempts(  # noqa: N802
        self, request: pb.CheckAttemptsRequest, context: Any
    ) -> pb.CheckAttemptsResponse:
        """What became of attempts."""
        ended = await self._ledger.ended(request.reservation_ids)
        return pb.CheckAttemptsResponse(
            states=[_ATTEMPT_STATES[ended.get(id)] for id in request.reservation_ids]
        )


_ATTEMPT_STATES = {
    None: pb.ATTEMPT_STATE_UNKNOWN,
    Ending.CONCLUDED: pb.ATTEMPT_STATE_CONCLUDED,
    Ending.TOMBSTONED: pb.ATTEMPT_STATE_TOMBSTONED,
    Ending.LOST: pb.ATTEMPT_STATE_LOST,
}


def bolt(
    desk: ReleaseDesk,
    requests: RequestDesk,
    serving: ServingDesk,
    ledger: Ledger,
    decisions: Decisions,
    *,
    clock: Clock,
    sandbox: Sandbox,
) -> Bolt:
    """The service, ready to be served."""
    counting.begin()
    servicer = ReleaseServicer(desk, requests, serving, ledger, decisions, clock=clock, sandbox=sandbox)
    return Bolt(pb_grpc.add_ReleaseServiceServicer_to_server, servicer, FULL_NAME)
