"""What the requests of streams share, and what each has for itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import any_pb2
from prometheus_client import REGISTRY

from services.chassis import deadlines
from services.chassis.deadlines import DEFAULT_DEADLINE_US, remaining_us, within
from services.chassis.ending import Ending
from services.chassis.refusals import unavailable
from services.chassis.tracing import server_span
from services.licensing.rpc import streams
from services.licensing.rpc.streams import BYTES_EACH, BYTES_OF_ALL, EACH, IN_FLIGHT_EACH, DecisionStreams
from sluice.licensing.v1 import release_service_pb2 as pb
from tests.support.clock import ManualClock
from tests.support.telemetry import recording, spans_in
from tests.support.waiting import PATIENCE_SECONDS


def payload(request_id: str = "a") -> bytes:
    request = pb.DecideRequest(request_id=request_id, license_id="acme")
    return pb.DecideStreamRequest(request=request).SerializeToString()


def heavy(size: int) -> bytes:
    """A request with a field of so many bytes beside it, which is passed over."""
    return payload() + any_pb2.Any(value=bytes(size)).SerializeToString()


async def each(request_ids: Iterable[str]) -> AsyncIterator[bytes]:
    for request_id in request_ids:
        yield payload(request_id)


def sent(count: int) -> AsyncIterator[bytes]:
    return each(map(str, range(1, count + 1)))


class Desk:
    """Decides when it is told to, and knows how many wait for it."""

    def __init__(self) -> None:
        self.at_once = self.most_at_once = 0
        self.left_us: list[int | None] = []

    async def decide(self, request: pb.DecideRequest) -> pb.Decision:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.left_us.append(remaining_us())
        await asyncio.sleep(0)
        self.at_once -= 1
        return pb.Decision(request_id=request.request_id)


async def test_every_request_is_answered_under_its_id_and_its_number() -> None:
    answers = [answer async for answer in DecisionStreams(Desk().decide).answers(sent(100))]

    told = sorted((answer.number, answer.request_id, answer.decision.request_id) for answer in answers)
    assert told == [(number, str(number), str(number)) for number in range(1, 101)]


async def test_one_stream_has_no_more_than_its_own_places() -> None:
    desk = Desk()

    async for _ in DecisionStreams(desk.decide).answers(sent(200)):
        continue

    assert desk.most_at_once == IN_FLIGHT_EACH


async def test_all_streams_together_have_no_more_than_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "IN_FLIGHT_OF_ALL", 5)
    desk = Desk()
    decisions = DecisionStreams(desk.decide)

    async def taken() -> int:
        return len([answer async for answer in decisions.answers(sent(40))])

    assert await asyncio.gather(*(taken() for _ in range(3))) == [40, 40, 40]
    assert desk.most_at_once == 5


async def test_all_streams_together_work_on_no_more_bytes_than_they_may() -> None:
    desk = Desk()
    decisions = DecisionStreams(desk.decide)

    async def large() -> AsyncIterator[bytes]:
        for _ in range(8):
            yield heavy(BYTES_OF_ALL // 4)

    async def taken() -> int:
        return len([answer async for answer in decisions.answers(large())])

    assert await asyncio.gather(*(taken() for _ in range(3))) == [8, 8, 8]
    assert 1 <= desk.most_at_once <= 3


async def test_a_caller_who_takes_nothing_is_read_no_further_than_its_bytes_allow() -> None:
    read = 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield heavy(BYTES_EACH // 4)

    async with contextlib.aclosing(DecisionStreams(Desk().decide).answers(large())) as answers:
        await anext(answers)
        for _ in range(100):
            await asyncio.sleep(0)

    # Three fit, with what is around them; of one more is known how large it is.
    assert read == 4


async def test_what_is_too_long_for_an_id_is_not_said_again() -> None:
    long, longest = "x" * 100_000, "y" * 36

    answers = [answer async for answer in DecisionStreams(Desk().decide).answers(each([long, longest]))]

    assert sorted((answer.number, answer.request_id) for answer in answers) == [(1, ""), (2, longest)]
    assert answers[0].refusal.message == "the request breaks a rule of its contract"


async def test_each_request_has_a_deadline_of_its_own_and_none_beyond_that_of_its_stream() -> None:
    free, bound = Desk(), Desk()

    async for _ in DecisionStreams(free.decide).answers(sent(1)):
        continue
    with within(2_000_000):
        async for _ in DecisionStreams(bound.decide).answers(sent(1)):
            continue

    assert free.left_us[0] is not None
    assert DEFAULT_DEADLINE_US - 5_000_000 < free.left_us[0] <= DEFAULT_DEADLINE_US
    assert bound.left_us[0] is not None
    assert bound.left_us[0] <= 2_000_000


async def one_and_then_silence() -> AsyncIterator[bytes]:
    yield payload()
    await asyncio.Event().wait()


async def test_a_request_that_waits_for_room_is_given_no_more_time_than_its_stream_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streams, "IN_FLIGHT_OF_ALL", 1)
    clock = ManualClock()
    monkeypatch.setattr(deadlines, "_monotonic_us", clock.now_us)
    left_us: list[int | None] = []

    async def decide(request: pb.DecideRequest) -> pb.Decision:
        left_us.append(remaining_us())
        for _ in range(10):
            # The next one is read meanwhile.
            await asyncio.sleep(0)
        clock.advance(500_000)
        return pb.Decision()

    with within(2_000_000):
        async for _ in DecisionStreams(decide).answers(sent(3)):
            continue

    assert left_us == [2_000_000, 1_500_000, 1_000_000]


async def test_a_stream_that_is_open_for_long_enough_ends_in_good_order() -> None:
    decisions = DecisionStreams(Desk().decide, longest_seconds=0.05)

    answers = [answer async for answer in decisions.answers(one_and_then_silence())]

    assert [answer.number for answer in answers] == [1]


async def test_a_stream_is_read_for_no_longer_than_the_token_of_its_caller_is_good() -> None:
    decisions = DecisionStreams(Desk().decide)

    async with asyncio.timeout(PATIENCE_SECONDS):
        answers = [answer async for answer in decisions.answers(one_and_then_silence(), 50_000)]
        nothing = [answer async for answer in decisions.answers(sent(5), 0)]

    assert [answer.number for answer in answers] == [1]
    assert nothing == []


async def test_what_is_begun_when_the_process_is_told_to_stop_is_answered() -> None:
    ending, begun, told = Ending(), asyncio.Event(), asyncio.Event()

    async def decide(request: pb.DecideRequest) -> pb.Decision:
        begun.set()
        await told.wait()
        return pb.Decision(request_id=request.request_id)

    async def taken() -> list[str]:
        answers = DecisionStreams(decide).answers(ending.until(one_and_then_silence()))
        return [answer.decision.request_id async for answer in answers]

    taking = asyncio.create_task(taken())
    await begun.wait()
    ending.come()
    await asyncio.sleep(0)
    told.set()

    assert await asyncio.wait_for(taking, PATIENCE_SECONDS) == ["a"]


def counted(code: str) -> float:
    """Requests of streams so far that were answered with a status code."""
    labels = {"method": EACH, "code": code}
    return REGISTRY.get_sample_value("sluice_rpc_calls_total", labels) or 0


def timed() -> float:
    """Requests of streams so far that were timed."""
    return REGISTRY.get_sample_value("sluice_rpc_seconds_count", {"method": EACH}) or 0


async def test_whoever_watches_sees_each_answer_with_its_status_code() -> None:
    async def decide(request: pb.DecideRequest) -> pb.Decision:
        match int(request.request_id) % 3:
            case 0:
                raise unavailable("PEER_UNAVAILABLE", "metering did not answer")
            case 1:
                raise LookupError("lost the thread")
        return pb.Decision()

    codes = ("OK", "UNAVAILABLE", "INTERNAL")
    before, timed_before = [counted(code) for code in codes], timed()

    async for _ in DecisionStreams(decide).answers(sent(7)):
        continue

    assert [counted(code) - was for code, was in zip(codes, before, strict=True)] == [2, 2, 3]
    assert timed() - timed_before == 7


async def test_each_request_has_a_trace_of_its_own_that_leads_to_its_stream(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"

    with recording(path), server_span("a.Service/Stream", {}):
        async for _ in DecisionStreams(Desk().decide).answers(sent(2)):
            continue

    spans = spans_in(path)
    (stream,) = [span for span in spans if span["name"] == "a.Service/Stream"]
    requests = [span for span in spans if span["name"] == EACH]
    assert len({span["traceId"] for span in [stream, *requests]}) == 3
    assert not any("parentSpanId" in span for span in requests)
    assert [(link["traceId"], link["spanId"]) for span in requests for link in span["links"]] == [
        (stream["traceId"], stream["spanId"])
    ] * 2


async def test_a_refusal_says_when_to_come_back_as_a_call_does() -> None:
    async def refuse(_request: Any) -> pb.Decision:
        raise unavailable("PEER_UNAVAILABLE", "metering did not answer", retry_after_us=1_500_000)

    (answer,) = [answer async for answer in DecisionStreams(refuse).answers(sent(1))]

    assert answer.WhichOneof("answer") == "refusal"
    assert (answer.refusal.code, answer.refusal.message) == (14, "metering did not answer")
    assert len(answer.refusal.details) == 2
