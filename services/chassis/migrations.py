"""Where a database stands in the line of its schema's steps, which of them are missing, and how one is run.

A database keeps, beside its revision, its floor: the revision that a process must know to run on it. Only
what takes something away raises the floor, so that a release runs on what later ones have added.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
import structlog
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep
from sqlalchemy import Connection

from services.chassis.refusals import Refusal, precondition
from services.chassis.revisions import Schema, Step

SCHEMA_UNKNOWN = "SCHEMA_UNKNOWN"
"""The reason where a release is too old for a database, for good."""
_METADATA = sa.MetaData()
_VERSION = sa.Table("alembic_version", _METADATA, sa.Column("version_num", sa.String(32)))
"""Alembic's own."""
_FLOOR = sa.Table(
    "schema_floor",
    _METADATA,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("revision", sa.String(32), nullable=False),
)
"""One row. It is no step's: it has to be there whichever release looks."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a database stands."""

    revision: str | None
    """None of an empty one."""
    floor: str | None
    """None of an empty one, and where no release has been that keeps it."""

    @property
    def is_empty(self) -> bool:
        """Whether it has had no step yet."""
        return self.revision is None


EMPTY = SchemaState(None, None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run now, and what is left for later, in order."""

    steps: tuple[Step, ...]
    left: tuple[Step, ...]

    @property
    def lacks(self) -> tuple[Step, ...]:
        """Of all, those without which this release cannot serve."""
        return needed(self.steps + self.left)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened while a database was migrated."""

    event: str
    """`begun` or `done`, of a step; `blocked`, of a step that gets no lock on a table; `waiting`, for another
    process that migrates; `looking`, for processes of earlier releases; `confirming`, what waits for a
    standby."""
    step: Step | None = None
    seconds: float | None = None
    """How long the step took."""


Tell = Callable[[Told], None]


def logged(told: Told) -> None:
    """Tells the log of a service that migrates as it starts."""
    match told:
        case Told("waiting"):
            _log.info("another process migrates the database")
        case Told("confirming"):
            _log.warning("what was migrated waits for the standby")
        case Told("blocked", Step(revision=revision)):
            _log.warning("a step of the schema gets no lock on a table", revision=revision)
        case Told("done", Step(revision=revision)):
            _log.info("a step of the schema is done", revision=revision, seconds=told.seconds)


def state_of(connection: Connection) -> SchemaState:
    """Reads where the database stands, in the transaction that is open."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(_VERSION.name):
        return EMPTY
    revisions = connection.scalars(sa.select(_VERSION.c.version_num)).all()
    if not revisions:
        return EMPTY
    floor = None
    if inspector.has_table(_FLOOR.name):
        floor = connection.scalar(sa.select(_FLOOR.c.revision))
    # Two heads are no line of ours: nobody knows a revision of that name.
    return SchemaState("+".join(revisions), floor)


def pending(schema: Schema, state: SchemaState) -> tuple[Step, ...]:
    """The steps that the database has not had; none where it has had later ones that leave this release be.

    Raises Refusal (precondition, SCHEMA_UNKNOWN) where this release is too old to run on it.
    """
    if state.revision is None:
        return schema.steps
    if schema.knows(state.revision):
        return schema.after(state.revision)
    if state.floor is not None and schema.knows(state.floor):
        return ()
    raise _unknown(state)


def plan(schema: Schema, state: SchemaState, *, contract: bool) -> Plan:
    """What is to be run; steps that wait, and what comes after them, only with `contract` or from nothing.

    Raises Refusal as `pending`.
    """
    missing = pending(schema, state)
    if contract or state.is_empty:
        return Plan(missing, ())
    waiting = next((at for at, step in enumerate(missing) if step.waits), len(missing))
    return Plan(missing[:waiting], missing[waiting:])


def needed(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Those of them without which this release cannot serve."""
    return tuple(step for step in steps if step.is_needed)


def check_served(connection: Connection, schema: Schema, name: str) -> None:
    """Raises Refusal where this release cannot serve on the database as it is.

    SCHEMA_BEHIND (precondition): it lacks a step; SCHEMA_UNKNOWN, as `pending`.
    """
    missing = pending(schema, state_of(connection))
    if needed(missing):
        raise behind(name, missing)


def check_known(connection: Connection, schema: Schema) -> None:
    """Raises Refusal as `pending`: for a process that runs, whose database may have been moved on."""
    pending(schema, state_of(connection))


def run_step(connection: Connection, schema: Schema, step: Step) -> None:
    """Runs one step and notes it, in the transaction that is open."""
    run_body(connection, step)
    note_step(connection, schema, step)


def run_body(connection: Connection, step: Step) -> None:
    """Does what one step does, and does not note it."""
    with Operations.context(MigrationContext.configure(connection)):
        step.script.module.upgrade()


def note_step(connection: Connection, schema: Schema, step: Step) -> None:
    """Has the database say that it has had the step, and what a process must know then: in one transaction,
    which is open."""
    taken = MigrationStep.upgrade_from_script(schema.scripts.revision_map, step.script)
    MigrationContext.configure(connection).stamp(schema.scripts, taken.to_revisions[0])
    note_floor(connection, schema.floor_at(step.revision))


def note_floor(connection: Connection, floor: str) -> None:
    """Has the database say which revision a process must know, in the transaction that is open."""
    _FLOOR.create(connection, checkfirst=True)
    if connection.scalar(sa.select(_FLOOR.c.revision)) == floor:
        return
    connection.execute(sa.delete(_FLOOR))
    connection.execute(sa.insert(_FLOOR).values(id=1, revision=floor))


def lacks_floor(schema: Schema, state: SchemaState) -> bool:
    """Whether the database was made by a release that kept none."""
    return state.revision is not None and state.floor is None and schema.knows(state.revision)


def behind(name: str, missing: Sequence[Step]) -> Refusal:
    """The database lacks steps without which this release does not serve; says which command runs them."""
    at = next(at for at, step in enumerate(missing) if step.is_needed)
    lacks = missing[at]
    message = f"the database of {name} lacks revision {lacks.revision}, which this release needs"
    waits = next((step for step in missing[:at] if step.waits), None)
    if waits is None:
        return precondition("SCHEMA_BEHIND", f"{message}: run `sluice migrate {name}`")
    return precondition(
        "SCHEMA_BEHIND",
        f"{message}, and before it {waits.revision}, which takes away what an earlier release uses: when no"
        f" process of that is left, run `sluice migrate {name} --contract`",
    )


def _unknown(state: SchemaState) -> Refusal:
    floor = "" if state.floor is None else f", and from {state.floor} on releases before that cannot use it"
    return precondition(
        SCHEMA_UNKNOWN,
        "the database has a schema that this release does not know: it is at revision"
        f" {state.revision}{floor}. Run a release that knows it, or restore a backup from before it"
        " (docs/upgrades.md)",
    )
