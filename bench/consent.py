"""Consent measured: `python -m bench.consent`, with a database query and a Python set beside it in the same
run.

Figures are medians. Aims are those of the design: at batch 10,000 at most 150 ns a post in the kernel, 28
bytes a subject and twice that while it grows, 10 million subjects loaded in 30 s, acknowledged choices p99
under 50 ms on SQLite.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, bindparam, text

from bench.fixtures import NOTICE, Fixture, filled, open_database
from bench.timing import machine, timed, timed_async
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.consent.acknowledging import Acknowledger
from services.consent.domain.batches import Batch
from services.consent.domain.choices import Draft, Scope, Stance
from services.consent.domain.policies import PolicyDraft, Regime, Rule
from services.consent.domain.verdicts import EVERYWHERE, Question
from services.consent.id_table import IdTable
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.storage.register import SqlRegister

BATCHES = (1, 100, 1_000, 10_000)
IN_FLIGHT = (1, 16, 64)
CHOICES = 1_600
QUESTION = Question("acme", 2, EVERYWHERE)
UNKNOWN, EMBEDDING, STATED = 0.03, 0.1, 0.01
"""Shares of posts with an author nobody knows, with an embed, and with a state of their own."""


@dataclass(frozen=True)
class Figure:
    """One line of the report."""

    what: str
    value: float
    unit: str
    subjects: int
    ratio: float | None = None
    """How many times as long the comparison takes."""
    aim: float | None = None
    """At most; None where there is none."""

    @property
    def met(self) -> str:
        """Whether the aim is met."""
        if self.aim is None:
            return ""
        return "met" if self.value <= self.aim else "NOT MET"


class Bench:
    """One database, its index, and questions about it."""

    def __init__(self, fixture: Fixture, database: Database) -> None:
        self.fixture = fixture
        self.database = database
        self.index = Index(seed=7)
        self.register = SqlRegister(database)
        self.figures: list[Figure] = []
        self._members = set(fixture.subject_ids.view(np.int64).tolist())
        self._random = np.random.default_rng(11)
        clock = SystemClock()
        self._clock = clock
        acknowledger = Acknowledger(clock, permit_us=30_000_000, margin_us=1_000_000)
        self.registrar = Registrar(self.register, self.index, clock, acknowledger)

    def note(
        self, what: str, value: float, unit: str, *, ratio: float | None = None, aim: float | None = None
    ) -> None:
        """Keeps a figure."""
        self.figures.append(Figure(what, value, unit, len(self.fixture.subject_ids), ratio, aim))

    async def run(self) -> list[Figure]:
        """Everything, from loading on."""
        say("loading the index")
        await self._load()
        await self._policy()
        say("asking")
        for size in BATCHES:
            await self._ask(size)
        say("choosing")
        for at_once in IN_FLIGHT:
            await self._choose(at_once)
        await self._effect()
        return self.figures

    async def _load(self) -> None:
        subjects = len(self.fixture.subject_ids)
        started = time.perf_counter()
        await self.register.follow(self.index)
        aim = 30.0 if subjects >= 10_000_000 else None
        self.note("load from the database", time.perf_counter() - started, "s", aim=aim)
        self.note("steady state", self.index.view().subjects.bytes / subjects, "bytes a subject", aim=28)
        aim = 56.0 if subjects >= 1_000_000 else None
        self.note("while it grows, at most", _growing(subjects) / subjects, "bytes a subject", aim=aim)

    async def _policy(self) -> None:
        rules = tuple(Rule(place, purpose, Regime.OPT_OUT) for place in ("US", "DE") for purpose in (1, 2))
        effective_us = self._clock.now_us() + 50_000
        draft = PolicyDraft(effective_us, bytes(32), rules, frozenset({NOTICE}))
        await self.registrar.publish(draft, self._key())
        await asyncio.sleep(0.06)
        await self.registrar.follow()

    async def _ask(self, size: int) -> None:
        batch = self._batch(size)
        view = self.index.view()
        kernel = timed(lambda: view.reasons(QUESTION, batch)).median / size
        whole = await timed_async(lambda: self.registrar.check(QUESTION, batch), 50)
        asked = np.concatenate((batch.author_ids, batch.embed_author_ids)).view(np.int64).tolist()
        query = (
            self.database.read_now(lambda c: timed(lambda: _rows(c, asked), least=5, most=50)).median / size
        )
        members = self._members
        in_set = timed(lambda: [each in members for each in asked]).median / size
        aim = 150.0 if size == BATCHES[-1] else None
        self.note(f"kernel, batch {size:,}", kernel * 1e9, "ns a post", aim=aim)
        self.note(
            f"  a Python set (only: who is there), batch {size:,}",
            in_set * 1e9,
            "ns a post",
            ratio=in_set / kernel,
        )
        self.note(
            f"  WHERE subject_id IN (...), batch {size:,}", query * 1e9, "ns a post", ratio=query / kernel
        )
        self.note(f"whole check with the head read, batch {size:,}", whole.median * 1e6, "us a check")

    async def _choose(self, at_once: int) -> None:
        gate, taken = asyncio.Semaphore(at_once), list[float]()

        async def one(subject_id: int) -> None:
            async with gate:
                started = time.perf_counter()
                await self.registrar.record(_deny(subject_id), self._key())
                taken.append(time.perf_counter() - started)

        subjects = self._random.choice(self.fixture.subject_ids, CHOICES, replace=False).tolist()
        started = time.perf_counter()
        await asyncio.gather(*(one(subject_id) for subject_id in subjects))
        seconds = time.perf_counter() - started
        aim = 50.0 if self.fixture.url.startswith("sqlite") else None
        ms = np.array(taken) * 1e3
        self.note(f"choice acknowledged, {at_once} in flight, median", float(np.median(ms)), "ms")
        self.note(
            f"choice acknowledged, {at_once} in flight, p99", float(np.percentile(ms, 99)), "ms", aim=aim
        )
        self.note(f"choices, {at_once} in flight", CHOICES / seconds, "a second")

    async def _effect(self) -> None:
        """From an acknowledgement to a check that shows it: as long as that check takes."""
        taken: list[float] = []
        for subject_id in self._random.choice(self.fixture.subject_ids, 200, replace=False).tolist():
            batch = _of(np.array([subject_id], np.uint64))
            await self.registrar.record(_deny(subject_id), self._key())
            started = time.perf_counter()
            answer = await self.registrar.check(QUESTION, batch)
            taken.append(time.perf_counter() - started)
            assert answer.reasons[0] != 1, "an acknowledged deny is not in effect"
        self.note("from acknowledgement to effect, median", float(np.median(taken)) * 1e3, "ms")
        self.note("from acknowledgement to effect, p99", float(np.percentile(taken, 99)) * 1e3, "ms")

    def _batch(self, size: int) -> Batch:
        random = self._random
        authors = random.choice(self.fixture.subject_ids, size)
        unknown = random.random(size) < UNKNOWN
        authors[unknown] = random.integers(1, 2**63 - 1, int(unknown.sum()), dtype=np.int64).view(np.uint64)
        posts = random.integers(1, 2**63 - 1, size, dtype=np.int64).view(np.uint64)
        stated = random.random(size) < STATED
        posts[stated] = random.choice(self.fixture.post_ids, int(stated.sum()))
        embeds = (random.random(size) < EMBEDDING).astype(np.uint32)
        offsets = np.concatenate(([0], np.cumsum(embeds))).astype(np.uint32)
        embedded = random.choice(self.fixture.subject_ids, int(embeds.sum()))
        return Batch(posts, authors, offsets, embedded, embedded)

    def _key(self) -> ReplayKey:
        return ReplayKey("operator:bench", "Bench", uuid7(self._clock.now_us()), bytes(32))


def _deny(subject_id: int) -> Draft:
    return Draft(subject_id, Stance.DENY, Scope(), 1)


def _of(authors: NDArray[np.uint64]) -> Batch:
    none = np.array([], np.uint64)
    return Batch(authors, authors, np.zeros(len(authors) + 1, np.uint32), none, none)


_IN = text("SELECT subject_id, profile_id FROM states WHERE subject_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


def _rows(connection: Connection, ids: list[int]) -> object:
    return connection.execute(_IN, {"ids": ids}).all()


def _growing(subjects: int) -> int:
    """Most bytes at once of a full table that makes room for one more, both tables included."""
    tracemalloc.start()
    table = IdTable(subjects, seed=7)
    ids = np.arange(1, table.room + 1, dtype=np.uint64)
    for at in range(0, len(ids), 1 << 18):
        some = ids[at : at + (1 << 18)]
        table.put(some, np.ones(len(some), np.uint32))
    held = ids.nbytes
    tracemalloc.reset_peak()
    table.with_room(1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return int((peak - held) * subjects / table.count)


def say(step: str) -> None:
    """Progress, beside the report."""
    print(f"  {step} ...", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _url(engine: str, folder: Path) -> Iterator[str]:
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'consent.db'}"
        return
    from tests.support.postgres import a_server  # noqa: PLC0415 - a development package

    with a_server() as server:
        yield server.new_database()


def measure(engine: str, subjects: int) -> list[Figure]:
    """All figures for one size."""
    with tempfile.TemporaryDirectory() as folder, _url(engine, Path(folder)) as url:
        say(f"filling {engine} with {subjects:,} subjects")
        started = time.perf_counter()
        fixture = filled(url, subjects)
        seconds = time.perf_counter() - started
        database = open_database(url)
        try:
            bench = Bench(fixture, database)
            bench.note("filled in bulk, for the bench alone", seconds, "s")
            return asyncio.run(bench.run())
        finally:
            database.close_now()


def report(engine: str, figures: list[Figure]) -> None:
    """The figures as a table."""
    table = Table(title=f"consent on {engine}: {machine()}")
    for heading in ("subjects", "what", "value", "unit", "ratio", "aim", ""):
        table.add_column(heading, justify="left" if heading in {"what", "unit", ""} else "right")
    for figure in figures:
        ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}x"
        aim = "" if figure.aim is None else f"{figure.aim:g}"
        value = f"{figure.value:,.1f}" if figure.value < 1_000 else f"{figure.value:,.0f}"
        table.add_row(f"{figure.subjects:,}", figure.what, value, figure.unit, ratio, aim, figure.met)
    Console(width=140).print(table)


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--quick", action="store_true", help="100,000 subjects only")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    figures: list[Figure] = []
    for subjects in [100_000] if options.quick else options.subjects:
        figures += measure(options.engine, subjects)
    report(options.engine, figures)
    if options.json:
        options.json.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))


if __name__ == "__main__":
    main()
