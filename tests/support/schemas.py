"""Schema folders made for a test: releases of one small service, each with the steps of the one before."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, inspect

from services.chassis.database import Database
from services.chassis.migrating import Target, look, migrate
from services.chassis.migrations import Told
from services.chassis.revisions import Schema


class Made(NamedTuple):
    """A revision to be written."""

    revision: str
    phase: str
    body: str
    """Statements of its upgrade()."""
    more: str = ""
    """Further lines of the module."""


WORDS = Made(
    "0001",
    "expand",
    "op.create_table('words', sa.Column('word', sa.Text, primary_key=True), sa.Column('length', sa.Integer))",
)
ORIGIN = Made("0002", "expand", "op.add_column('words', sa.Column('origin', sa.Text))")
INDEX = Made("0003", "tune", "op.create_index('ix_words_origin', 'words', ['origin'])")
NO_LENGTH = Made("0004", "contract", "op.drop_column('words', 'length')")
RHYME = Made("0005", "expand", "op.add_column('words', sa.Column('rhyme', sa.Text))")
FIRST = (WORDS,)
"""A release."""
EXPANDED = (WORDS, ORIGIN, INDEX)
SECOND = (WORDS, ORIGIN, INDEX, NO_LENGTH)
"""The one after it."""
THIRD = (*SECOND, RHYME)


def schema_in(folder: Path, steps: Sequence[Made]) -> Path:
    """Writes the steps as a schema folder."""
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    before = None
    for step in steps:
        lines = [
            f'"""Does what {step.revision} does."""',
            "import sqlalchemy as sa",
            "from alembic import op",
            f"revision = {step.revision!r}",
            f"down_revision = {before!r}",
            f"phase = {step.phase!r}",
            step.more,
            "def upgrade() -> None:",
            *(f"    {line}" for line in step.body.splitlines()),
        ]
        (versions / f"{step.revision}_step.py").write_text("\n".join(lines) + "\n", encoding="utf-8")
        before = step.revision
    return folder


class Release:
    """A release of the service: the steps that it knows, and a database that it is run on."""

    def __init__(self, folder: Path, url: str, *steps: Made) -> None:
        self.folder = schema_in(folder / "-".join([str(len(steps)), steps[-1].revision]), steps)
        self.url = url
        self.told: list[Told] = []

    @property
    def target(self) -> Target:
        """What its `sluice migrate` works on."""
        return Target("words", self.url, Schema.in_folder(self.folder))

    def started(self, *, migrate: bool = True) -> Database:
        """A process of it."""
        return Database.open(self.url, schema_dir=self.folder, name="words", migrate=migrate)

    def starts(self, *, migrate: bool = True) -> None:
        """Has a process of it start and end."""
        self.started(migrate=migrate).close_now()

    def migrates(self, *, contract: bool = False) -> list[str]:
        """Runs its migrations; the revisions that were run."""
        done = migrate(self.target, contract=contract, tell=self.told.append)
        return [step.revision for step in done.steps]

    def stands(self) -> tuple[str | None, str | None]:
        """Revision and floor of the database."""
        state, _ = look(self.target, contract=True)
        return state.revision, state.floor


def columns(connection: Connection) -> list[str]:
    """Those of the words."""
    return [column["name"] for column in inspect(connection).get_columns("words")]
