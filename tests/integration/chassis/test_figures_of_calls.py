"""What metrics say of calls: defects from the start, and what is in flight without idle streams."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.identity import PrincipalKind
from services.chassis.limits import Limits
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def server(tmp_path: Path, echo: Echo) -> AsyncIterator[LocalServer]:
    async with serving(
        tmp_path, echo.bolt(), admissions=ADMISSIONS, clock=ManualClock(), limits=Limits(8, 8, 8)
    ) as local:
        yield local


def scraped(name: str) -> dict[tuple[str, ...], float]:
    """The series of a name, by the values of their labels in the order of those."""
    return {
        tuple(sample.labels[key] for key in sorted(sample.labels)): sample.value
        for family in text_string_to_metric_families(generate_latest().decode())
        for sample in family.samples
        if sample.name == name
    }


def under_way() -> tuple[float, float]:
    """Calls in flight, and streams that are open."""
    return scraped("sluice_rpc_in_flight")[()], scraped("sluice_rpc_streams_open")[()]


async def test_defects_of_every_method_are_there_from_the_start(server: LocalServer) -> None:
    calls = scraped("sluice_rpc_calls_total")

    names = {method.removeprefix("/") for method in ADMISSIONS}
    for code in ("INTERNAL", "UNKNOWN"):
        assert {method for told, method in calls if told == code} >= names


async def test_a_stream_that_is_open_and_idle_is_not_in_flight(server: LocalServer, echo: Echo) -> None:
    metadata = [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}")]
    async with grpc.aio.insecure_channel(server.address) as channel:
        before = under_way()
        linger: Any = channel.unary_stream(f"/{NAME}/Linger")
        stream = linger(b"leave", metadata=metadata)
        assert await stream.read() == b"here"
        open_and_idle = under_way()
        echo.leave.set()
        assert await stream.read() is grpc.aio.EOF
        await stream.code()
        after = under_way()

    assert open_and_idle == (before[0], before[1] + 1)
    assert after == before


async def test_a_call_that_is_worked_on_is_in_flight(server: LocalServer, echo: Echo) -> None:
    metadata = [("authorization", f"Bearer {server.token(PrincipalKind.PIPELINE)}")]
    async with grpc.aio.insecure_channel(server.address) as channel:
        before = under_way()
        wait: Any = channel.unary_unary(f"/{NAME}/Wait")
        call = wait(b"", metadata=metadata)
        await echo.entered.acquire()
        worked_on = under_way()
        echo.leave.set()
        await call

    assert worked_on == (before[0] + 1, before[1])
