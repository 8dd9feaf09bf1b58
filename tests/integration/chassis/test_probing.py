"""The program by which a container asks its service how it is."""

import asyncio
import os
import sys

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from services.chassis.probing import WRONG_USAGE, main

STATUS = health_pb2.HealthCheckResponse


async def exit_code(address: str) -> int:
    """What the program ends with, run as a healthcheck runs it."""
    imports = os.pathsep.join(path for path in sys.path if path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "services.chassis.probing", address),
        env={"PATH": os.defpath, "PYTHONPATH": imports},
    )
    return await process.wait()


async def test_it_ends_well_only_while_the_service_says_that_it_serves() -> None:
    server, said = grpc.aio.server(), health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(said, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()

    codes = []
    for status in (STATUS.SERVING, STATUS.NOT_SERVING):
        await said.set("", status)
        codes.append(await exit_code(address))
    await server.stop(None)
    codes.append(await exit_code(address))

    assert codes == [0, 1, 1]


@pytest.mark.parametrize("arguments", [[], ["127.0.0.1"], ["127.0.0.1:1", "127.0.0.1:2"]])
def test_it_takes_one_address(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == WRONG_USAGE
    assert "one address is expected" in capsys.readouterr().err
