"""A recorded trace shows what its caller waited for in the database; any other shows nothing."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.database_spans import function_name
from services.chassis.refusals import Refusal, precondition
from services.chassis.telemetry import tracer
from tests.support.metering import metering_database_at
from tests.support.telemetry import recording, spans_in


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = metering_database_at(f"sqlite:///{tmp_path}/metering.db")
    yield database
    await database.close()


def ask(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 4711")).scalar_one())


def ask_all(connection: Connection, items: Sequence[int]) -> Sequence[int]:
    return [ask(connection) + item for item in items]


def attributes(span: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in span["attributes"]}


async def test_reads_and_units_of_work_are_spans_below_their_callers(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "traces.jsonl"

    async def call(name: str) -> None:
        with tracer().start_as_current_span(name):
            await database.read(ask)
            await database.write(ask)
            await database.write_together(ask_all, 1)
            assert [each async for each in database.read_each(lambda connection, _: [ask(connection)])] == [
                4711
            ]

    with recording(path):
        await asyncio.gather(call("first"), call("second"))

    spans = spans_in(path)
    callers = {span["spanId"]: span["name"] for span in spans if "parentSpanId" not in span}
    below = sorted((callers[span["parentSpanId"]], span["name"]) for span in spans if "parentSpanId" in span)
    each = ["read metering", "read metering", "write metering", "write metering"]
    assert below == [(name, work) for name in ("first", "second") for work in each]


async def test_a_span_says_which_system_and_which_function_and_no_statement(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "traces.jsonl"

    with recording(path), tracer().start_as_current_span("call"):
        await database.read(ask)

    span = next(span for span in spans_in(path) if span["name"] == "read metering")
    assert attributes(span) == {
        "db.system.name": "sqlite",
        "db.namespace": "metering",
        "db.operation.name": "read",
        "code.function.name": f"{__name__}.ask",
    }
    assert "4711" not in json.dumps(span)


async def test_what_a_unit_was_refused_for_is_an_error_in_its_span(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "traces.jsonl"

    def refuse(_connection: Connection) -> None:
        raise precondition("NOT_READY", "subject 4711 is not ready")

    with recording(path), tracer().start_as_current_span("call"), pytest.raises(Refusal):
        await database.write(refuse)

    span = next(span for span in spans_in(path) if span["name"] == "write metering")
    assert span["status"] == {"code": 2, "message": "NOT_READY"}
    assert "4711" not in path.read_text()


async def test_nothing_is_recorded_of_a_trace_that_is_not_or_of_work_that_nobody_called_for(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "traces.jsonl"

    with recording(path, ratio=0.0), tracer().start_as_current_span("call"):
        await database.read(ask)
    with recording(path):
        await database.write(ask)

    assert spans_in(path) == []


def test_a_function_without_a_name_is_known_by_the_one_that_it_was_written_in() -> None:
    nameless = [lambda: None]

    expected = f"{__name__}.test_a_function_without_a_name_is_known_by_the_one_that_it_was_written_in"
    assert function_name(nameless[0]) == expected
    assert function_name(functools.partial(functools.partial(ask), None)) == f"{__name__}.ask"
    assert function_name(functools.partial) == "functools.partial"
