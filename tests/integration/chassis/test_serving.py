"""What surrounds a handler, seen from a client: refusals, identity, the limit, streams, health."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis import interceptors
from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.keys import load_private_key, public_jwk
from services.chassis.limits import Limits
from services.chassis.refusals import FieldViolation, Kind, Refusal
from services.chassis.serving import Server, doubting
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, answers_to, serving
from tests.support.keys import a_verifier, some_keys

PIPELINE = PrincipalKind.PIPELINE
PATIENCE_SECONDS = 20


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    async with serving(
        tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=ManualClock(), limits=Limits(2, 2, 2)
    ) as local:
        yield local


@pytest.fixture
async def bare(server: LocalServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


async def ask(peer: Peer, method: str, request: bytes = b"hello") -> bytes:
    answer: bytes = await peer.call(peer.channel.unary_unary(f"/{NAME}/{method}"), request)
    return answer


async def refused(peer: Peer, method: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await ask(peer, method)
    return caught.value


async def failure(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def details_of(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    metadata = dict(error.trailing_metadata())
    return status_pb2.Status.FromString(metadata["grpc-status-details-bin"])


async def test_a_handler_sees_who_is_calling(server: LocalServer) -> None:
    assert await ask(server.peer(PIPELINE, "export-1"), "Who") == b"pipeline export-1"


async def test_a_refusal_becomes_a_status_with_details(server: LocalServer, bare: Any) -> None:
    token = server.token(PIPELINE)

    error = await failure(
        bare.unary_unary(f"/{NAME}/Refuse")(b"", metadata=[("authorization", f"Bearer {token}")])
    )

    info, bad, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    assert [d.Unpack(m) for d, m in zip(details_of(error).details, (info, bad, retry), strict=True)] == [
        True
    ] * 3
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert error.details() == "it is not ready"
    assert (info.domain, info.reason, dict(info.metadata)) == ("sluice", "NOT_READY", {"since": "today"})
    assert [(each.field, each.description) for each in bad.field_violations] == [("a.b[2]", "is wrong")]
    assert retry.retry_delay.ToMicroseconds() == 1_500_000


async def test_a_refusal_comes_out_of_a_peer_as_it_went_in(server: LocalServer) -> None:
    refusal = await refused(server.peer(PIPELINE), "Refuse")

    assert refusal.kind is Kind.PRECONDITION
    assert (refusal.reason, refusal.message) == ("NOT_READY", "it is not ready")
    assert refusal.violations == (FieldViolation("a.b[2]", "is wrong"),)
    assert refusal.retry_after_us == 1_500_000
    assert refusal.metadata == {"since": "today"}


async def test_a_defect_tells_the_caller_nothing(server: LocalServer, bare: Any) -> None:
    token = server.token(PIPELINE)

    error = await failure(
        bare.unary_unary(f"/{NAME}/Fail")(b"", metadata=[("authorization", f"Bearer {token}")])
    )

    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details() == "something went wrong on our side"
    assert "4711" not in repr(error) + str(details_of(error))
    assert "LookupError" not in repr(error) + str(details_of(error))


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic abc"])
async def test_a_call_without_a_bearer_token_is_refused(bare: Any, authorization: str | None) -> None:
    metadata = [] if authorization is None else [("authorization", authorization)]

    error = await failure(bare.unary_unary(f"/{NAME}/Say")(b"", metadata=metadata))

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert b"TOKEN_MISSING" in details_of(error).SerializeToString()


async def test_an_expired_token_is_refused(tmp_path: Path, echo: Echo) -> None:
    clock = ManualClock()
    async with serving(tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=clock) as local:
        token = local.token(PIPELINE)
        peer = local.peer_showing(lambda: token)
        await ask(peer, "Say")

        clock.advance(15 * 60_000_000)
        refusal = await refused(peer, "Say")

    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "TOKEN_EXPIRED")


def forged(folder: Path, **changes: Any) -> str:
    key = load_private_key(some_keys(folder).token_private)
    claims = {"iss": "sluice", "aud": "sluice", "sub": "x", "kind": "pipeline", "exp": 2**40}
    header = {"kid": public_jwk(key.public_key())["kid"], **changes.pop("header", {})}
    algorithm = changes.pop("algorithm", "EdDSA")
    secret: Any = {"EdDSA": key, "none": "", "HS256": public_jwk(key.public_key())["x"]}[algorithm]
    return jwt.encode({**claims, **changes}, secret, algorithm=algorithm, headers=header)


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": "none"},
        {"algorithm": "HS256"},
        {"aud": "another"},
        {"header": {"kid": "unknown"}},
        {"header": {"crit": ["exp"]}},
    ],
    ids=str,
)
async def test_a_forged_token_is_refused(
    server: LocalServer, tmp_path: Path, changes: dict[str, Any]
) -> None:
    genuine, forgery = forged(tmp_path), forged(tmp_path, **changes)
    assert await ask(server.peer_showing(lambda: genuine), "Say") == b"hello"

    refusal = await refused(server.peer_showing(lambda: forgery), "Say")

    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_an_rpc_that_no_table_names_is_refused(server: LocalServer, echo: Echo) -> None:
    refusal = await refused(server.peer(PIPELINE), "Forgotten")

    assert (refusal.kind, refusal.reason) == (Kind.FORBIDDEN, "NOT_ADMITTED")
    assert echo.asked == 0


async def test_another_kind_of_caller_is_refused(server: LocalServer, echo: Echo) -> None:
    refusal = await refused(server.peer(PrincipalKind.LICENSEE), "Say")

    assert refusal.reason == "NOT_ADMITTED"
    assert echo.asked == 0


async def test_more_calls_than_the_limit_are_told_to_come_back(server: LocalServer, echo: Echo) -> None:
    peer = server.peer(PIPELINE)
    running = [asyncio.create_task(ask(peer, "Wait")) for _ in range(2)]
    await asyncio.wait_for(echo.both_entered(), 5)

    refusal = await refused(peer, "Say")
    echo.leave.set()
    answers = await asyncio.gather(*running)

    assert (refusal.kind, refusal.reason) == (Kind.EXHAUSTED, "OVERLOADED")
    assert refusal.retry_after_us == 100_000
    assert answers == [b"hello"] * 2
    assert await ask(peer, "Say") == b"hello"


async def test_health_answers_without_a_token_while_the_limit_is_reached(
    server: LocalServer, echo: Echo, bare: Any
) -> None:
    peer = server.peer(PIPELINE)
    running = [asyncio.create_task(ask(peer, "Wait")) for _ in range(2)]
    await asyncio.wait_for(echo.both_entered(), 5)

    stub = health_pb2_grpc.HealthStub(bare)
    answers = [await stub.Check(health_pb2.HealthCheckRequest(service=name)) for name in ("", NAME)]
    echo.leave.set()
    await asyncio.gather(*running)

    assert [answer.status for answer in answers] == [health_pb2.HealthCheckResponse.SERVING] * 2


async def test_reflection_lists_the_services_without_a_token(bare: Any) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(bare)
    request = reflection_pb2.ServerReflectionRequest(list_services="")

    answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]))]

    assert NAME in [service.name for service in answers[0].list_services_response.service]


def authorized(server: LocalServer, kind: PrincipalKind = PIPELINE) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {server.token(kind)}")]


async def test_a_stream_of_answers_is_guarded_and_flows(server: LocalServer, bare: Any) -> None:
    count = bare.unary_stream(f"/{NAME}/Count")

    answers = [answer async for answer in count(b"3", metadata=authorized(server))]
    error = await failure(count(b"3").read())

    assert answers == [b"someone 0", b"someone 1", b"someone 2"]
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_stream_of_questions_is_guarded_and_flows(server: LocalServer, bare: Any) -> None:
    join = bare.stream_unary(f"/{NAME}/Join")

    answers = await answers_to(join(metadata=authorized(server)), b"one", b"two")
    subject = join(metadata=authorized(server, PrincipalKind.SUBJECT))
    error = await failure(answers_to(subject, b"one"))

    assert answers == [b"someone one two"]
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_refusal_at_the_end_of_a_dialogue_has_its_details(server: LocalServer, bare: Any) -> None:
    call = bare.stream_stream(f"/{NAME}/Chat")(iter([b"one", b"two"]), metadata=authorized(server))

    answers = [await call.read(), await call.read()]
    error = await failure(call.read())

    assert answers == [b"ONE", b"TWO"]
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert b"TALKED_OUT" in details_of(error).SerializeToString()


async def test_a_reader_that_takes_nothing_for_too_long_is_cut_off_and_told_why(
    server: LocalServer, echo: Echo, bare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interceptors, "READER_PATIENCE_SECONDS", 0.05)
    call = bare.unary_stream(f"/{NAME}/Pour")(b"100000", metadata=authorized(server))
    await asyncio.wait_for(echo.closed.wait(), PATIENCE_SECONDS)

    taken = 0
    with pytest.raises(grpc.aio.AioRpcError) as cut:
        async for _ in call:
            taken += 1

    assert b"READER_TOO_SLOW" in details_of(cut.value).SerializeToString()
    assert 0 < taken <= echo.poured + 1 < 1_000


async def test_a_stream_that_its_caller_leaves_is_closed(server: LocalServer, echo: Echo, bare: Any) -> None:
    call = bare.unary_stream(f"/{NAME}/Count")(b"1000000", metadata=authorized(server))
    await call.read()

    call.cancel()

    await asyncio.wait_for(echo.closed.wait(), 5)
    assert await ask(server.peer(PIPELINE), "Say") == b"hello"


async def test_a_handler_that_cannot_be_guarded_is_refused(server: LocalServer) -> None:
    refusal = await refused(server.peer(PIPELINE), "Sync")

    assert (refusal.kind, refusal.reason) == (Kind.INTERNAL, "NOT_GUARDED")


async def test_a_port_in_use_is_a_clear_refusal(server: LocalServer, tmp_path: Path) -> None:
    second = Server([], {}, a_verifier(some_keys(tmp_path)), limits=Limits(1, 1, 1))

    with pytest.raises(Refusal, match=f"ADDRESS_IN_USE: cannot listen on {server.address}"):
        await second.start(server.address)


async def test_a_process_that_has_failed_says_so_in_health_and_answers_on(tmp_path: Path, echo: Echo) -> None:
    server = Server([echo.bolt()], ADMISSIONS, a_verifier(some_keys(tmp_path)), limits=Limits(2, 2, 2))
    address, failed = await server.start("127.0.0.1:0"), asyncio.Event()

    async with grpc.aio.insecure_channel(address) as channel, doubting(server, failed):
        async with asyncio.timeout(PATIENCE_SECONDS):
            watched = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
            before = (await watched.read()).status
            failed.set()
            after = (await watched.read()).status
        call: Any = channel.unary_unary(f"/{NAME}/Say")
        error = await failure(call(b""))
    await server.drain(grace_seconds=0, finish_seconds=0)

    assert before == health_pb2.HealthCheckResponse.SERVING
    assert after == health_pb2.HealthCheckResponse.NOT_SERVING
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
