"""A service as a program: where it is said to be, from one process to the next."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.chassis.serving import announce
from services.console.installation import StateFolder
from services.console.programs import ServiceProgram


@pytest.fixture
def program(tmp_path: Path) -> ServiceProgram:
    state = StateFolder(tmp_path)
    return ServiceProgram("metering", state, state.prepare(), port=0)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Where something calls itself healthy."""
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    yield f"127.0.0.1:{port}"
    await server.stop(None)


def announced(program: ServiceProgram, address: str) -> None:
    """As the process of the program does it."""
    announce(program.state.announcement(program.name), address)


async def test_what_an_earlier_supervisor_left_is_cleared_away_before_the_first_start(
    program: ServiceProgram, address: str
) -> None:
    announced(program, address)

    program.command()

    assert program.state.address("metering") is None


async def test_a_service_that_is_started_again_is_still_said_to_be_where_it_was(
    program: ServiceProgram, address: str
) -> None:
    program.command()
    announced(program, address)
    await program.ready()

    program.command()

    assert program.state.address("metering") == program.address == address


async def test_a_service_that_is_started_again_is_ready_only_when_its_new_process_says_so(
    program: ServiceProgram, address: str
) -> None:
    program.command()
    announced(program, address)
    await program.ready()
    program.command()

    waiting = asyncio.create_task(program.ready())
    for _ in range(3):
        await asyncio.sleep(0)
    was_ready_before = waiting.done()
    announced(program, address)
    await waiting

    assert not was_ready_before
