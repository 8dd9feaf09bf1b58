"""The stand that consent is measured on: a filled database, the index that follows it, and figures."""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.fixtures import Fixture
from bench.report import Figure
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.consent.acknowledging import Acknowledger
from services.consent.domain.batches import Batch
from services.consent.domain.choices import Draft, Scope, Stance
from services.consent.domain.verdicts import EVERYWHERE, Question
from services.consent.index import Index
from services.consent.registrar import Registrar
from services.consent.storage.register import SqlRegister

QUESTION = Question("acme", 2, EVERYWHERE)
UNKNOWN, EMBEDDING, STATED = 0.03, 0.1, 0.01
"""Shares of contributors whom nobody knows, and of posts with an embed and with a state of their own."""


@dataclass(frozen=True)
class Effort:
    """How long it is measured; more gives steadier figures."""

    budget: float
    """Seconds that repeated calls of one kind take."""
    posts: int
    """Posts that are asked about in all before one is asked about again."""
    loads: int
    choices: int


THOROUGH = Effort(budget=1.5, posts=320_000, loads=3, choices=4_800)
QUICK = Effort(budget=0.2, posts=40_000, loads=1, choices=800)


class Stand:
    """One database, its index, and questions about it."""

    def __init__(self, fixture: Fixture, database: Database, effort: Effort) -> None:
        self.fixture = fixture
        self.database = database
        self.effort = effort
        self.clock = SystemClock()
        self.register = SqlRegister(database, self.clock)
        self.figures: list[Figure] = []
        self.random = np.random.default_rng(11)
        self.lead_by(Index(seed=7))

    @property
    def subjects(self) -> int:
        """How many there are."""
        return len(self.fixture.subject_ids)

    def lead_by(self, index: Index) -> None:
        """Has checks answered from another index."""
        self.index = index
        acknowledger = Acknowledger(self.clock, permit_us=30_000_000, margin_us=1_000_000)
        self.registrar = Registrar(self.register, index, self.clock, acknowledger)

    def note(
        self, what: str, value: float, unit: str, *, ratio: float | None = None, aim: float | None = None
    ) -> None:
        """Keeps a figure."""
        self.figures.append(Figure(what, value, unit, self.subjects, ratio, aim))

    def batches(self, size: int) -> list[Batch]:
        """Different ones, with posts as they come."""
        return [self._batch(size) for _ in range(max(8, min(2_000, self.effort.posts // size)))]

    def some_subjects(self, count: int) -> list[int]:
        """Different ones that are known."""
        places = self.random.choice(self.subjects, count, replace=False, shuffle=False)
        return self.fixture.subject_ids[places].tolist()  # type: ignore[no-any-return]

    def deny(self, subject_id: int) -> tuple[Draft, ReplayKey]:
        """A choice against everything, in a request of its own."""
        key = ReplayKey("operator:bench", "Bench", uuid7(self.clock.now_us()), bytes(32))
        return Draft(subject_id, Stance.DENY, Scope(), 1), key

    def _batch(self, size: int) -> Batch:
        embeds = (self.random.random(size) < EMBEDDING).astype(np.uint32)
        embedded = int(embeds.sum())
        offsets = np.concatenate(([0], np.cumsum(embeds))).astype(np.uint32)
        posts, authors = self._posts(size), self._authors(size)
        return Batch(posts, authors, offsets, self._posts(embedded), self._authors(embedded))

    def _authors(self, count: int) -> NDArray[np.uint64]:
        known = self.fixture.subject_ids[self.random.integers(0, self.subjects, count)]
        return np.where(self.random.random(count) < UNKNOWN, self._others(count), known)

    def _posts(self, count: int) -> NDArray[np.uint64]:
        stated = self.fixture.post_ids[self.random.integers(0, len(self.fixture.post_ids), count)]
        return np.where(self.random.random(count) < STATED, stated, self._others(count))

    def _others(self, count: int) -> NDArray[np.uint64]:
        return self.random.integers(1, 2**64, count, dtype=np.uint64)


def say(step: str) -> None:
    """Progress, beside the report."""
    print(f"  {step} ...", file=sys.stderr, flush=True)
