"""A local installation that runs: supervised until it is told to stop, its gateway following its keys."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from services.chassis.keys import Keys
from services.chassis.racing import first
from services.console.coming_in import first_links, how_to_come_in
from services.console.gateway.local import Asked, local_gateway
from services.console.gateway.program import GatewayProgram
from services.console.installation import StateFolder
from services.console.local_pages import PageProgram, PagesAsked, forget_links, local_pages, prepare_pages
from services.console.output import give_json, note, say, show, table
from services.console.programs import ServiceProgram
from services.console.supervisor import Supervisor

Running = ServiceProgram | GatewayProgram | PageProgram


@dataclass(frozen=True)
class Installation:
    """What `sluice up` runs."""

    services: list[ServiceProgram]
    folder: StateFolder
    keys: Keys
    asked: Asked | None
    """Of the gateway; None where there is to be none."""
    pages: PagesAsked | None = None
    """None where there are to be none."""


async def keep_running(installation: Installation, *, as_json: bool) -> None:
    """Starts all of it, says where it is, and returns when it was told to stop and has ended.

    Raises Refusal: PROGRAM_FAILED where one cannot run, and those of the gateway's values.
    """
    async with contextlib.AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(_gateway_of(installation))
        programs: list[Running] = [*installation.services, *([gateway] if gateway else [])]
        programs += _pages_of(installation, gateway)
        supervisor = Supervisor(programs, note)
        stop = stop_on_signals(supervisor)
        try:
            await first(supervisor.start(), stop.wait())
            if not stop.is_set():
                pids = {program.name: supervisor.pid(program.name) for program in programs}
                await _say_where(programs, pids, installation.folder, as_json=as_json)
                await first(supervisor.failure(), stop.wait(), keep_up(gateway, supervisor))
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


def _pages_of(installation: Installation, gateway: GatewayProgram | None) -> list[PageProgram]:
    if installation.pages is None:
        return []
    prepare_pages(installation.folder)
    forget_links(installation.folder)
    return local_pages(installation.services, gateway, installation.folder, installation.pages)


async def keep_up(gateway: GatewayProgram | None, supervisor: Supervisor) -> None:
    """Starts the gateway again whenever the keys that tokens are checked with have changed."""
    if gateway is None:
        await asyncio.Event().wait()
        return
    while True:
        await gateway.outdated()
        await supervisor.restart(gateway.name)


def stop_on_signals(supervisor: Supervisor) -> asyncio.Event:
    """An event that the first signal sets; the next one does not wait for the drain."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            supervisor.hurry()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    return stop


async def _say_where(
    programs: Sequence[Running], pids: Mapping[str, int | None], folder: StateFolder, *, as_json: bool
) -> None:
    pages = [each.name for each in programs if isinstance(each, PageProgram)]
    links = await asyncio.to_thread(first_links, folder, pages)
    if as_json:
        come_in = {name: {"sign_in": link} for name, link in links.items()}
        give_json(
            {p.name: {"address": p.address, "pid": pids[p.name], **come_in.get(p.name, {})} for p in programs}
        )
        return
    show(table(("service", "address", "process"), [(p.name, p.address, str(pids[p.name])) for p in programs]))
    if gateway := next((each.address for each in programs if isinstance(each, GatewayProgram)), None):
        say(f"Partners and users come in at http://{gateway}; what they can call: http://{gateway}/docs")
    for line in how_to_come_in(folder, {each.name: each.address for each in programs}, links):
        say(line)
    say(f"State, logs and traces are in {folder.root}. Ctrl-C stops.")
