"""DisputeService over gRPC: what becomes of an assessment is decided by two (D4)."""

import asyncio
from typing import Any

import pytest
from google.type.money_pb2 import Money
from sqlalchemy import text

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from sluice.metering.v1 import damages_pb2, dispute_pb2
from sluice.metering.v1 import damages_service_pb2 as damages
from sluice.metering.v1 import dispute_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assistant
from sluice.metering.v1.dispute_service_pb2_grpc import DisputeServiceStub
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.clock import ManualClock
from tests.support.damages_caller import START_US, DamagesCaller, a_scope
from tests.support.grpc import LocalServer
from tests.support.metering import an_id

DISPUTE, UPHOLD = dispute_pb2.DISPUTE_STEP_KIND_DISPUTE, dispute_pb2.DISPUTE_STEP_KIND_UPHOLD
REDUCE, WITHDRAW = dispute_pb2.DISPUTE_STEP_KIND_REDUCE, dispute_pb2.DISPUTE_STEP_KIND_WITHDRAW


class DisputeCaller(DamagesCaller):
    """Two operators, Lena and Omar."""

    def __init__(self, server: LocalServer, clock: ManualClock) -> None:
        super().__init__(server, clock)
        self.other = server.peer(PrincipalKind.OPERATOR, "omar", roles=("legal",))
        self.disputes = DisputeServiceStub(self.peer.channel)
        self.others = DisputeServiceStub(self.other.channel)

    async def an_assessment(self, party_id: str = "acme") -> str:
        """Of $30,000, with somebody who assisted."""
        await self.put()
        await self.took(1, 2_000_000, party_id)
        helper = Assistant(party_id="helper", how="lent its accounts")
        scope = a_scope(of=UsageOf(party_id=party_id), assisted=[helper])
        return (await self.record(scope)).assessment_id

    async def propose(
        self, id: str, kind: Any, dollars: int | None = None, **more: Any
    ) -> dispute_pb2.DisputeStep:
        """By Lena."""
        amount = None if dollars is None else Money(currency_code="USD", units=dollars)
        given = {"request_id": self.new_id(), "reason": "as discussed", "amount": amount} | more
        request = pb.ProposeStepRequest(assessment_id=id, kind=kind, **given)
        return (await self.peer.call(self.disputes.ProposeStep, request)).step

    async def decide(self, proposal_id: str, *, approve: bool = True, **more: Any) -> pb.DecideStepResponse:
        """By Omar."""
        more.setdefault("request_id", self.new_id())
        request = pb.DecideStepRequest(proposal_id=proposal_id, approve=approve, **more)
        return await self.other.call(self.others.DecideStep, request)

    async def step(self, id: str, kind: Any, dollars: int | None = None) -> pb.DecideStepResponse:
        """By both."""
        return await self.decide((await self.propose(id, kind, dollars)).proposal_id)

    async def stands(self, id: str) -> tuple[str, int]:
        """State and dollars in force."""
        found = await self.get(id)
        name = damages_pb2.AssessmentState.Name(found.state).removeprefix("ASSESSMENT_STATE_")
        return name, int(found.amount_in_force.units)

    async def reason(self, call: Any) -> str:
        """Why it is refused."""
        with pytest.raises(Refusal) as refused:
            await call
        return refused.value.reason


@pytest.fixture
def call(server: LocalServer, clock: ManualClock) -> DisputeCaller:
    return DisputeCaller(server, clock)


async def test_d4_a_dispute_takes_effect_when_a_second_operator_approves_it(call: DisputeCaller) -> None:
    id = await call.an_assessment()

    proposed = await call.propose(id, DISPUTE)
    before = await call.stands(id)
    decided = await call.decide(proposed.proposal_id, reason="agreed")

    assert (before, await call.stands(id)) == (("RECORDED", 30_000), ("DISPUTED", 30_000))
    assert decided.state == damages_pb2.ASSESSMENT_STATE_DISPUTED
    assert (decided.step.proposed_by, decided.step.decided_by) == ("operator:lena", "operator:omar")
    assert (decided.step.reason, decided.step.decision_reason) == ("as discussed", "agreed")


