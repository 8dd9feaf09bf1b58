"""The pages of a local installation, as programs for the supervisor."""

import asyncio
import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from services.chassis.keys import PRIVATE_MODE, create_once
from services.chassis.refusals import precondition
from services.console.answering import answers
from services.console.authority import CLIENT
from services.console.gateway.program import GatewayProgram
from services.console.installation import HOST, SERVICES, StateFolder
from services.console.programs import POLL_SECONDS, Announced, ServiceProgram, on_a_leash, own_imports

SETTINGS_PAGE, CONSOLE = "settings-page", "console"
"""What people call them, in commands, logs and files."""
SETTINGS_PAGE_PORT, CONSOLE_PORT = 7605, 7606
PLATFORM_NAME = "Example"
"""Of a platform that was not named."""
MODULES = {SETTINGS_PAGE: "services.console.settings_page", CONSOLE: "services.console.operations"}
PREFIXES = {SETTINGS_PAGE: "SLUICE_SETTINGS_PAGE_", CONSOLE: "SLUICE_CONSOLE_"}
CONTROLLER = tuple(
    f"controller_{what}"
    for what in ("name", "address", "country", "email", "phone", "contact", "policy_url", "withdrawal_url")
)
"""Settings of consent, all of which documents in standard forms need."""
NEEDED = ("authlib", "babel", "fastapi", "httpx", "matplotlib", "python_multipart", "uvicorn")
"""What the extra brings, by the names of their modules."""


@dataclass(frozen=True)
class PagesAsked:
    """What `sluice up --console` was told; of the ports 0 takes a free one."""

    settings_page_port: int = SETTINGS_PAGE_PORT
    console_port: int = CONSOLE_PORT
    platform_name: str = PLATFORM_NAME
    texts: Path | None = None
    """Folder of notices and policies; None for the one of the installation."""

    @property
    def ports(self) -> dict[str, int]:
        """Which they take, by name."""
        return {SETTINGS_PAGE: self.settings_page_port, CONSOLE: self.console_port}


@dataclass
class PageProgram:
    """One page of a local installation, listening on the same port through all its processes."""

    name: str
    state: StateFolder
    port: int
    """0 lets the first process take a free one, which later processes then take again."""
    needs: frozenset[str]
    """What it calls: it is drained before that."""
    fields: Callable[[], Mapping[str, str]]
    """Settings of it alone, by field; asked at every start."""
    _announced: Announced = field(init=False)

    def __post_init__(self) -> None:
        self._announced = Announced(self.state, self.name)

    @property
    def address(self) -> str:
        """host:port; the port is 0 until the first process has announced one."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """In the state folder."""
        return self.state.log(self.name)

    def command(self) -> Sequence[str]:
        """The page's module, on a leash."""
        self._announced.begin()
        return on_a_leash(MODULES[self.name])

    def environment(self) -> Mapping[str, str]:
        """This process's environment and the page's settings."""
        settings = page_environment(self.state, self.name, self.address, self.fields())
        return {**os.environ, **own_imports(), **settings}

    async def ready(self) -> None:
        """Waits until the page has announced its address and answers there."""
        while True:
            said = self._announced.address()
            if said is not None and await self._answers(said):
                self.port = self._announced.settle(said)
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _answers(self, address: str) -> bool:
        return await asyncio.to_thread(answers, address)


def local_pages(
    services: Sequence[ServiceProgram], gateway: GatewayProgram | None, state: StateFolder, asked: PagesAsked
) -> list[PageProgram]:
    """The console; and where there is a gateway, the settings page, which calls through it alone."""

    def of_console() -> dict[str, str]:
        # Where the services are is known once they run.
        return console_fields(state, {each.name: each.address for each in services})

    console = PageProgram(CONSOLE, state, asked.console_port, frozenset(SERVICES), of_console)
    if gateway is None:
        return [console]
    of_page = settings_page_fields(state, gateway.address, asked)
    if not any(names_controller(each) for each in services):
        of_page["standard_forms"] = "false"
    needs = frozenset({gateway.name})
    return [PageProgram(SETTINGS_PAGE, state, asked.settings_page_port, needs, lambda: of_page), console]


def names_controller(service: ServiceProgram) -> bool:
    """Whether it is a consent whose settings say whose platform this is, as standard forms of records do."""
    own = f"SLUICE_{service.name.upper()}_"
    told = {**os.environ, **{own + name.upper(): value for name, value in service.settings.items()}}
    return service.name == "consent" and all(told.get(own + name.upper()) for name in CONTROLLER)


def page_environment(state: StateFolder, page: str, listen: str, fields: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that a page of a local installation is configured by.

    `fields` are further fields of its settings by name, and win over what is said here.
    """
    located = StateFolder(state.root.resolve())
    usual = {
        "listen": listen,
        "announce_path": str(located.announcement(page)),
        "state_dir": str(located.root),
        "session_keys": str(located.session_keys()),
        "links": str(located.links(page)),
        "traces_path": str(located.trace_file(page)),
    }
    return {PREFIXES[page] + name.upper(): value for name, value in {**usual, **fields}.items()}


def settings_page_fields(state: StateFolder, gateway: str, asked: PagesAsked) -> dict[str, str]:
    """Those of the settings page alone; `gateway` is host:port."""
    texts = asked.texts or state.texts()
    shown = {"texts": str(texts.resolve())} if texts.is_dir() else {}
    return {"gateway_target": gateway, "platform_name": asked.platform_name, **shown}


def console_fields(state: StateFolder, addresses: Mapping[str, str]) -> dict[str, str]:
    """Those of the console alone; `addresses` are host:port by service name."""
    located = StateFolder(state.root.resolve())
    usual = {f"{name}_target": addresses[name] for name in SERVICES} | {"traces": str(located.traces)}
    if not state.speaks_tls():
        return usual
    files = located.authority.files(CLIENT)
    certificate = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    return {**usual, **certificate, "tls_ca": str(files.ca)}


def is_installed() -> bool:
    """Whether the extra `console` is there."""
    return not _missing()


def check_installed() -> None:
    """Raises Refusal (precondition, CONSOLE_MISSING) without the extra `console`."""
    if missing := _missing():
        message = f"the pages need {', '.join(missing)}, which come with the extra"
        raise precondition("CONSOLE_MISSING", f"{message}: pip install 'sluice[console]'")


def prepare_pages(state: StateFolder) -> None:
    """Makes the keys of sessions, once."""
    if not state.session_keys().exists():
        create_once(state.session_keys(), Fernet.generate_key() + b"\n", PRIVATE_MODE)


def forget_links(state: StateFolder) -> None:
    """Ends links that nobody has used before the last end; for whoever holds the state folder."""
    for page in MODULES:
        for link in state.links(page).glob("*.json"):
            link.unlink(missing_ok=True)


def _missing() -> list[str]:
    return [module for module in NEEDED if importlib.util.find_spec(module) is None]
