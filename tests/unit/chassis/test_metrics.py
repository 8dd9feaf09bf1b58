"""Figures of several workers become those of their pool: each gauge says how, and none is read by a call."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Gauge
from structlog.testing import capture_logs

from services.chassis import metrics
from services.chassis.metrics import show, show_now

ROOT = Path(__file__).resolve().parents[3]
ALLOWED = {"livesum", "livemax", "livemin", "livemostrecent"}
"""What a dead worker showed is true no longer."""


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def sources_with_figures() -> list[Path]:
    found = sorted((ROOT / "services").rglob("*.py"))
    return [path for path in found if "from prometheus_client import" in path.read_text(encoding="utf-8")]


def test_every_gauge_says_how_workers_add_up() -> None:
    gauges = [
        (path.name, {word.arg: word.value for word in call.keywords}.get("multiprocess_mode"))
        for path in sources_with_figures()
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "Gauge"
    ]

    assert len(gauges) > 10
    assert [name for name, mode in gauges if getattr(mode, "value", None) not in ALLOWED] == []


def test_a_gauge_that_follows_a_value_does_so_in_workers_too() -> None:
    followers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "services").rglob("*.py"))
        for call in calls(path)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "set_function"
    ]

    assert followers == ["services/chassis/metrics.py"]


def test_what_is_shown_is_set_at_once_and_again() -> None:
    values = iter([1.0, 2.0])
    gauge = Gauge("a_value", "One.", registry=None, multiprocess_mode="livesum")

    show(gauge, lambda: next(values, 3.0))
    first = gauge._value.get()
    show_now()

    assert (first, gauge._value.get()) == (1.0, 2.0)
    [shown] = gauge.collect()
    assert shown.samples[0].value == 3.0


def test_a_value_that_cannot_be_had_leaves_the_others_alone_and_is_logged_once_until_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "_shown", {})
    faults, values = [False, True, True, False, True], iter(range(5))
    faulty = Gauge("faulty", "It.", registry=None, multiprocess_mode="livesum")
    sound = Gauge("sound", "It.", registry=None, multiprocess_mode="livesum")

    def read() -> float:
        if faults.pop(0):
            raise LookupError("lost the thread")
        return 7

    show(faulty, read)
    show(sound, lambda: next(values))
    with capture_logs() as logs:
        for _ in range(4):
            show_now()

    assert (faulty._value.get(), sound._value.get()) == (7, 4)
    assert [(entry["event"], entry["figure"]) for entry in logs] == [
        ("a figure cannot be read", "faulty"),
        ("a figure cannot be read", "faulty"),
    ]