async def test_d4_a_dispute_ends_upheld_reduced_or_withdrawn(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    stood = []

    for kind, dollars in (
        (DISPUTE, None),
        (UPHOLD, None),
        (DISPUTE, None),
        (REDUCE, 12_000),
        (WITHDRAW, None),
    ):
        await call.step(id, kind, dollars)
        stood.append(await call.stands(id))

    assert stood == [
        ("DISPUTED", 30_000),
        ("UPHELD", 30_000),
        ("DISPUTED", 30_000),
        ("REDUCED", 12_000),
        ("WITHDRAWN", 0),
    ]
    assert (await call.get(id)).amount.units == 30_000


async def test_d4_nobody_approves_their_own(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    proposed = await call.propose(id, WITHDRAW)
    own = pb.DecideStepRequest(request_id=call.new_id(), proposal_id=proposed.proposal_id, approve=True)

    assert await call.reason(call.peer.call(call.disputes.DecideStep, own)) == "SAME_OPERATOR"

    assert await call.stands(id) == ("RECORDED", 30_000)
    own.request_id, own.approve = call.new_id(), False
    answer = await call.peer.call(call.disputes.DecideStep, own)
    assert answer.step.state == dispute_pb2.PROPOSAL_STATE_REJECTED


async def test_d4_nothing_follows_a_withdrawal(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    await call.step(id, WITHDRAW)

    for kind in (DISPUTE, UPHOLD, WITHDRAW):
        assert await call.reason(call.propose(id, kind)) == "ASSESSMENT_WITHDRAWN"
    assert await call.reason(call.propose(id, REDUCE, 1)) == "ASSESSMENT_WITHDRAWN"


async def test_d4_what_two_decided_is_not_undone_by_one_who_records_it_again(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    await call.step(id, DISPUTE)
    await call.step(id, REDUCE, 12_000)
    end_us = START_US + 30 * ROLLING_DAY_US
    overlapping = a_scope(end_us - 1, end_us + HOUR_US)

    refused = [await call.reason(call.record(scope)) for scope in (a_scope(), overlapping)]
    after = await call.record(a_scope(end_us, end_us + HOUR_US))
    await call.step(id, WITHDRAW)
    again = await call.record()

    assert refused == ["ASSESSMENT_OVERLAPS"] * 2
    assert (after.amount.units, again.amount.units) == (0, 30_000)


async def test_of_two_that_are_recorded_at_once_one_is_on_record(call: DisputeCaller) -> None:
    await call.put()
    await call.took(1, 2_000_000)

    answers = await asyncio.gather(*(call.record() for _ in "ab"), return_exceptions=True)

    (refused,) = (each for each in answers if isinstance(each, Refusal))
    (kept,) = (each for each in answers if isinstance(each, damages_pb2.Assessment))
    assert refused.reason == "ASSESSMENT_OVERLAPS"
    assert kept.assessment_id in refused.message


@pytest.mark.parametrize(
    ("kind", "amount", "reason"),
    [
        (REDUCE, None, "AMOUNT_INVALID"),
        (REDUCE, Money(currency_code="USD", units=30_000), "AMOUNT_INVALID"),
        (REDUCE, Money(currency_code="USD", units=-1), "AMOUNT_INVALID"),
        (REDUCE, Money(currency_code="EUR", units=1), "AMOUNT_INVALID"),
        (REDUCE, Money(currency_code="USD", nanos=1), "AMOUNT_INVALID"),
        (UPHOLD, Money(currency_code="USD", units=1), "AMOUNT_INVALID"),
        (DISPUTE, None, "STEP_NOT_POSSIBLE"),
    ],
)
async def test_a_step_that_cannot_be_is_refused(
    call: DisputeCaller, kind: Any, amount: Money | None, reason: str
) -> None:
    id = await call.an_assessment()
    await call.step(id, DISPUTE)

    assert await call.reason(call.propose(id, kind, amount=amount)) == reason


async def test_a_rejected_step_changes_nothing_and_makes_room_for_another(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    proposed = await call.propose(id, WITHDRAW)

    pending = await call.reason(call.propose(id, DISPUTE))
    await call.decide(proposed.proposal_id, approve=False, reason="not yet")
    again = await call.reason(call.decide(proposed.proposal_id))

    assert (pending, again) == ("STEP_PENDING", "PROPOSAL_DECIDED")
    assert await call.stands(id) == ("RECORDED", 30_000)
    assert (await call.step(id, DISPUTE)).state == damages_pb2.ASSESSMENT_STATE_DISPUTED


async def test_repeating_a_call_gives_its_first_answer(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    first, second = call.new_id(), call.new_id()

    proposed = await call.propose(id, DISPUTE, request_id=first)
    decided = await call.decide(proposed.proposal_id, request_id=second)
    await call.step(id, UPHOLD)

    assert await call.propose(id, DISPUTE, request_id=first) == proposed
    assert await call.decide(proposed.proposal_id, request_id=second) == decided


async def test_d4_steps_say_what_they_changed(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    await call.step(id, DISPUTE)
    rejected = await call.propose(id, REDUCE, 1)
    await call.decide(rejected.proposal_id, approve=False)
    await call.step(id, REDUCE, 12_000)
    waiting = await call.propose(id, WITHDRAW)

    (page,) = await call.pages(call.disputes.ListSteps, pb.ListStepsRequest(assessment_id=id))

    def stood(standing: dispute_pb2.AssessmentStanding) -> tuple[str, int]:
        return damages_pb2.AssessmentState.Name(standing.state)[17:], int(standing.amount_in_force.units)

    assert page.steps[0] == waiting
    assert not waiting.HasField("before") and not waiting.HasField("after")
    assert [(stood(each.before), stood(each.after)) for each in page.steps[1:]] == [
        (("DISPUTED", 30_000), ("REDUCED", 12_000)),
        (("DISPUTED", 30_000), ("DISPUTED", 30_000)),
        (("RECORDED", 30_000), ("DISPUTED", 30_000)),
    ]


async def test_of_two_that_decide_at_once_one_does(call: DisputeCaller) -> None:
    id = await call.an_assessment()
    proposed = await call.propose(id, WITHDRAW)

    answers = await asyncio.gather(
        *(call.decide(proposed.proposal_id, approve=approve) for approve in (True, False, True)),
        return_exceptions=True,
    )

    refused = [each.reason for each in answers if isinstance(each, Refusal)]
    assert refused == ["PROPOSAL_DECIDED"] * 2


async def test_steps_are_listed_latest_first_and_those_that_wait(call: DisputeCaller) -> None:
    first, second = await call.an_assessment(), await call.an_assessment("beta")
    done = [(await call.step(first, kind)).step.proposal_id for kind in (DISPUTE, UPHOLD, DISPUTE)]
    waiting = [(await call.propose(id, WITHDRAW)).proposal_id for id in (first, second)]

    of_first = await call.pages(
        call.disputes.ListSteps, pb.ListStepsRequest(assessment_id=first, page_size=3)
    )
    queue = await call.pages(call.disputes.ListSteps, pb.ListStepsRequest(page_size=1))

    assert [each.proposal_id for page in of_first for each in page.steps] == [waiting[0], *done[::-1]]
    assert [each.proposal_id for page in queue for each in page.steps] == waiting[::-1]


async def test_notices_to_those_who_are_named_are_on_record(call: DisputeCaller) -> None:
    id = await call.an_assessment()

    async def notice(party_id: str, ahead_us: int = 0) -> dispute_pb2.DamagesNotice:
        given = dispute_pb2.DamagesNotice(party_id=party_id, how="by courier, 1Z999", digest=b"\1" * 32)
        given.sent_at.FromMicroseconds(call.now_us() + ahead_us)
        request = pb.RecordNoticeRequest(request_id=call.new_id(), assessment_id=id, notice=given)
        return (await call.peer.call(call.disputes.RecordNotice, request)).notice

    kept = [await notice(party_id) for party_id in ("acme", "helper", "acme")]
    other = await call.reason(notice("other"))
    ahead = await call.reason(notice("acme", HOUR_US))

    pages = await call.pages(call.disputes.ListNotices, pb.ListNoticesRequest(assessment_id=id, page_size=2))
    assert [each for page in pages for each in page.notices] == kept[::-1]
    assert kept[0].recorded_by == "operator:lena"
    assert (other, ahead) == ("PARTY_NOT_LIABLE", "NOTICE_IN_THE_FUTURE")


async def test_what_is_not_there_is_not_found(call: DisputeCaller) -> None:
    nothing = an_id(1)

    reasons = [
        await call.reason(call.propose(nothing, DISPUTE)),
        await call.reason(call.decide(nothing)),
        await call.reason(
            call.peer.call(call.disputes.ListNotices, pb.ListNoticesRequest(assessment_id=nothing))
        ),
    ]

    assert reasons == ["ASSESSMENT_UNKNOWN", "PROPOSAL_UNKNOWN", "ASSESSMENT_UNKNOWN"]


async def test_lists_and_disputes_read_no_document(call: DisputeCaller, database: Database) -> None:
    id = await call.an_assessment()
    recorded = await call.get(id)
    await database.write(
        lambda connection: connection.execute(text("UPDATE assessments SET document = 'unread'"))
    )

    await call.step(id, DISPUTE)
    await call.step(id, REDUCE, 20_000)
    notice = dispute_pb2.DamagesNotice(party_id="helper", how="by post", digest=b"\1" * 32)
    notice.sent_at.FromMicroseconds(call.now_us())
    request = pb.RecordNoticeRequest(request_id=call.new_id(), assessment_id=id, notice=notice)
    await call.peer.call(call.disputes.RecordNotice, request)
    page = await call.peer.call(call.stub.ListAssessments, damages.ListAssessmentsRequest())

    (listed,) = page.assessments
    assert (listed.state, listed.amount_in_force.units) == (damages_pb2.ASSESSMENT_STATE_REDUCED, 20_000)
    assert (listed.digest, listed.evidence) == (recorded.digest, recorded.evidence)
    assert (listed.policy, listed.scope, listed.amount) == (recorded.policy, recorded.scope, recorded.amount)
    assert not (listed.periods or listed.readings or listed.members or listed.liable)


async def test_finance_may_look_and_not_claim(
    call: DisputeCaller, server: LocalServer, database: Database
) -> None:
    id = await call.an_assessment()
    finance = server.peer(PrincipalKind.OPERATOR, "fay", roles=("finance",))
    request = pb.ProposeStepRequest(request_id=call.new_id(), assessment_id=id, kind=WITHDRAW, reason="x")

    async with finance.open(call.stub.GetAssessment, damages.GetAssessmentRequest(assessment_id=id)) as parts:
        found = [part.assessment.assessment_id async for part in parts]

    assert found == [id]
    assert (
        await call.reason(finance.call(DisputeServiceStub(finance.channel).ProposeStep, request))
        == "NOT_ADMITTED"
    )
