"""Runs the gRPC services of a process from the bound port to the drained end.

Being told to stop (SIGTERM, SIGINT) loses no call: health says NOT_SERVING, callers get time to notice,
what runs is finished, streams that would go on are read and told no further and end well, and what was begun
in the background is ended before the things that it uses are closed.
"""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import structlog
import uvloop
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from services.chassis.addresses import parse_address
from services.chassis.announcements import announce
from services.chassis.certificates import Certificates
from services.chassis.certified import CertifiedCallers
from services.chassis.channels import SERVER_OPTIONS, server_options
from services.chassis.clock import SystemClock
from services.chassis.garbage import look_from_now_on
from services.chassis.identity import AdmissionTable
from services.chassis.interceptors import Guard
from services.chassis.limits import Limits
from services.chassis.metrics import WORKERS, WORKERS_CONFIGURED, expect_methods, serve_metrics
from services.chassis.ports import sharing
from services.chassis.recording import ActionLog
from services.chassis.refusals import Refusal, address_in_use
from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import Telemetry
from services.chassis.tls import CONNECTION_AGE_MS, CertificateWatch, ServerTls
from services.chassis.verifying import TokenVerifier
from services.chassis.workers import Beat, Worker, this_worker

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Bolt:
    """One gRPC service to serve."""

    register: Callable[[Any, grpc.aio.Server], None]
    """The generated add_<Service>Servicer_to_server."""
    servicer: object
    full_name: str
    """Such as "grpc.health.v1.Health"; for health and reflection."""


class BackgroundTask(Protocol):
    """Something that runs beside the calls for as long as they are served."""

    name: str

    async def run(self) -> None:
        """Runs until it is cancelled; to return or raise earlier stops the whole process."""
        ...


