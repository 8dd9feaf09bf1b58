"""The figures of a pool: those of its workers added up, and of the processes that it consists of.

Each worker keeps its figures in files of a folder that the pool made for them; what a dead one has counted
goes on counting, and what it only showed does not.
"""

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from services.chassis.metrics import WORKERS_REPLACED

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "figures-"
REASONS = {"ended by itself": "ended", "hangs": "hangs", "serves no more": "withdrew"}
"""Labels of what `WorkerProcess.failed` says."""
ADDED_UP = {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds"}


class PoolFigures:
    """The folder, and what is read from it."""

    def __init__(self, folder: Path, pids: Callable[[], Iterable[int]]) -> None:
        """`pids` are the workers that live."""
        self._folder = folder
        self.registry = CollectorRegistry()
        MultiProcessCollector(self.registry, str(folder))  # type: ignore[no-untyped-call]
        self.registry.register(_Processes(pids))
        # Counted here and in no worker, whose figures would have the same name otherwise.
        self.registry.register(WORKERS_REPLACED)
        for reason in REASONS.values():
            WORKERS_REPLACED.labels(reason)

    @property
    def environment(self) -> dict[str, str]:
        """What a worker needs to keep its figures there."""
        return {FOLDER_VARIABLE: str(self._folder)}

    def bury(self, pid: int, *, has_served: bool) -> None:
        """A worker is dead: what it showed is gone, and what it counted too where it never served."""
        mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        if not has_served:
            # Else one that cannot start would fill the disk, try by try.
            for file in self._folder.glob(f"*_{pid}.db"):
                file.unlink(missing_ok=True)


class _Processes(Collector):
    """Processor time, memory and open files of the pool and its workers together."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids

    def collect(self) -> Iterable[Metric]:
        ours = {metric.name: metric for metric in ProcessCollector(registry=None).collect()}
        for pid in self._pids():
            for metric in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]
                if metric.name in ADDED_UP and metric.name in ours:
                    _add(ours[metric.name], metric.samples[0].value)
        if "process_cpu_seconds" in ours:
            spent = getrusage(RUSAGE_CHILDREN)
            # Of workers that have ended: without it the total would fall with each.
            _add(ours["process_cpu_seconds"], spent.ru_utime + spent.ru_stime)
        # That of a process is no figure of several: shared memory would count once for each.
        ours.pop("process_virtual_memory_bytes", None)
        return ours.values()


def _add(metric: Metric, value: float) -> None:
    samples = metric.samples
    metric.samples = [sample._replace(value=sample.value + value) for sample in samples]


@contextlib.contextmanager
def figures_folder(state_dir: Path) -> Iterator[Path]:
    """A new folder below `state_dir`, removed at the end; those of pools that were killed are removed now."""
    state_dir.mkdir(parents=True, exist_ok=True)
    for left in state_dir.glob(f"{PREFIX}*"):
        _remove_if_left(left)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=state_dir))
    try:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_if_left(folder: Path) -> None:
    # One without a lock is being made at this moment, or is left; the next start will know.
    with contextlib.suppress(FileNotFoundError, BlockingIOError), (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
