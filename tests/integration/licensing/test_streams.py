"""Decisions on a stream: the same requests as single calls, each with its own answer or refusal."""

import asyncio
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from google.rpc import error_details_pb2, status_pb2

from services.chassis.channels import LARGEST_REQUEST_BYTES
from services.chassis.identity import PrincipalKind
from services.chassis.minting import TOKEN_LIFETIME_US
from services.chassis.refusals import Refusal
from services.licensing.desk import ReleaseDesk
from services.licensing.ledger import Ledger
from services.licensing.rpc import streams
from services.licensing.rpc.streams import IN_FLIGHT_EACH
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from tests.support.cluster import SECOND_US, Cluster, a_post
from tests.support.streams import a_request, decide_on_stream
from tests.support.waiting import PATIENCE_SECONDS, until

POST = a_post(101, 1)
RAW = "/sluice.licensing.v1.ReleaseService/DecideStream"


@pytest.fixture
def engine() -> str:
    return "sqlite"


def detail(status: status_pb2.Status, kind: Any) -> Any:
    """The detail of a kind that a refusal carries."""
    found = kind()
    assert any(each.Unpack(found) for each in status.details)
    return found


def reason(answer: pb.DecideStreamResponse) -> str:
    """Why a request was refused; "" where it was not."""
    if not answer.HasField("refusal"):
        return ""
    return str(detail(answer.refusal, error_details_pb2.ErrorInfo).reason)


async def test_a_request_is_the_same_on_a_stream_and_in_a_call(cluster: Cluster) -> None:
    first, second = a_request(cluster, [POST]), a_request(cluster, [a_post(102, 2)])
    called = await cluster.decide(request_id=first.request_id, posts=[POST])

    streamed = await decide_on_stream(cluster, [first, second])
    called_again = await cluster.decide(request_id=second.request_id, posts=[a_post(102, 2)])

    assert (streamed[0].decision.receipt, streamed[0].decision.replayed) == (called.receipt, True)
    assert not streamed[1].decision.replayed
    assert (called_again.receipt, called_again.replayed) == (streamed[1].decision.receipt, True)


async def test_one_id_twice_on_a_stream_is_one_decision(cluster: Cluster) -> None:
    request = a_request(cluster, [POST])

    answers = await decide_on_stream(cluster, [request] * 5)

    assert len({answer.decision.receipt for answer in answers}) == 1
    assert [answer.decision.replayed for answer in answers].count(False) == 1
    await cluster.outbox.deliver()
    assert await cluster.holds() == [answers[0].decision.reservation_id]


FAULTS: list[dict[str, Any]] = [
    {"license_id": ""},
    {"license_id": "not-there"},
    {"purpose": 0},
    {"request_id": "not-a-uuid"},
    {"posts": []},
    {"posts": [a_post(1, 1, language="x" * 36)]},
    {"posts": [POST] * 10_001},
]


async def test_a_faulty_request_is_refused_as_in_a_call_and_the_stream_goes_on(cluster: Cluster) -> None:
    requests = [a_request(cluster, **{"posts": [POST], **fault}) for fault in FAULTS]
    told = []
    for request in requests:
        with pytest.raises(Refusal) as refused:
            fields = {"license_id": request.license_id, "purpose": request.purpose}
            await cluster.decide(request.posts.posts, request.request_id, **fields)
        told.append(refused.value)

    answers = await decide_on_stream(cluster, [*requests, a_request(cluster, [POST])])

    assert [reason(answer) for answer in answers] == [*(each.reason for each in told), ""]
    assert [answer.request_id for answer in answers[:-1]] == [each.request_id for each in requests]
    fields_of = [
        [each.field for each in detail(answer.refusal, error_details_pb2.BadRequest).field_violations]
        for answer, each in zip(answers, told, strict=False)
        if each.violations
    ]
    assert fields_of == [
        [each.field for each in refusal.violations] for refusal in told if refusal.violations
    ]
    assert answers[-1].decision.outcome == pb.OUTCOME_RELEASED


async def answers_to(cluster: Cluster, *payloads: bytes) -> dict[int, pb.DecideStreamResponse]:
    """By their numbers, to messages that no stub of ours would send."""
    token = cluster.licensing.token(PrincipalKind.PIPELINE, "firehose")
    async with grpc.aio.insecure_channel(cluster.licensing.address) as channel:
        call: Any = channel.stream_stream(RAW)(metadata=[("authorization", f"Bearer {token}")])
        for payload in payloads:
            await call.write(payload)
        await call.done_writing()
        answers = [pb.DecideStreamResponse.FromString(answer) async for answer in call]
    return {answer.number: answer for answer in answers}


async def test_bytes_that_are_no_request_are_told_by_their_number_and_the_stream_goes_on(
    cluster: Cluster,
) -> None:
    good = pb.DecideStreamRequest(request=a_request(cluster, [POST])).SerializeToString()

    by_number = await answers_to(cluster, b"\x0a\x05abc", b"\x0a\x02\x0a\x05", good)

    assert [reason(by_number[number]) for number in (1, 2, 3)] == ["REQUEST_UNREADABLE"] * 2 + [""]
    assert by_number[1].request_id == ""


