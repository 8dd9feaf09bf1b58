"""Folders of figures: one for each pool, gone with it; what killed pools left goes at the next start."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values

from services.chassis.pool_figures import PoolFigures, figures_folder

REPLACED = 300


@pytest.fixture
def count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Counting"]:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    yield Counting(monkeypatch)
    values.close_all_multiprocess_files()  # type: ignore[no-untyped-call]


class Counting:
    """Counts as a worker does, whose process id is said."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def __call__(self, pid: int) -> None:
        """Two calls of one method and one of another, of which a quarter of a second is known; shows 5."""
        value = values.MultiProcessValue(lambda: pid)  # type: ignore[no-untyped-call]
        self._patch.setattr("prometheus_client.metrics.values.ValueClass", value)
        registry = CollectorRegistry()
        calls = Counter("calls", "Calls.", ["method"], registry=registry)
        seconds = Histogram("seconds", "Seconds.", buckets=(0.1, 1.0), registry=registry)
        depth = Gauge("depth", "Depth.", registry=registry, multiprocess_mode="livesum")
        calls.labels("Say").inc(2)
        calls.labels("Who").inc()
        seconds.observe(0.25)
        depth.set(5)
        values.close_all_multiprocess_files()  # type: ignore[no-untyped-call]


def told(figures: PoolFigures) -> dict[str, float]:
    lines = generate_latest(figures.registry).decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    others = ("process_", "sluice_")
    return {name: float(value) for name, _, value in pairs if not name.startswith(others)}


def test_a_folder_that_was_left_is_removed_and_one_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / "figures-left"
    left.mkdir()
    (left / "lock").touch()
    (left / "counter_1.db").touch()

    with figures_folder(tmp_path) as first, figures_folder(tmp_path) as second:
        present = set(tmp_path.glob("figures-*"))

    assert present == {first, second}
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_never_served_leaves_nothing(tmp_path: Path, count: Counting) -> None:
    figures = PoolFigures(tmp_path, lambda: ())
    for pid in (7, 77):
        count(pid)

    figures.bury(7, has_served=False)

    assert {file.name for file in tmp_path.iterdir()} == {
        "counter_77.db",
        "gauge_livesum_77.db",
        "histogram_77.db",
    }


def test_what_hundreds_of_dead_workers_counted_is_kept_to_the_last_one_and_in_little_room(
    tmp_path: Path, count: Counting
) -> None:
    figures = PoolFigures(tmp_path, lambda: ())

    for pid in range(1000, 1000 + REPLACED):
        count(pid)
        figures.bury(pid, has_served=True)
    count(7)

    assert told(figures) == {
        'calls_total{method="Say"}': 602,
        'calls_total{method="Who"}': 301,
        'seconds_bucket{le="0.1"}': 0,
        'seconds_bucket{le="1.0"}': 301,
        'seconds_bucket{le="+Inf"}': 301,
        "seconds_count": 301,
        "seconds_sum": 75.25,
        "depth": 5,
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "counter_7.db",
        "counter_dead.db",
        "gauge_livesum_7.db",
        "histogram_7.db",
        "histogram_dead.db",
    ]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) == 5 * 65_536


def test_figures_are_read_whole_while_workers_are_buried(tmp_path: Path, count: Counting) -> None:
    figures, over, seen, failures = PoolFigures(tmp_path, lambda: ()), threading.Event(), [0.0], list[str]()
    count(1)

    def read_on() -> None:
        while not over.is_set():
            try:
                seen.append(told(figures)['calls_total{method="Say"}'])
            except (OSError, KeyError) as error:
                failures.append(repr(error))

    reading = threading.Thread(target=read_on)
    reading.start()
    for pid in range(1, 60):
        count(pid + 1)
        figures.bury(pid, has_served=True)
    over.set()
    reading.join()

    assert failures == []
    assert seen == sorted(seen)
    assert told(figures)['calls_total{method="Say"}'] == 120


def test_a_worker_that_dies_as_it_makes_a_file_disturbs_nobody(tmp_path: Path, count: Counting) -> None:
    figures = PoolFigures(tmp_path, lambda: ())
    count(7)
    (tmp_path / "counter_8.db").touch()
    (tmp_path / "counter_9.db").touch()

    figures.bury(8, has_served=True)

    assert told(figures)['calls_total{method="Say"}'] == 2
    assert not (tmp_path / "counter_8.db").exists()


def test_workers_that_are_replaced_are_counted_from_0_for_each_reason(tmp_path: Path) -> None:
    told = generate_latest(PoolFigures(tmp_path, lambda: ()).registry).decode()

    for reason in ("ended", "hangs", "withdrew"):
        assert f'sluice_workers_replaced_total{{reason="{reason}"}} ' in told
