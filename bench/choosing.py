"""How long a choice takes until it is acknowledged, and from then until a check shows it."""

import asyncio
import time

import numpy as np
from numpy.typing import NDArray

from bench.stand import QUESTION, Stand, say
from bench.timing import Times, syncs
from services.consent.domain.batches import Batch
from services.consent.domain.verdicts import Reason

IN_FLIGHT = (1, 16, 64)
ACKNOWLEDGED_AIM_MS = 50.0
"""99 of 100, on SQLite with `AIMED_AT` in flight."""
AIMED_AT = 16
EFFECTS = 200
BESIDE = 1_000
"""Posts in each of the checks that go on beside choices."""


async def choose(stand: Stand) -> None:
    """Choices of different subjects with several in flight, first alone and then beside checks."""
    sync = syncs(stand.fixture.folder, 200)
    stand.note("a block made durable on this disk, median", sync.median * 1e3, "ms")
    for at_once in IN_FLIGHT:
        say(f"choosing, {at_once} in flight")
        await _choose(stand, at_once, f"{at_once} in flight")
    say("choosing beside checks")
    checking = asyncio.create_task(_check_on(stand))
    try:
        await _choose(stand, AIMED_AT, f"{AIMED_AT} in flight beside checks")
    finally:
        checking.cancel()


async def take_effect(stand: Stand) -> None:
    """From a choice to a check that shows it, and what the same check takes when nothing has changed."""
    say("waiting for choices to take effect")
    acknowledged, effective, later = [], [], []
    for subject_id in stand.some_subjects(EFFECTS):
        batch = _of(np.array([subject_id], np.uint64))
        started = time.perf_counter()
        await stand.registrar.record(*stand.deny(subject_id))
        committed = time.perf_counter()
        answer = await stand.registrar.check(QUESTION, batch)
        shown = time.perf_counter()
        assert answer.reasons[0] != Reason.ALLOWED, "an acknowledged deny is not in effect"
        await stand.registrar.check(QUESTION, batch)
        acknowledged.append(committed - started)
        effective.append(shown - committed)
        later.append(time.perf_counter() - shown)
    before, after, idle = Times(tuple(acknowledged)), Times(tuple(effective)), Times(tuple(later))
    stand.note("choice made until acknowledged, median", before.median * 1e3, "ms")
    stand.note("acknowledged until in effect (the next check), median", after.median * 1e3, "ms")
    stand.note("  the same check with nothing new", idle.median * 1e3, "ms", ratio=idle.median / after.median)
    stand.note("acknowledged until in effect, p99", after.p99 * 1e3, "ms")
    whole = Times(tuple(sum(each) for each in zip(acknowledged, effective, strict=True)))
    stand.note("choice made until in effect, p99", whole.p99 * 1e3, "ms")


async def _choose(stand: Stand, at_once: int, how: str) -> None:
    waiting, taken = stand.some_subjects(stand.effort.choices), list[float]()

    async def one_after_the_other() -> None:
        while waiting:
            draft, key = stand.deny(waiting.pop())
            started = time.perf_counter()
            await stand.registrar.record(draft, key)
            taken.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    seconds = time.perf_counter() - started
    times = Times(tuple(taken))
    aimed = at_once == AIMED_AT and stand.fixture.url.startswith("sqlite")
    stand.note(f"choice, {how}, median", times.median * 1e3, "ms")
    stand.note(f"choice, {how}, p99", times.p99 * 1e3, "ms", aim=ACKNOWLEDGED_AIM_MS if aimed else None)
    stand.note(f"choices, {how}", len(taken) / seconds, "a second")


async def _check_on(stand: Stand) -> None:
    batches = stand.batches(BESIDE)
    while True:
        for batch in batches:
            await stand.registrar.check(QUESTION, batch)


def _of(authors: NDArray[np.uint64]) -> Batch:
    none = np.array([], np.uint64)
    return Batch(authors, authors, np.zeros(len(authors) + 1, np.uint32), none, none)