async def test_messages_of_nothing_but_fields_are_refused_and_the_stream_goes_on(cluster: Cluster) -> None:
    # What cannot be read stands at their end: a walk through two million fields would have come upon it.
    size = LARGEST_REQUEST_BYTES // 2 - 8
    around = b"\x0a\x00" * size + b"\x0b"
    inside = BytesValue(value=around).SerializeToString()
    good = pb.DecideStreamRequest(request=a_request(cluster, [POST])).SerializeToString()

    by_number = await answers_to(cluster, around, inside, good)

    assert [reason(by_number[number]) for number in (1, 2, 3)] == ["INVALID_REQUEST"] * 2 + [""]


async def test_a_defect_in_one_decision_says_nothing_of_it_and_leaves_the_others(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, failing = ReleaseDesk.decide, a_request(cluster, [POST])

    async def fail_once(desk: ReleaseDesk, request: Any) -> Any:
        if request.asker.request_id == failing.request_id:
            raise LookupError("something secret")
        return await decide(desk, request)

    monkeypatch.setattr(ReleaseDesk, "decide", fail_once)

    refused, decided = await decide_on_stream(cluster, [failing, a_request(cluster, [POST])])

    assert (reason(refused), refused.request_id) == ("INTERNAL", failing.request_id)
    assert "secret" not in str(refused)
    assert decided.decision.outcome == pb.OUTCOME_RELEASED


@pytest.mark.parametrize("kind", [kind for kind in PrincipalKind if kind is not PrincipalKind.PIPELINE])
async def test_only_a_pipeline_may_open_a_stream_of_decisions(cluster: Cluster, kind: PrincipalKind) -> None:
    peer = cluster.licensing.peer(kind, "acme", ["admin"])

    with pytest.raises(Refusal) as refused:
        async with peer.open(ReleaseServiceStub(peer.channel).DecideStream) as stream:
            await stream.receive()

    assert refused.value.reason == "NOT_ADMITTED"


async def test_a_stream_ends_in_good_order_when_the_token_that_opened_it_would_be_refused(
    cluster: Cluster,
) -> None:
    token = cluster.licensing.token(PrincipalKind.PIPELINE, "firehose")
    cluster.clock.advance(TOKEN_LIFETIME_US - 1_500_000)
    async with (
        grpc.aio.insecure_channel(cluster.licensing.address) as channel,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        call: Any = channel.stream_stream(RAW)(metadata=[("authorization", f"Bearer {token}")])
        await call.write(pb.DecideStreamRequest(request=a_request(cluster, [POST])).SerializeToString())
        answers = [pb.DecideStreamResponse.FromString(answer) async for answer in call]
        code = await call.code()

    assert [answer.decision.outcome for answer in answers] == [pb.OUTCOME_RELEASED]
    assert code is grpc.StatusCode.OK


async def test_a_caller_who_only_sends_is_not_read_further_than_the_bound(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, answer = 0, streams.DecisionStreams._answer

    async def count(decisions: Any, sent: Any) -> Any:
        nonlocal read
        read += 1
        # Larger than the connection takes without its reader: the first answers fill it.
        response = await answer(decisions, sent)
        response.decision.receipt = "x" * 1_000_000
        return response

    monkeypatch.setattr(streams.DecisionStreams, "_answer", count)
    peer = cluster.licensing.peer(PrincipalKind.PIPELINE, "firehose")
    async with peer.open(ReleaseServiceStub(peer.channel).DecideStream) as stream:
        sending = asyncio.create_task(send_for_ever(stream, a_request(cluster, [POST])))
        await until(lambda: read >= IN_FLIGHT_EACH, "the bound is reached")
        # A call that is answered shows that the process has had its turns meanwhile.
        for _ in range(20):
            await cluster.decide([a_post(102, 2)])
        most = read
        sending.cancel()

    # What the connection holds by itself was taken away; 64 KiB and a message on either side.
    assert IN_FLIGHT_EACH <= most <= IN_FLIGHT_EACH + 8


async def send_for_ever(stream: Any, request: pb.DecideRequest) -> None:
    while True:
        await stream.send(pb.DecideStreamRequest(request=request))


async def test_a_stream_that_breaks_leaves_each_decision_whole_or_not_made(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [a_request(cluster, [a_post(100 + n, n)]) for n in range(1, 6)]
    conclude, concluding = Ledger.conclude, asyncio.Event()

    async def tell(ledger: Ledger, *args: Any) -> Any:
        concluding.set()
        return await conclude(ledger, *args)

    monkeypatch.setattr(Ledger, "conclude", tell)
    peer = cluster.licensing.peer(PrincipalKind.PIPELINE, "firehose")
    async with peer.open(ReleaseServiceStub(peer.channel).DecideStream) as stream:
        for request in requests:
            await stream.send(pb.DecideStreamRequest(request=request))
        await concluding.wait()

    again = await decide_on_stream(cluster, requests)
    cluster.clock.advance(61 * SECOND_US)
    await cluster.sweeper.sweep()
    await cluster.outbox.deliver()

    assert [answer.decision.outcome for answer in again] == [pb.OUTCOME_RELEASED] * 5
    settled = [await cluster.reservation(answer.decision.reservation_id) for answer in again]
    assert [reservation.posts_settled for reservation in settled] == [1] * 5
    assert await cluster.holds() == []
