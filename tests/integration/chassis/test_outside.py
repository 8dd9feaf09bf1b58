"""What comes by the gateway: its mark lets in fewer, and never more."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from services.chassis.claims import MOST_SUBJECTS
from services.chassis.identity import PrincipalKind
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.admissions import admit
from tests.support.grpc import LocalServer, answers_to, serving

MARK = [("x-sluice-gateway", "1")]
HEALTH = "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
EVERYONE = {f"/{NAME}/{method}": admit(*PrincipalKind, services=["licensing"]) for method in ("Who", "Count")}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving(tmp_path, Echo().bolt(), admissions={**ADMISSIONS, **EVERYONE}) as local:
        yield local


@pytest.fixture
async def bare(server: LocalServer) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


def authorized(server: LocalServer, kind: PrincipalKind) -> list[tuple[str, str]]:
    party = "licensing" if kind is PrincipalKind.SERVICE else "7"
    return [("authorization", f"Bearer {server.token(kind, party)}")]


async def reason_of(call: Any) -> str:
    """The reason of the refusal; empty where there was none."""
    try:
        await call
    except grpc.aio.AioRpcError as refused:
        assert refused.code() is grpc.StatusCode.PERMISSION_DENIED
        details = dict(refused.trailing_metadata() or ())["grpc-status-details-bin"]
        info = error_details_pb2.ErrorInfo()
        assert isinstance(details, bytes)
        assert status_pb2.Status.FromString(details).details[0].Unpack(info)
        return str(info.reason)
    return ""


async def read(stream: Any) -> list[Any]:
    return [answer async for answer in stream]


@pytest.mark.parametrize("mark", [MARK, [("x-sluice-gateway", "")], MARK * 2, [("x-sluice-gateway", "0")]])
@pytest.mark.parametrize("kind", [PrincipalKind.PIPELINE, PrincipalKind.SERVICE])
async def test_a_pipeline_and_a_service_do_not_come_from_outside(
    server: LocalServer, bare: Any, kind: PrincipalKind, mark: Sequence[tuple[str, str]]
) -> None:
    who, count = bare.unary_unary(f"/{NAME}/Who"), bare.unary_stream(f"/{NAME}/Count")
    inside = authorized(server, kind)
    assert await reason_of(who(b"", metadata=inside)) == ""

    marked = [*inside, *mark]

    assert await reason_of(who(b"", metadata=marked)) == "NOT_ADMITTED"
    assert await reason_of(read(count(b"1", metadata=marked))) == "NOT_ADMITTED"


@pytest.mark.parametrize("kind", ["licensee", "subject", "agent", "operator", "auditor"])
async def test_all_others_do(server: LocalServer, bare: Any, kind: str) -> None:
    metadata = [*authorized(server, PrincipalKind(kind)), *MARK]

    assert await bare.unary_unary(f"/{NAME}/Who")(b"", metadata=metadata) == f"{kind} 7".encode()
    assert len(await read(bare.unary_stream(f"/{NAME}/Count")(b"2", metadata=metadata))) == 2


async def test_the_mark_lets_in_nobody_who_was_not(server: LocalServer, bare: Any) -> None:
    metadata = [*authorized(server, PrincipalKind.OPERATOR), *MARK]

    assert await reason_of(bare.unary_unary(f"/{NAME}/Say")(b"", metadata=metadata)) == "NOT_ADMITTED"


async def test_what_is_open_to_strangers_is_so_from_outside(bare: Any) -> None:
    assert await bare.unary_unary(f"/{NAME}/Greet")(b"hello", metadata=MARK) == b"hello"


async def test_health_is_not_for_outside(bare: Any) -> None:
    asked = health_pb2.HealthCheckRequest().SerializeToString()

    assert await reason_of(bare.unary_unary(f"{HEALTH}Check")(asked)) == ""
    assert await reason_of(bare.unary_unary(f"{HEALTH}Check")(asked, metadata=MARK)) == "NOT_ADMITTED"
    watched = bare.unary_stream(f"{HEALTH}Watch")(asked, metadata=MARK)
    assert await reason_of(read(watched)) == "NOT_ADMITTED"


async def test_reflection_is_not_for_outside(bare: Any) -> None:
    asked = reflection_pb2.ServerReflectionRequest(list_services="").SerializeToString()
    reflect = bare.stream_stream(REFLECTION)

    assert await reason_of(answers_to(reflect(), asked)) == ""
    assert await reason_of(answers_to(reflect(metadata=MARK), asked)) == "NOT_ADMITTED"


async def test_an_agent_for_as_many_as_a_token_can_list_reaches_a_service(
    server: LocalServer, bare: Any
) -> None:
    subjects = range(2**64 - MOST_SUBJECTS, 2**64)
    token = server.token(PrincipalKind.AGENT, "helper", subjects=subjects)
    others = [("traceparent", f"00-{'a' * 32}-{'b' * 16}-01"), ("x-request-id", "c" * 36), *MARK]

    for _ in range(20):
        # Beyond its own limit a server refuses the headers of some calls and not of others.
        metadata = [("authorization", f"Bearer {token}"), *others]
        assert await bare.unary_unary(f"/{NAME}/Who")(b"", metadata=metadata) == b"agent helper"