class Server:
    """The listening half of a process: services, health and reflection behind one guard."""

    def __init__(
        self,
        bolts: Sequence[Bolt],
        admissions: AdmissionTable,
        verifier: TokenVerifier,
        *,
        limits: Limits,
        tls: ServerTls | None = None,
        actions: ActionLog | None = None,
        connection_age_seconds: float = 0,
        shares_port: bool = False,
    ) -> None:
        """With `tls` it is spoken and demanded, and services are who their certificates say.

        No connection takes calls for longer than `connection_age_seconds`; 0 is no limit. With `shares_port`
        others may listen on the same port, where somebody keeps it for them all.
        """
        certified = None if tls is None else CertifiedCallers(verifier, tls.trust_domain, tls.clock)
        guard = Guard(
            admissions=admissions, verifier=verifier, limits=limits, certified=certified, actions=actions
        )
        self._ending = guard.ending
        self._credentials = None if tls is None else tls.credentials()
        options = server_options(connection_age_seconds, CONNECTION_AGE_MS if tls else None)
        options = sharing(options) if shares_port else options
        self._server = grpc.aio.server(interceptors=[guard], options=options)
        self._names = [bolt.full_name for bolt in bolts]
        self.health = health.aio.HealthServicer()
        self.serving: frozenset[str] = frozenset()
        """The names that health calls SERVING; the process as a whole is ""."""
        self.changed = asyncio.Event()
        """Set whenever they change, to be cleared by whoever waits for it."""
        expect_methods(method.removeprefix("/") for method in admissions)
        for bolt in bolts:
            bolt.register(bolt.servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        reflection.enable_server_reflection(
            [*self._names, health.SERVICE_NAME, reflection.SERVICE_NAME], self._server
        )

    async def start(self, listen: str) -> str:
        """Serves at `listen` ("host:port"); returns the address with the port that was really bound.

        Raises Refusal (precondition, ADDRESS_IN_USE) when it cannot be bound.
        """
        address = bind(self._server, listen, self._credentials)
        await self._server.start()
        await self._say(health_pb2.HealthCheckResponse.SERVING)
        return address

    async def doubt(self) -> None:
        """Says NOT_SERVING, and serves on: no more callers are to be sent here."""
        await self._say(health_pb2.HealthCheckResponse.NOT_SERVING)

    async def drain(self, *, grace_seconds: float, finish_seconds: float) -> None:
        """Says NOT_SERVING, serves on for `grace_seconds`, then gives what runs `finish_seconds` to end.

        Only then do streams learn of it: a caller who opens another at once finds another process.
        """
        await self.health.enter_graceful_shutdown()
        self._note(frozenset())
        await asyncio.sleep(grace_seconds)
        self._ending.come()
        await self._server.stop(finish_seconds)

    async def _say(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        names = ("", *self._names)
        for name in names:
            await self.health.set(name, status)
        is_serving = status == health_pb2.HealthCheckResponse.SERVING
        self._note(frozenset(names) if is_serving else frozenset())

    def _note(self, serving: frozenset[str]) -> None:
        self.serving = serving
        WORKERS.set(1 if serving else 0)
        self.changed.set()


def bind(server: grpc.aio.Server, listen: str, credentials: grpc.ServerCredentials | None = None) -> str:
    """Binds, without `credentials` without TLS; returns host:port.

    Raises Refusal (precondition, ADDRESS_IN_USE).
    """
    host, _ = parse_address(listen)
    try:
        if credentials is None:
            port = server.add_insecure_port(listen)
        else:
            port = server.add_secure_port(listen, credentials)
    except RuntimeError as error:
        raise address_in_use(listen) from error
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve(
    *,
    settings: ServiceSettings,
    bolts: Sequence[Bolt],
    admissions: AdmissionTable,
    verifier: TokenVerifier,
    actions: ActionLog | None,
    telemetry: Telemetry,
    background: Sequence[BackgroundTask] = (),
    on_close: Sequence[Callable[[], Awaitable[None]]] = (),
    failed: asyncio.Event | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, drains, closes (`on_close` in order), flushes traces and returns.

    `actions` is where operators' actions are put on record; None is for a service in which they have none.
    Once `failed` is set, health says NOT_SERVING until the end.

    Raises Refusal (precondition): ADDRESS_IN_USE, CERTIFICATE_UNUSABLE and those of `settings.tls_files`; and
    RuntimeError after an orderly end that a background task forced by ending first.
    """
    try:
        stop = stop_signal()
        WORKERS_CONFIGURED.set(settings.workers)
        tls = _tls(settings)
        shares_port = this_worker() is not None
        server = Server(
            bolts,
            admissions,
            verifier,
            limits=_limits(settings),
            tls=tls,
            actions=actions,
            connection_age_seconds=settings.max_connection_age,
            shares_port=shares_port,
        )
        watches = () if tls is None else (CertificateWatch(tls.certificates),)
        async with health_port(server.health, settings.health_listen):
            address = await server.start(settings.listen)
            if settings.metrics_listen is not None:
                _log.info("serving metrics", address=serve_metrics(settings.metrics_listen))
            announce(settings.announce_path, address)
            _log.info("serving", address=address, tls=tls is not None)
            beside = (*background, *watches, *verifier.errands, *_beats(server))
            async with _running(beside, stop), doubting(server, failed):
                await stop.wait()
                _log.info("draining")
                await server.drain(grace_seconds=settings.drain_grace, finish_seconds=settings.drain_seconds)
    finally:
        for close in on_close:
            await close()
        await asyncio.to_thread(telemetry.shutdown)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs a service's main coroutine on uvloop; a refusal ends it with one clear line and status 1.

    That line is the pool's to say where this is a worker.
    """
    look_from_now_on()
    worker = this_worker()
    if worker is not None:
        worker.hold()
    try:
        uvloop.run(main)
    except Refusal as refusal:
        if worker is not None:
            worker.tell(Beat(refusal=refusal))
            sys.exit(1)
        sys.exit(f"{refusal.reason}: {refusal.message}")


def _limits(settings: ServiceSettings) -> Limits:
    return Limits(
        settings.max_in_flight, settings.max_streams, settings.max_streams_each, settings.max_strangers
    )


def _tls(settings: ServiceSettings) -> ServerTls | None:
    files = settings.tls_files
    if files is None:
        return None
    clock = SystemClock()
    return ServerTls(Certificates(files, clock, use="server"), settings.tls_trust_domain, clock)


def stop_signal() -> asyncio.Event:
    """Set by SIGTERM and by SIGINT, which end nothing by themselves any more."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


class _Beats:
    """Has the pool know how things are for as long as calls are served."""

    name = "beats"

    def __init__(self, worker: Worker, server: Server) -> None:
        self._worker = worker
        self._server = server

    async def run(self) -> None:
        """Beats until it is cancelled."""
        await self._worker.beat(lambda: self._server.serving, self._server.changed)


def _beats(server: Server) -> tuple[BackgroundTask, ...]:
    worker = this_worker()
    return () if worker is None else (_Beats(worker, server),)


@contextlib.asynccontextmanager
async def health_port(servicer: health.aio.HealthServicer, listen: str | None) -> AsyncIterator[None]:
    """Health alone on a port of its own: a kubelet's probe shows no client certificate."""
    if listen is None:
        yield
        return
    probes = grpc.aio.server(options=SERVER_OPTIONS)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, probes)
    bind(probes, listen)
    await probes.start()
    try:
        yield
    finally:
        await probes.stop(None)


@contextlib.asynccontextmanager
async def doubting(server: Server, failed: asyncio.Event | None) -> AsyncIterator[None]:
    """Has health say so when the process has failed, for as long as the body runs."""
    if failed is None:
        yield
        return

    async def wait() -> None:
        await failed.wait()
        await server.doubt()

    waiting = asyncio.create_task(wait(), name="health")
    try:
        yield
    finally:
        waiting.cancel()


@contextlib.asynccontextmanager
async def _running(background: Sequence[BackgroundTask], stop: asyncio.Event) -> AsyncIterator[None]:
    """Runs the tasks beside the body and cancels them after it; one that ends by itself ends everything."""

    def end_all(task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            # At once, for whoever waits for this process may not let it come to its end.
            _log.error("a background task ended", task=task.get_name(), why=repr(task.exception()))
        stop.set()

    tasks = [asyncio.create_task(task.run(), name=task.name) for task in background]
    for task in tasks:
        task.add_done_callback(end_all)
    try:
        yield
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        raise RuntimeError(f"the background task {task.get_name()} ended") from task.exception()
