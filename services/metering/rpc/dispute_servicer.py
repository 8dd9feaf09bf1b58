"""DisputeService as gRPC sees it."""

from typing import Any, TypeAlias, cast

from google.type.money_pb2 import Money
from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.replays import checked_replay_key
from services.metering.disputes import Disputes, Notice, Step, Wanted
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.disputes import Standing
from services.metering.rpc.answers import timestamp
from services.metering.rpc.damages_messages import money_of, state_message
from services.metering.rpc.requests import number_of, number_token, time_us
from sluice.metering.v1 import dispute_pb2
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceServicer

SERVICE = "sluice.metering.v1.DisputeService"
A_PAGE = 100
"""Steps or notices on a page when the caller does not say."""

_Context: TypeAlias = ServicerContext[Any, Any]


class DisputeServicer(DisputeServiceServicer):
    """Translates between the contract and the store."""

    def __init__(self, disputes: Disputes, clock: Clock) -> None:
        self._disputes = disputes
        self._clock = clock

    async def ProposeStep(  # noqa: N802
        self, request: pb.ProposeStepRequest, context: _Context
    ) -> pb.ProposeStepResponse:
        """Puts a proposal on record."""
        key = checked_replay_key("ProposeStep", request, self._clock.now_us())
        return pb.ProposeStepResponse(step=_step(await self._disputes.propose(_wanted(request), key)))

    async def DecideStep(  # noqa: N802
        self, request: pb.DecideStepRequest, context: _Context
    ) -> pb.DecideStepResponse:
        """Approves or rejects."""
        key = checked_replay_key("DecideStep", request, self._clock.now_us())
        step = _step(
            await self._disputes.decide(request.proposal_id, request.reason, key, approve=request.approve)
        )
        return pb.DecideStepResponse(
            step=step, state=step.after.state, amount_in_force=step.after.amount_in_force
        )

    async def ListSteps(self, request: pb.ListStepsRequest, context: _Context) -> pb.ListStepsResponse:  # noqa: N802
        """Steps, page by page."""
        size, before = request.page_size or A_PAGE, number_of(request.page_token)
        found = await self._disputes.steps(request.assessment_id, before, size + 1)
        following = found[size - 1].proposal.number if len(found) > size else None
        return pb.ListStepsResponse(
            steps=[_step(each) for each in found[:size]], next_page_token=number_token(following)
        )

    async def RecordNotice(  # noqa: N802
        self, request: pb.RecordNoticeRequest, context: _Context
    ) -> pb.RecordNoticeResponse:
        """Puts a notice on record."""
        key = checked_replay_key("RecordNotice", request, self._clock.now_us())
        given = request.notice
        sent_us = time_us(given.sent_at, "notice.sent_at")
        notice = Notice(0, given.party_id, sent_us, given.how, given.digest, "", 0)
        kept = await self._disputes.notice(request.assessment_id, notice, key)
        return pb.RecordNoticeResponse(notice=_notice(kept))

    async def ListNotices(  # noqa: N802
        self, request: pb.ListNoticesRequest, context: _Context
    ) -> pb.ListNoticesResponse:
        """Notices, page by page."""
        size, before = request.page_size or A_PAGE, number_of(request.page_token)
        found = await self._disputes.notices(request.assessment_id, before, size + 1)
        following = found[size - 1].number if len(found) > size else None
        return pb.ListNoticesResponse(
            notices=[_notice(each) for each in found[:size]], next_page_token=number_token(following)
        )


def _wanted(request: pb.ProposeStepRequest) -> Wanted:
    amount: Money | None = request.amount if request.HasField("amount") else None
    given = None if amount is None else (amount.currency_code, amount.units, amount.nanos)
    return Wanted(request.assessment_id, request.kind, request.reason, given)


def _step(step: Step) -> dispute_pb2.DisputeStep:
    proposal = step.proposal
    return dispute_pb2.DisputeStep(
        proposal_id=proposal.proposal_id,
        assessment_id=proposal.subject,
        kind=cast(dispute_pb2.DisputeStepKind, int(step.step.kind)),
        reason=proposal.reason,
        amount=None if step.step.amount is None else money_of(step.step.amount, step.rate),
        state=cast(dispute_pb2.ProposalState, int(proposal.state)),
        proposed_by=proposal.proposed_by,
        proposed_at=timestamp(proposal.proposed_us),
        decided_by=proposal.decided_by,
        decided_at=timestamp(proposal.decided_us),
        decision_reason=proposal.decision_reason,
        before=None if step.change is None else _standing(step.change.before, step.rate),
        after=None if step.change is None else _standing(step.change.after, step.rate),
    )


def _standing(standing: Standing, rate: Rate) -> dispute_pb2.AssessmentStanding:
    amount = money_of(standing.in_force, rate)
    return dispute_pb2.AssessmentStanding(state=state_message(standing), amount_in_force=amount)


def _notice(notice: Notice) -> dispute_pb2.DamagesNotice:
    return dispute_pb2.DamagesNotice(
        party_id=notice.party_id,
        sent_at=timestamp(notice.sent_us),
        how=notice.how,
        digest=notice.digest,
        recorded_by=notice.recorded_by,
        recorded_at=timestamp(notice.recorded_us),
    )
