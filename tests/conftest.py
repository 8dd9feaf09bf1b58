"""What all tests share: how thoroughly random inputs are searched, and a database server.

`make test` and `make test-all` look briefly, at other inputs each time; `make test-thorough` for long.
"""

import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from services.chassis.revisions import Schema
from services.chassis.sqlite_migrations import migrate
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


START_PROGRAMS = [
    Path(__file__).parent / name for name in ("e2e", "faults", "integration/browser", "integration/deploy")
]
"""Folders of tests that start installations, browsers and a cluster's commands; each takes its seconds."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start programs are slow, and so are long ones, before anybody chooses by that.

    Files with a slow test come first: begun last, one would keep its worker busy while the others idle.
    Benches come after them: they take the processors from whatever runs beside them.
    """
    for item in items:
        is_long = item.get_closest_marker("long") is not None
        if is_long or any(item.path.is_relative_to(folder) for folder in START_PROGRAMS):
            item.add_marker(pytest.mark.slow)
    slow = {item.path for item in items if item.get_closest_marker("slow") is not None}

    def turn(item: pytest.Item) -> int:
        if item.path.name == "test_bench.py":
            return 1
        return 0 if item.path in slow else 2

    items.sort(key=turn)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what the tests have measured."""
    reports = [report for key in ("passed", "failed") for report in terminalreporter.getreports(key)]
    for report in reports:
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"measured: {value}")


@pytest.fixture(autouse=True)
def logs_as_ever() -> Iterator[None]:
    """What a command that ran in this process has decided about its logs holds for no other test."""
    yield
    structlog.reset_defaults()


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
