"""Every step of every service says what it does to earlier releases, and says it rightly on both engines."""

from pathlib import Path

import pytest
from sqlalchemy import Connection

import services
from services.chassis import postgresql, sqlite
from services.chassis.migrations import run_step
from services.chassis.refusals import Refusal
from services.chassis.revisions import Phase, Schema, Step
from tests.support.engines import ENGINES
from tests.support.inspected import Table, harm, tables
from tests.support.postgres import PostgresServer
from tests.support.schemas import Made, schema_in

NAMES = ["consent", "metering", "licensing", "directory"]
BASELINES = {"consent": "0008", "metering": "0009", "licensing": "0023", "directory": "0001"}
"""What an installation was before phases were kept apart; it moves no more."""

WORDS = (
    "op.create_table('words', sa.Column('word', sa.String(9), primary_key=True), sa.Column('n', sa.Integer))"
)


def schema_of(service: str) -> Schema:
    return Schema.in_folder(Path(services.__path__[0]) / service / "schema")


def changes(
    schema: Schema, engine: str, request: pytest.FixtureRequest, folder: Path
) -> list[tuple[Step, dict[str, Table], dict[str, Table]]]:
    """Runs the steps one after the other on an empty database: each with the tables before and after it."""
    if engine == "sqlite":
        with sqlite.migrating(folder / "service.db") as (connection, driver):
            driver.execute("PRAGMA foreign_keys=OFF")
            return [_change(connection, schema, step) for step in schema.steps]
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.new_database()
    request.addfinalizer(lambda: server.drop(url))
    with postgresql.migrating(url, "words") as connection:
        return [_change(connection, schema, step) for step in schema.steps]


def _change(
    connection: Connection, schema: Schema, step: Step
) -> tuple[Step, dict[str, Table], dict[str, Table]]:
    with connection.begin():
        before = tables(connection)
        run_step(connection, schema, step)
        return step, before, tables(connection)


@pytest.mark.parametrize("service", NAMES)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_expands_or_tunes_takes_nothing_away_and_tightens_nothing(
    service: str, engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found = changes(schema_of(service), engine, request, tmp_path)

    told = {step.revision: harm(before, after) for step, before, after in found if step.phase != "contract"}
    assert {revision: faults for revision, faults in told.items() if faults} == {}


@pytest.mark.parametrize("service", NAMES)
def test_what_tunes_makes_no_tables_and_no_columns(
    service: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    found = changes(schema_of(service), "sqlite", request, tmp_path)

    assert [step.revision for step, before, after in found if step.phase == "tune" and before != after] == []


@pytest.mark.parametrize("service", NAMES)
def test_the_baseline_is_where_it_was(service: str) -> None:
    schema = schema_of(service)

    assert [step.revision for step in schema.steps if step.ends_baseline] == [BASELINES[service]]
    assert [step.position for step in schema.steps] == [int(step.revision) for step in schema.steps]


@pytest.mark.parametrize("service", NAMES)
def test_every_step_says_in_a_sentence_what_it_does(service: str) -> None:
    assert all(step.sentence.endswith(".") for step in schema_of(service).steps)


def test_a_revision_without_a_phase_is_a_defect(tmp_path: Path) -> None:
    folder = schema_in(tmp_path, [Made("0001", "expand", WORDS)])
    file = folder / "versions" / "0001_step.py"
    file.write_text(file.read_text(encoding="utf-8").replace("phase =", "phrase ="), encoding="utf-8")

    with pytest.raises(ValueError, match="revision 0001 does not say its phase"):
        Schema.in_folder(folder)


def test_what_takes_away_is_run_in_a_transaction_or_refused(tmp_path: Path) -> None:
    as_it_goes = Made(
        "0002", "contract", "op.drop_column('words', 'n')", more="is_baseline = False\nin_transaction = False"
    )

    with pytest.raises(Refusal, match="SCHEMA_BROKEN: revision 0002 takes something away"):
        Schema.in_folder(schema_in(tmp_path, [Made("0001", "expand", WORDS), as_it_goes]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("op.drop_table('words')", "table words is gone"),
        ("op.drop_column('words', 'n')", "words: column n is gone"),
        (
            "op.add_column('words', sa.Column('m', sa.Integer, nullable=False, server_default='0'))",
            "",
        ),
        ("op.create_index('ix', 'words', ['n'])", ""),
        ("op.create_index('uq', 'words', ['n'], unique=True)", "words: new: unique index uq n"),
        ("op.create_table('more', sa.Column('n', sa.Integer, nullable=False))", ""),
    ],
)
def test_harm_is_noticed(
    engine: str, body: str, fault: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = schema_in(tmp_path / "schema", [Made("0001", "expand", WORDS), Made("0002", "expand", body)])

    (_, (_, before, after)) = changes(Schema.in_folder(folder), engine, request, tmp_path)

    assert harm(before, after) == ([fault] if fault else [])


def test_a_column_that_has_to_be_given_is_noticed(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    must = Made("0002", "expand", "op.add_column('words', sa.Column('m', sa.Integer, nullable=False))")
    folder = schema_in(tmp_path / "schema", [Made("0001", "expand", WORDS), must])

    (_, (_, before, after)) = changes(Schema.in_folder(folder), "postgresql", request, tmp_path)

    assert harm(before, after) == ["words: column m is new and has to be given"]


def test_a_floor_is_raised_by_what_takes_away_and_by_the_baseline(tmp_path: Path) -> None:
    steps = [
        Made("0001", "expand", WORDS),
        Made("0002", "expand", "pass", more="is_baseline = True"),
        Made("0003", "tune", "pass"),
        Made("0004", "contract", "pass"),
        Made("0005", "expand", "pass"),
    ]

    schema = Schema.in_folder(schema_in(tmp_path, steps))

    assert [schema.floor_at(step.revision) for step in schema.steps] == [
        "0001",
        "0002",
        "0002",
        "0004",
        "0004",
    ]
    assert [step.is_needed for step in schema.steps] == [True, True, False, False, True]
    assert [step.waits for step in schema.steps] == [False, False, False, True, False]
    assert schema.steps[3].phase is Phase.CONTRACT
