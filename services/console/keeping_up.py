"""A local installation that runs: supervised until it is told to stop, its gateway following its keys."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.keys import Keys
from services.console.gateway.local import Asked, local_gateway
from services.console.gateway.program import GatewayProgram
from services.console.installation import StateFolder
from services.console.output import give_json, note, say, show, table
from services.console.programs import ServiceProgram
from services.console.racing import first
from services.console.supervisor import Supervisor


@dataclass(frozen=True)
class Installation:
    """What `sluice up` runs."""

    services: list[ServiceProgram]
    folder: StateFolder
    keys: Keys
    asked: Asked | None
    """Of the gateway; None where there is to be none."""


async def keep_running(installation: Installation, *, as_json: bool) -> None:
    """Starts all of it, says where it is, and returns when it was told to stop and has ended.

    Raises Refusal: PROGRAM_FAILED where one cannot run, and those of the gateway's values.
    """
    async with contextlib.AsyncExitStack() as stack:
        programs: list[ServiceProgram | GatewayProgram] = [*installation.services]
        gateway = await stack.enter_async_context(_gateway_of(installation))
        if gateway is not None:
            programs.append(gateway)
        supervisor = Supervisor(programs, note)
        stop = _stop_on_signals(supervisor)
        try:
            await first(supervisor.start(), stop.wait())
            if not stop.is_set():
                pids = {program.name: supervisor.pid(program.name) for program in programs}
                _say_where(programs, pids, installation.folder, as_json=as_json)
                await first(supervisor.failure(), stop.wait(), _keep_up(gateway, supervisor))
        finally:
            note("Draining all of them; Ctrl-C again ends them at once.")
            await supervisor.stop()
            note("All of them have ended.")


@contextlib.asynccontextmanager
async def _gateway_of(installation: Installation) -> AsyncIterator[GatewayProgram | None]:
    if installation.asked is None:
        yield None
        return
    services, folder, keys = installation.services, installation.folder, installation.keys
    async with local_gateway(services, folder, keys, installation.asked, note) as gateway:
        yield gateway


async def _keep_up(gateway: GatewayProgram | None, supervisor: Supervisor) -> None:
    """Starts the gateway again whenever the keys that tokens are checked with have changed."""
    if gateway is None:
        await asyncio.Event().wait()
        return
    while True:
        await gateway.outdated()
        await supervisor.restart(gateway.name)


def _stop_on_signals(supervisor: Supervisor) -> asyncio.Event:
    """An event that the first signal sets; the next one does not wait for the drain."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


def _say_where(
    programs: Sequence[ServiceProgram | GatewayProgram],
    pids: Mapping[str, int | None],
    folder: StateFolder,
    *,
    as_json: bool,
) -> None:
    if as_json:
        give_json({each.name: {"address": each.address, "pid": pids[each.name]} for each in programs})
        return
    show(table(("service", "address", "process"), [(p.name, p.address, str(pids[p.name])) for p in programs]))
    if gateway := next((each.address for each in programs if isinstance(each, GatewayProgram)), None):
        say(f"Partners and users come in at http://{gateway}; what they can call: http://{gateway}/docs")
    say(f"State, logs and traces are in {folder.root}. Ctrl-C stops.")
