"""The figures of a pool: those of its workers added up, and of the processes that it consists of.

Each worker keeps its figures in files of a folder that the pool made for them; what a dead one has counted
goes on counting, in files that all dead ones share, and what it only showed does not.
"""

import contextlib
import fcntl
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from services.chassis.metrics import WORKERS_REPLACED

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "figures-"
OF_THE_DEAD = "dead"
"""Instead of a process id in the name of a file."""
SHOWN = "gauge_"
"""How the names of files begin that hold what is only shown."""
REASONS = {"ended by itself": "ended", "hangs": "hangs", "serves no more": "withdrew"}
"""Labels of what `WorkerProcess.failed` says."""
ADDED_UP = {"process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds"}


class PoolFigures:
    """The folder, and what is read from it."""

    def __init__(self, folder: Path, pids: Callable[[], Iterable[int]]) -> None:
        """`pids` are the workers that live."""
        self._folder = folder
        # Whoever reads the figures does so in a thread of its own, and finds each count in one place.
        self._lock = threading.Lock()
        self.registry = CollectorRegistry()
        self.registry.register(_Workers(folder, self._lock))
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
        with self._lock:
            for file in self._folder.glob(f"*_{pid}.db"):
                if has_served and not file.name.startswith(SHOWN) and _is_begun(file):
                    _add_up(file, file.with_name(f"{file.name.partition('_')[0]}_{OF_THE_DEAD}.db"))
                file.unlink()


class _Workers(Collector):
    """What the workers count and show, the dead ones included."""

    def __init__(self, folder: Path, lock: threading.Lock) -> None:
        self._folder = folder
        self._lock = lock

    def collect(self) -> Iterable[Metric]:
        with self._lock:
            files = [str(file) for file in self._folder.glob("*.db") if _is_begun(file)]
            metrics: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return metrics


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


def _is_begun(file: Path) -> bool:
    # One that was made at this moment, or at that of a death, cannot be read.
    return file.stat().st_size > 0


def _add_up(file: Path, into: Path) -> None:
    counts = MmapedDict(str(into))  # type: ignore[no-untyped-call]
    try:
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]
            before, _ = counts.read_value(key)  # type: ignore[no-untyped-call]
            counts.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]
    finally:
        counts.close()  # type: ignore[no-untyped-call]


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
