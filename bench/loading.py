"""What the index costs: the time to read it from the database, and its memory, at rest and at most."""

import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterator
from itertools import combinations, islice

import numpy as np

from bench.stand import QUESTION, Stand, say
from bench.timing import resident_bytes
from services.consent.domain.choices import Choice, Scope, Stance, standing_of
from services.consent.domain.subjects import Facts, Profile
from services.consent.domain.verdicts import NO_HALTS
from services.consent.id_table import IdTable
from services.consent.index import Index
from services.consent.places import Places
from services.consent.profiles import Answers, Profiles

LOAD_AIM_S = 30.0
"""For 10 million subjects."""
STEADY_AIM, PEAK_AIM = 28.0, 56.0
"""Bytes a subject."""
MANY = 1_000_000
"""From so many on what does not depend on their number no longer shows in the bytes of each."""
INT_BYTES = 32
STANDINGS, CHOICES = 100_000, 3
"""Standings that nobody shares, and the choices of each."""


async def load(stand: Stand) -> None:
    """Into an index of its own each time, of which the last one stays."""
    taken, grown = [], []
    for _ in range(stand.effort.loads):
        say("loading the index")
        before, started = resident_bytes(), time.perf_counter()
        index = Index(seed=7)
        await stand.register.follow(index)
        taken.append(time.perf_counter() - started)
        grown.append((resident_bytes() - before) / stand.subjects)
        stand.lead_by(index)
    aim = LOAD_AIM_S if stand.subjects >= 10 * MANY else None
    stand.note("load from the database", statistics.median(taken), "s", aim=aim)
    steady = stand.index.view().subjects.bytes / stand.subjects
    stand.note("steady state", steady, "bytes a subject", aim=STEADY_AIM)
    as_dict = _dict_bytes(stand) / stand.subjects
    stand.note("  dict of the profiles", as_dict, "bytes a subject", ratio=as_dict / steady)
    if stand.subjects >= MANY:
        stand.note("process after the first load, more than before", grown[0], "bytes a subject")


def grow(stand: Stand) -> None:
    """A full table that makes room for one more, and one whose profiles are put in order."""
    say("growing a full table")
    aim = PEAK_AIM if stand.subjects >= MANY else None
    table = _full(stand.subjects)
    started = time.perf_counter()
    table.with_room(1)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    # Made anew while its allocations are counted.
    table = _full(stand.subjects)
    rest = tracemalloc.get_traced_memory()[0] - table.bytes
    tracemalloc.reset_peak()
    table.with_room(1)
    growing = tracemalloc.get_traced_memory()[1] - rest
    tracemalloc.reset_peak()
    table.used(2)
    table.renumbered(np.arange(2, dtype=np.uint32))
    tidying = tracemalloc.get_traced_memory()[1] - rest
    tracemalloc.stop()
    stand.note("while it grows, at most", growing / table.count, "bytes a subject", aim=aim)
    stand.note(
        "while its profiles are put in order, at most", tidying / table.count, "bytes a subject", aim=aim
    )
    stand.note("growing, while checks wait", seconds, "s")


def stand_alone(stand: Stand) -> None:
    """Standings of which no two are alike, as where everyone has named licensees of their own choice."""
    say("keeping standings that nobody shares")
    profiles = dict(enumerate(islice(_different(), STANDINGS), start=1))
    tracemalloc.start()
    places = Places(Profiles())
    places.add(profiles)
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    answers, started = Answers(places.profiles), time.perf_counter()
    answers.to(QUESTION, None, NO_HALTS)
    seconds = time.perf_counter() - started
    stand.note(
        f"a standing of {CHOICES} choices that nobody shares", kept / STANDINGS, "bytes, beside the above"
    )
    stand.note(f"{STANDINGS:,} of these asked for the first time", seconds * 1e3, "ms")


def _different() -> Iterator[Profile]:
    """Someone who chose for three licensees of a hundred, and no two who chose alike."""
    facts = Facts("US", notices=frozenset({bytes(32)}))
    for named in combinations(range(100), CHOICES):
        choices = [
            Choice(Stance(1 + number % 2), Scope(f"licensee-{number}", number % 8), number, number)
            for number in named
        ]
        yield Profile(facts, standing_of(choices))


def _full(ids: int) -> IdTable:
    """With no room for another one."""
    table = IdTable(ids, seed=7)
    random = np.random.default_rng(5)
    while free := table.room - table.count:
        some = np.unique(random.integers(1, 2**64, min(free, 1 << 18), dtype=np.uint64))
        table.put(some, np.ones(len(some), np.uint32))
    return table


def _dict_bytes(stand: Stand) -> int:
    """Of the ids and the table; the profiles are shared."""
    return sys.getsizeof(dict.fromkeys(range(stand.subjects))) + INT_BYTES * stand.subjects
