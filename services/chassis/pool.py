"""Several worker processes that serve together on one port, and the process that keeps them running.

The pool answers no calls itself: it keeps the port, starts workers and replaces those that die or hang, says
for all of them how things are (health, figures, the announced address), and drains them together. There are
none without it: a worker whose pool is gone ends.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import structlog
from grpc_health.v1 import health, health_pb2

from services.chassis.announcements import announce
from services.chassis.metrics import WORKERS_REPLACED, serve_metrics
from services.chassis.pool_figures import REASONS, PoolFigures, figures_folder
from services.chassis.ports import kept_port
from services.chassis.racing import first
from services.chassis.refusals import Refusal, precondition
from services.chassis.serving import health_port, stop_signal
from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_logs
from services.chassis.worker_processes import Launch, Patience, WorkerProcess, environment_of
from services.chassis.workers import this_worker

CLOSING_SECONDS = 3.0
"""For what a worker does when its last call has ended: it closes its database and sends its last spans."""
OF_THE_POOL = ("announce_path", "health_listen", "metrics_listen")
"""Settings that workers do not get."""
Status = health_pb2.HealthCheckResponse

_log = structlog.get_logger(__name__)


def needs_pool(settings: ServiceSettings) -> bool:
    """Whether this process is to start workers instead of serving.

    Raises Refusal (precondition, WORKERS_NEED_POSTGRESQL).
    """
    if settings.workers == 1 or this_worker() is not None:
        return False
    if not settings.database_url.startswith("postgresql"):
        message = "a SQLite file has one process; several workers need PostgreSQL"
        raise precondition("WORKERS_NEED_POSTGRESQL", message)
    return True


async def serve_pool(module: str, settings: ServiceSettings, patience: Patience | None = None) -> None:
    """Serves by `settings.workers` processes of `module` until SIGTERM or SIGINT.

    Raises Refusal (precondition): ADDRESS_IN_USE, that of a worker which cannot start, or WORKER_FAILED.
    """
    start_logs(module.rpartition(".")[2], settings.log_level)
    stop = stop_signal()
    waits = patience or Patience(drain=settings.drain_grace + settings.drain_seconds + CLOSING_SECONDS)
    with kept_port(settings.listen) as address, figures_folder(settings.state_dir) as folder:
        seats: list[_Seat] = []
        figures = PoolFigures(folder, lambda: [seat.process.pid for seat in seats if seat.process])
        standing = _Standing(seats)
        prefix = settings.model_config.get("env_prefix", "")
        environment = environment_of(prefix, {"listen": address}, without=OF_THE_POOL)
        launch = Launch(module, {**environment, **figures.environment}, waits)
        seats += [_Seat(number + 1, launch, figures, standing) for number in range(settings.workers)]
        async with standing.told(), health_port(standing.health, settings.health_listen):
            if settings.metrics_listen is not None:
                _log.info("serving metrics", address=serve_metrics(settings.metrics_listen, figures.registry))
            await _keep(seats, standing, stop, settings, address)
    _log.info("drained")


async def _keep(
    seats: Sequence["_Seat"],
    standing: "_Standing",
    stop: asyncio.Event,
    settings: ServiceSettings,
    address: str,
) -> None:
    """Keeps all workers running until `stop` and drains them then, or when one is given up, and raises."""
    keepers = [asyncio.create_task(seat.keep(), name=f"worker-{seat.number}") for seat in seats]
    given_up = asyncio.gather(*keepers)
    try:
        all_serve = asyncio.gather(*(seat.has_served.wait() for seat in seats))
        await first(all_serve, asyncio.shield(given_up), stop.wait())
        if not stop.is_set():
            announce(settings.announce_path, address)
            _log.info("serving", address=address, workers=len(seats))
        await first(asyncio.shield(given_up), stop.wait())
    finally:
        _log.info("draining")
        await standing.drain()
        for seat in seats:
            seat.stop.set()
        await asyncio.gather(given_up, *keepers, return_exceptions=True)


class _Seat:
    """The place of one worker: whoever leaves it is replaced."""

    def __init__(self, number: int, launch: Launch, figures: PoolFigures, standing: "_Standing") -> None:
        self.number = number
        self.stop = asyncio.Event()
        self.has_served = asyncio.Event()
        self.process: WorkerProcess | None = None
        self._launch = launch
        self._figures = figures
        self._standing = standing

    @property
    def serving(self) -> frozenset[str]:
        """What the worker serves that is here now."""
        return self.process.serving if self.process else frozenset()

    async def keep(self) -> None:
        """Until `stop`; raises Refusal where the first worker does not start, or none serves any more."""
        patience, quick_failures = self._launch.patience, 0
        while not self.stop.is_set():
            served_seconds, why = await self._live()
            if self.stop.is_set():
                return
            quick_failures = quick_failures + 1 if served_seconds < patience.quick else 0
            hopeless = quick_failures >= patience.quick_failures and not self._standing.serving
            if hopeless or not self.has_served.is_set():
                raise why
            delay = min(patience.longest_backoff, patience.backoff * 2**quick_failures)
            _log.error("a worker is replaced", number=self.number, why=str(why), in_seconds=delay)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    await self.stop.wait()

    async def _live(self) -> tuple[float, Refusal]:
        """One worker from start to end: seconds that it served, and why it ended."""
        process = WorkerProcess.start(self._launch, self.number, self._changed)
        self.process = process
        hangs = False
        try:
            failing = asyncio.create_task(process.failed())
            await first(asyncio.shield(failing), self.stop.wait())
            if failing.done():
                WORKERS_REPLACED.labels(REASONS[failing.result()]).inc()
                hangs = failing.result() == "hangs"
            if hangs:
                _log.error("a worker hangs and is killed", number=self.number, pid=process.pid)
        finally:
            failing.cancel()
            why = await process.end(hangs=hangs)
            self.process = None
            self._figures.bury(process.pid, has_served=process.has_served.is_set())
        return process.served_seconds, why

    def _changed(self) -> None:
        if self.serving:
            self.has_served.set()
        self._standing.changed.set()


class _Standing:
    """What the workers serve together, as health tells it."""

    def __init__(self, seats: Sequence[_Seat]) -> None:
        self.health = health.aio.HealthServicer()
        self.changed = asyncio.Event()
        self._seats = seats
        self._names = {""}

    @property
    def serving(self) -> frozenset[str]:
        """What at least one worker serves."""
        return frozenset[str]().union(*(seat.serving for seat in self._seats))

    @contextlib.asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Has health tell it for as long as the body runs."""
        await self._tell()
        telling = asyncio.create_task(self._tell_on(), name="health")
        try:
            yield
        finally:
            telling.cancel()

    async def drain(self) -> None:
        """From now on nothing is served, whatever workers still say."""
        await self.health.enter_graceful_shutdown()

    async def _tell_on(self) -> None:
        while True:
            await self.changed.wait()
            self.changed.clear()
            await self._tell()

    async def _tell(self) -> None:
        serving = self.serving
        self._names |= serving
        for name in self._names:
            await self.health.set(name, Status.SERVING if name in serving else Status.NOT_SERVING)
