"""A gateway that is told to stop takes nobody new, and finishes what it has begun."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from services.console.gateway.binary import envoy_binary
from services.console.gateway.rendering import render
from services.console.gateway.running import ADMIN_SOCKET
from tests.support.envoy import some_values
from tests.support.gateway_world import GOOD, a_world
from tests.support.waiting import PATIENCE_SECONDS, until

PATH = "/sluice.licensing.v1.ReleaseService/GetDecision"


def answers(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/healthz").is_success
    except httpx.TransportError:
        return False


def started(folder: Path) -> "subprocess.Popen[bytes]":
    """The gateway as a supervisor starts it, with the configuration in the folder."""
    leash = [sys.executable, "-P", "-m", "services.console.leash", str(os.getpid())]
    envoy = [str(envoy_binary()), "-c", str(folder / "envoy.yaml"), "-l", "error"]
    alone = ["--concurrency", "1", "--use-dynamic-base-id", "--disable-hot-restart"]
    return subprocess.Popen(
        [*leash, "services.console.gateway.running", str(folder), *envoy, *alone],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )


async def test_a_call_under_way_is_answered_and_then_it_ends(tmp_path: Path) -> None:
    async with a_world() as world:
        world.upstream.answering.clear()
        values = some_values(tmp_path, world.upstreams, admin_socket=ADMIN_SOCKET)
        (tmp_path / "envoy.yaml").write_text(render(values))
        process = started(tmp_path)
        await until(lambda: answers(values.listen), "it answers", 0.05)
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as client:
            call = asyncio.create_task(client.get(f"http://{values.listen}/v1/decisions/1", headers=GOOD))
            await until(lambda: world.upstream.calls[PATH], "the call has come through")

            process.send_signal(signal.SIGTERM)
            await until(lambda: not answers(values.listen), "it takes nobody new", 0.05)
            world.upstream.answering.set()
            answer = await call

    assert (answer.status_code, await asyncio.to_thread(process.wait, PATIENCE_SECONDS)) == (200, 0)
