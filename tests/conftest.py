"""What all tests share: how thoroughly random inputs are searched, and a database server.

`make test` and `make test-all` look briefly, at other inputs each time; `make test-thorough` for long.
"""

import gc
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from services.chassis.revisions import Schema
from services.chassis.sqlite_migrations import migrate
from tests.support.own_logs import logs_as_ever
from tests.support.postgres import BINARIES, MISSING, PostgresServer, a_server
from tests.support.ready_schemas import ReadySchemas, read_once

# By the rules of the package, as licensing itself: those of the machine may be of another release.
zoneinfo.reset_tzpath(())

for name, examples in (("quick", 30), ("thorough", 200)):
    # A loaded machine is slow now and then; that is no fault of the code.
    settings.register_profile(
        name, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
settings.load_profile("quick")


GARBAGE_OBJECTS = 10_000
"""New objects before the young among them are looked at; the interpreter's 700 is for small programs."""
SLOW_FOLDERS = [
    Path(__file__).parent / name
    for name in (
        "e2e",
        "faults",
        "integration/browser",
        "integration/deploy",
        "integration/gateway",
        "integration/pages",
    )
]
"""Of tests that start installations, browsers, Envoy, commands of a cluster, or pages with all the services:
each takes its seconds, or there are hundreds of them."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of some folders and those that need a database server are slow, and so are long ones.

    It is settled before anybody chooses by it. Files with a slow test come first: begun last, one would keep
    its worker busy while the others idle. Benches come after them: they take the processors from whatever
    runs beside them.
    """
    for item in items:
        is_long = item.get_closest_marker("long") is not None
        has_slow_folder = any(item.path.is_relative_to(folder) for folder in SLOW_FOLDERS)
        if is_long or has_slow_folder or _needs_postgresql(item):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}

    def turn(item: pytest.Item) -> int:
        if item.path.name == "test_bench.py":
            return 1
        return 0 if item.path in slow else 2

    items.sort(key=turn)


def _needs_postgresql(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    # Not the values themselves, for whoever compares an array gets another one.
    words = item.callspec.id.split("-") if hasattr(item, "callspec") else ()
    reasons = [mark.kwargs.get("reason") for mark in item.iter_markers("skipif")]
    return "postgresql" in words or "postgres" in item.fixturenames or MISSING in reasons


def pytest_collection_finish() -> None:
    """Leaves what is there for good, modules and all that was collected, out of each look for garbage.

    Walking it again and again is a quarter of what tests cost that begin with services of their own.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, *gc.get_threshold()[1:])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what the tests have measured."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.getreports(key)]
    for report in reports:
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"measured: {value}")


logs_as_ever()


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """What a command that ran in this process has decided about its logs holds for no other test."""
    yield
    logs_as_ever()


@pytest.fixture(scope="session", autouse=True)
def schemas_are_made_once() -> Iterator[None]:
    """Hundreds of tests begin with a new file of each service, and to make its tables takes half a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Schema, "in_folder", read_once(Schema.in_folder))
        patch.setattr("services.chassis.sqlite.run_missing", ReadySchemas(migrate))
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server that tests share; each takes a database of its own."""
    if BINARIES is None:
        pytest.skip(MISSING)
    with a_server() as server:
        yield server
