"""`sluice up` as people run it: a process of its own that is killed, interrupted, and started twice."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import sluice
from tests.support.up import Up, runs, up
from tests.support.waiting import until


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("up") / "state") as running:
        yield running


async def test_a_service_that_is_killed_runs_again_on_the_same_port(running: Up) -> None:
    before = await asyncio.to_thread(running.services)

    os.kill(before["consent"]["pid"], signal.SIGKILL)
    died = await asyncio.to_thread(running.says, "consent was ended")
    again = await asyncio.to_thread(running.says, "consent is running again")
    listed = await sluice(running.state, "policy", "list", "--json")

    address = (running.state / "run" / "consent.addr").read_text(encoding="ascii").strip()
    assert "SIGKILL" in died
    assert str(before["consent"]["pid"]) not in again
    assert address == before["consent"]["address"]
    assert listed.answer == []


async def test_a_second_up_on_the_same_folder_is_refused(running: Up) -> None:
    second = await sluice(running.state, "up", "--port-base", "0")

    assert second.status == 1
    assert f"STATE_IN_USE: process {running.process.pid} already runs" in second.err


async def test_a_port_that_is_in_use_is_named(running: Up, tmp_path: Path) -> None:
    services = await asyncio.to_thread(running.services)
    port = services["metering"]["address"].rpartition(":")[2]

    second = await sluice(tmp_path, "up", "--port-base", "0", "--metering-port", port)

    assert second.status == 1
    assert f"PORT_IN_USE: port {port} of 127.0.0.1, meant for metering, is in use" in second.err


async def test_a_setting_that_cannot_be_ends_it_with_the_reason(tmp_path: Path) -> None:
    ended = await sluice(tmp_path, "up", "--port-base", "0", "--set", "consent.permit_seconds=never")

    assert ended.status == 1
    assert "PROGRAM_FAILED: consent ended with exit code 1" in ended.err
    assert "permit_seconds" in ended.err


def test_ctrl_c_drains_all_three_and_exits_with_0(tmp_path: Path) -> None:
    with up(tmp_path / "state") as running:
        services = running.services()
        pids = [service["pid"] for service in services.values()]
        assert all(runs(pid) for pid in pids)

        running.send(signal.SIGINT)
        status = running.ending()

    assert status == 0
    assert set(services) == {"consent", "metering", "licensing"}
    assert not any(runs(pid) for pid in pids)


def test_services_drain_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    with up(tmp_path / "state") as running:
        pids = [service["pid"] for service in running.services().values()]

        running.send(signal.SIGKILL)
        running.ending()

    asyncio.run(until(lambda: not any(runs(pid) for pid in pids), "the services are gone"))
