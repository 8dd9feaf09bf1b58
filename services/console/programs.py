"""The three services as programs for the supervisor."""

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.certificates import Certificates
from services.chassis.keys import Keys
from services.chassis.lines import Line
from services.chassis.tls import ClientTls
from services.console.installation import DIRECTORY, HOST, StateFolder, service_environment

POLL_SECONDS = 0.03
HEALTH_SECONDS = 1.0


@dataclass
class Announced:
    """Where a program says that it listens, from one of its processes to the next."""

    state: StateFolder
    name: str
    _was_ready: bool = field(default=False, init=False)
    _left: int | None = field(default=None, init=False)
    """The announcement of the process before."""

    def begin(self) -> None:
        """Another process is about to be started."""
        if not self._was_ready:
            self.state.announcement(self.name).unlink(missing_ok=True)
        # What takes the place of a process listens where that did: callers that come meanwhile wait for it
        # there, and do not look for it on the usual port.
        self._left = self._file()

    def address(self) -> str | None:
        """host:port of the process that was started last; None until it has said so."""
        return self.state.address(self.name) if self._file() != self._left else None

    def settle(self, address: str) -> int:
        """The program can be used there; gives the port, which later processes are to take again."""
        self._was_ready = True
        return int(address.rpartition(":")[2])

    def _file(self) -> int | None:
        """Which file the announcement is; each is a new one, made while the one before was still there."""
        try:
            return self.state.announcement(self.name).stat().st_ino
        except FileNotFoundError:
            return None


def on_a_leash(module: str) -> list[str]:
    """What runs a module of ours for as long as this process lives."""
    # -P: a folder called `services` wherever people happen to stand is not ours.
    return [sys.executable, "-P", "-m", "services.console.leash", str(os.getpid()), module]


def own_imports() -> dict[str, str]:
    """What has a process import what this one can."""
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@dataclass
class ServiceProgram:
    """One service of a local installation, listening on the same port through all its processes."""

    name: str
    state: StateFolder
    keys: Keys
    port: int
    """0 lets the first process take a free one, which later processes then take again."""
    calls: tuple["ServiceProgram", ...] = ()
    """Services that this one dials."""
    settings: Mapping[str, str] = field(default_factory=dict)
    tls: ClientTls | None = None
    """What it is asked with whether it is ready, where it speaks TLS."""
    _announced: Announced = field(init=False)

    def __post_init__(self) -> None:
        self._announced = Announced(self.state, self.name)

    @property
    def needs(self) -> frozenset[str]:
        """The services that it dials."""
        return frozenset(peer.name for peer in self.calls)

    @property
    def address(self) -> str:
        """host:port; the port is 0 until the first process has announced one."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """In the state folder."""
        return self.state.log(self.name)

    def command(self) -> Sequence[str]:
        """The service's module, on a leash."""
        self._announced.begin()
        return on_a_leash(f"services.{self.name}")

    def environment(self) -> Mapping[str, str]:
        """This process's environment and the service's settings."""
        settings = service_environment(
            self.state,
            self.keys,
            self.name,
            listen=self.address,
            peers={peer.name: peer.address for peer in self.calls},
            settings=self.settings,
            tls=self.tls is not None,
        )
        return {**os.environ, **own_imports(), **settings}

    async def ready(self) -> None:
        """Waits until the service has announced its address and calls itself healthy there."""
        while True:
            address = self._announced.address()
            if address and await is_serving(address, self.tls):
                self.port = self._announced.settle(address)
                return
            await asyncio.sleep(POLL_SECONDS)


async def is_serving(address: str, tls: ClientTls | None = None) -> bool:
    """Whether the standard health service at `address` says SERVING."""
    line = Line(address, [], tls)
    try:
        with line.held() as channel:
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=HEALTH_SECONDS, wait_for_ready=True
            )
    except grpc.aio.AioRpcError:
        return False
    finally:
        await line.close()
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def local_services(
    state: StateFolder,
    keys: Keys,
    ports: Mapping[str, int],
    settings: Mapping[str, Mapping[str, str]] | None = None,
    certificates: Certificates | None = None,
    *,
    directory: bool = False,
) -> list[ServiceProgram]:
    """The three services; `ports` and `settings` go by service name, and a port not given is a free one.

    With `certificates`, of a client, they speak TLS, each with its own of the state folder. With `directory`
    also the local post directory, which licensing then asks.
    """

    def program(name: str, *calls: ServiceProgram) -> ServiceProgram:
        tls = None if certificates is None else ClientTls(certificates, name)
        chosen = (settings or {}).get(name, {})
        return ServiceProgram(name, state, keys, ports.get(name, 0), calls, chosen, tls)

    consent, metering = program("consent"), program("metering")
    known = [program(DIRECTORY)] if directory else []
    return [consent, metering, *known, program("licensing", consent, metering, *known)]
