"""Calls to a peer: shaved deadlines, tries where nobody answered, and one trace over both sides."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.chassis.deadlines import within
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal, unavailable
from services.chassis.telemetry import current_trace_id, tracer
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.grpc import LocalServer, serving
from tests.support.telemetry import recording

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, echo.bolt(), admissions=ADMISSIONS) as local:
        yield local


@pytest.fixture
def peer(server: LocalServer) -> Peer:
    return server.peer(PrincipalKind.PIPELINE)


async def ask(peer: Peer, method: str, at_most_us: int | None = None) -> bytes:
    answer: bytes = await peer.call(
        peer.channel.unary_unary(f"/{NAME}/{method}"), b"hello", at_most_us=at_most_us
    )
    return answer


async def refused(peer: Peer, method: str, at_most_us: int | None = None) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await ask(peer, method, at_most_us)
    return caught.value


async def test_a_peer_gets_a_tenth_less_time_than_its_caller_has(peer: Peer) -> None:
    with within(100_000_000):
        left_us = int(await ask(peer, "Left", at_most_us=100_000_000))

    # gRPC rounds up what it sends.
    assert 0 < left_us < 92_000_000


async def test_a_peer_gets_no_more_time_than_the_call_may_take(peer: Peer) -> None:
    with within(60_000_000):
        left_us = int(await ask(peer, "Left", at_most_us=2_000_000))

    # gRPC rounds up what it sends.
    assert 0 < left_us < 2_100_000


async def test_a_call_without_a_deadline_gets_the_default(server: LocalServer) -> None:
    token = server.token(PrincipalKind.PIPELINE)
    async with grpc.aio.insecure_channel(server.address) as channel:
        left: Any = channel.unary_unary(f"/{NAME}/Left")
        left_us = int(await left(b"", metadata=[("authorization", f"Bearer {token}")]))

    assert 0 < left_us <= 10_000_000


async def test_without_time_left_nobody_is_asked(peer: Peer, echo: Echo) -> None:
    with within(500):
        refusal = await refused(peer, "Say")

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "DEADLINE_TOO_SHORT")
    assert echo.asked == 0


async def test_what_nobody_answered_is_tried_again(peer: Peer, echo: Echo) -> None:
    echo.failures = [UNAVAILABLE, grpc.StatusCode.CANCELLED]

    assert await ask(peer, "Say") == b"hello"
    assert echo.asked == 3


async def test_after_three_tries_the_peer_did_not_answer(peer: Peer, echo: Echo) -> None:
    echo.failures = [UNAVAILABLE] * 4

    refusal = await refused(peer, "Say")

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")
    assert refusal.message == "the server under test did not answer"
    assert echo.asked == 3


@pytest.mark.parametrize("reason", ["DATABASE_UNAVAILABLE", "PEER_UNAVAILABLE", "COMMIT_UNKNOWN"])
async def test_a_peer_that_says_why_it_refuses_is_asked_once(peer: Peer, echo: Echo, reason: str) -> None:
    echo.failures = [unavailable(reason, "not now")]

    refusal = await refused(peer, "Say")

    assert (refusal.kind, refusal.reason, refusal.message) == (Kind.UNAVAILABLE, reason, "not now")
    assert echo.asked == 1


@pytest.mark.parametrize("reason", ["DATABASE_CLOSED", "INDEX_EMPTY"])
async def test_what_one_process_refuses_as_it_ends_or_begins_is_tried_again(
    peer: Peer, echo: Echo, reason: str
) -> None:
    echo.failures = [unavailable(reason, "not here")]

    assert await ask(peer, "Say") == b"hello"
    assert echo.asked == 2


async def test_after_three_tries_such_a_process_has_refused(peer: Peer, echo: Echo) -> None:
    echo.failures = [unavailable("INDEX_EMPTY", "not here")] * 4

    assert (await refused(peer, "Say")).reason == "INDEX_EMPTY"
    assert echo.asked == 3


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INTERNAL, Kind.INTERNAL),
        (grpc.StatusCode.ABORTED, Kind.ABORTED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, Kind.EXHAUSTED),
        (grpc.StatusCode.FAILED_PRECONDITION, Kind.PRECONDITION),
        (grpc.StatusCode.UNKNOWN, Kind.INTERNAL),
    ],
)
async def test_nothing_else_is_tried_again(peer: Peer, echo: Echo, code: grpc.StatusCode, kind: Kind) -> None:
    echo.failures = [code]

    refusal = await refused(peer, "Say")

    assert refusal.kind is kind
    assert refusal.reason == f"RPC_{code.name}"
    assert "as the test wants it" not in refusal.message
    assert echo.asked == 1


async def test_a_peer_that_gave_up_is_not_asked_again(peer: Peer, echo: Echo) -> None:
    echo.failures = [grpc.StatusCode.DEADLINE_EXCEEDED]

    refusal = await refused(peer, "Say")

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")
    assert echo.asked == 1


async def test_a_peer_that_is_slow_did_not_answer(peer: Peer) -> None:
    refusal = await refused(peer, "Wait", at_most_us=50_000)

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")


async def test_a_peer_that_is_not_there_did_not_answer() -> None:
    nobody = Peer("127.0.0.1:1", lambda: "token", name="nobody")

    refusal = await refused(nobody, "Say", at_most_us=2_000_000)
    await nobody.close()

    assert (refusal.kind, refusal.reason) == (Kind.UNAVAILABLE, "PEER_UNAVAILABLE")


async def test_a_cancelled_caller_is_cancelled_and_not_refused(peer: Peer, echo: Echo) -> None:
    call = asyncio.create_task(ask(peer, "Wait"))
    await echo.entered.acquire()

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_method_of_another_channel_is_a_mistake(peer: Peer, server: LocalServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        say: Any = channel.unary_unary(f"/{NAME}/Say")
        with pytest.raises(TypeError):
            await peer.call(say, b"hello")
    past_its_peer: Any = peer.channel.unary_unary(f"/{NAME}/Say")
    with pytest.raises(TypeError):
        await past_its_peer(b"hello")


def chat(peer: Peer) -> Any:
    method: Any = peer.channel.stream_stream(f"/{NAME}/Chat")
    return peer.open(method)


def count(peer: Peer, number: bytes) -> Any:
    method: Any = peer.channel.unary_stream(f"/{NAME}/Count")
    return peer.open(method, number)


async def test_what_is_sent_on_a_stream_is_answered_one_by_one(peer: Peer) -> None:
    async with chat(peer) as stream:
        await stream.send(b"one")
        first = await stream.receive()
        await stream.send(b"two")
        second = await stream.receive()

    assert (first, second) == (b"ONE", b"TWO")


async def test_a_refusal_in_the_middle_of_a_stream_is_the_peer_s_own(peer: Peer) -> None:
    with pytest.raises(Refusal) as caught:
        async with chat(peer) as stream:
            await stream.send(b"one")
            await stream.receive()
            await stream.finish()

    assert (caught.value.kind, caught.value.reason) == (Kind.EXHAUSTED, "TALKED_OUT")


async def test_a_stream_that_was_refused_says_so_to_whoever_still_sends(server: LocalServer) -> None:
    peer = server.peer(PrincipalKind.LICENSEE)

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        async with chat(peer) as stream:
            while True:
                await stream.send(b"more")


async def test_the_answers_of_a_stream_come_until_its_end(peer: Peer) -> None:
    async with count(peer, b"3") as stream:
        answers = [answer async for answer in stream]

    assert answers == [b"someone 0", b"someone 1", b"someone 2"]


async def test_an_end_where_an_answer_was_due_is_none(peer: Peer) -> None:
    async with count(peer, b"0") as stream:
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await stream.receive()


async def test_a_stream_that_is_left_ends_on_the_other_side_too(peer: Peer, echo: Echo) -> None:
    async with count(peer, b"1000000") as stream:
        await stream.receive()

    await asyncio.wait_for(echo.closed.wait(), timeout=10)


async def test_a_stream_to_nobody_is_refused_and_not_tried_again() -> None:
    nobody = Peer("127.0.0.1:1", lambda: "token", name="nobody")

    with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
        async with chat(nobody) as stream:
            await stream.send(b"hello")
            await stream.receive()
    await nobody.close()


async def test_a_stream_of_another_channel_is_a_mistake(peer: Peer, server: LocalServer) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        method: Any = channel.stream_stream(f"/{NAME}/Chat")
        with pytest.raises(TypeError):
            async with peer.open(method):
                pass


async def test_one_trace_covers_both_sides_and_is_written_as_otlp_lines(peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "traces" / "echo.jsonl"

    with recording(path), tracer().start_as_current_span("job"):
        ours = current_trace_id()
        theirs = await ask(peer, "Trace")
        await refused(peer, "Refuse")
    resources = [each for line in path.read_text().splitlines() for each in json.loads(line)["resourceSpans"]]
    spans = [span for each in resources for scope in each["scopeSpans"] for span in scope["spans"]]

    assert theirs.decode() == ours
    assert {span["traceId"] for span in spans} == {ours}
    by_name = {(span["name"], span["kind"]): span for span in spans}
    client, server_span, job = by_name[f"{NAME}/Trace", 3], by_name[f"{NAME}/Trace", 2], by_name["job", 1]
    assert server_span["parentSpanId"] == client["spanId"]
    assert client["parentSpanId"] == job["spanId"]
    assert attributes(server_span) == {
        "rpc.system.name": "grpc",
        "rpc.method": f"{NAME}/Trace",
        "rpc.response.status_code": "OK",
    }
    for kind in (2, 3):
        failed = by_name[f"{NAME}/Refuse", kind]
        assert failed["status"]["code"] == 2
        assert attributes(failed)["error.type"] == "FAILED_PRECONDITION"
        assert attributes(failed)["rpc.response.status_code"] == "FAILED_PRECONDITION"
    assert by_name[f"{NAME}/Refuse", 2]["status"]["message"] == "NOT_READY"


def attributes(span: dict[str, object]) -> dict[str, object]:
    listed = span["attributes"]
    assert isinstance(listed, list)
    return {each["key"]: next(iter(each["value"].values())) for each in listed}
