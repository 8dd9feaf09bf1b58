"""500 withdrawals a second for a minute: all are scanned, and decisions conclude meanwhile (W5)."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from services.chassis.clock import SystemClock
from tests.support.recall_fire import Fire, a_fire, posts_of
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECOND_US = 1_000_000
POSTS_A_RELEASE = 250
ROUNDS = ("alpha", "beta", "alpha")
"""Each author is in one release of each round, every time among others."""
OTHERS = range(9_000_000, 9_000_100)
"""They stay."""
DECIDING = 2


class Size(NamedTuple):
    """Of a run."""

    a_second: int
    seconds: int

    @property
    def withdrawers(self) -> range:
        """Each of them withdraws once."""
        return range(1_000_000, 1_000_000 + self.a_second * self.seconds)


QUICK, FULL = Size(a_second=250, seconds=4), Size(a_second=500, seconds=60)


async def release_in_rounds(fire: Fire, authors: Sequence[int]) -> None:
    """Posts of all of them, in as many releases of each round as there is room for."""
    releases = len(authors) // POSTS_A_RELEASE
    for turn, licensee in enumerate(ROUNDS, 1):
        for at in range(releases):
            # By turns neighbours and people far apart.
            first = at * POSTS_A_RELEASE
            some = authors[at::releases] if turn % 2 else authors[first : first + POSTS_A_RELEASE]
            await fire.release(licensee, posts_of(some, turn * 100_000_000 + at * 1_000))


async def decide_on_and_on(fire: Fire, seed: int, authors: Sequence[int], over: asyncio.Event) -> None:
    """Posts of those who stay and of some who withdraw, before, meanwhile or after it."""
    chance = random.Random(seed)
    for at in itertools.count():
        if over.is_set():
            return
        mixed = [*chance.sample(OTHERS, 80), *chance.sample(authors, 20)]
        await fire.release("beta", posts_of(mixed, (5 + seed) * 100_000_000 + at * 1_000))


async def withdraw_each_second(fire: Fire, size: Size) -> int:
    """As many as are due, whether the second before has been long or not; the last revision."""
    loop, last = asyncio.get_running_loop(), 0
    begun = loop.time()
    for second in range(size.seconds):
        await asyncio.sleep(max(0, begun + second - loop.time()))
        some = size.withdrawers[second * size.a_second : (second + 1) * size.a_second]
        last = await fire.opt_out_together(some)
    print(f"{fire.acknowledged} withdrawals in {loop.time() - begun:.1f} s")
    return last


def decided_by_second(fire: Fire, begun_us: int, ended_us: int) -> list[int]:
    """How many decisions were concluded in each whole second between two times."""
    rows = fire.rows("SELECT decided_at_us FROM decisions")
    counted = Counter((row.decided_at_us - begun_us) // SECOND_US for row in rows)
    return [counted[second] for second in range((ended_us - begun_us) // SECOND_US)]


@pytest.mark.parametrize(
    "size", [pytest.param(QUICK, id="quick"), pytest.param(FULL, id="full", marks=pytest.mark.long)]
)
async def test_decisions_conclude_each_second_while_many_withdraw_and_each_withdrawal_is_recalled_once(
    tmp_path: Path, size: Size
) -> None:
    clock, over, withdrawers = SystemClock(), asyncio.Event(), size.withdrawers
    async with a_fire(tmp_path) as fire:
        for licensee in set(ROUNDS):
            await fire.fleet.license(licensee)
        await fire.know([*withdrawers, *OTHERS])
        await release_in_rounds(fire, withdrawers)
        before = len(fire.released)
        fire.seconds.clear()
        begun_us = clock.now_us()
        deciding = [
            asyncio.create_task(decide_on_and_on(fire, seed, withdrawers, over)) for seed in range(DECIDING)
        ]

        last = await withdraw_each_second(fire, size)
        ended_us = clock.now_us()
        over.set()
        await asyncio.gather(*deciding)
        behind = last - fire.scanned()
        await until(lambda: fire.scanned() >= last, "all is scanned", look_every=0.1)
        fire.learn_revisions()
        taken, by_second = fire.taken(), decided_by_second(fire, begun_us, ended_us)

    p50, p99 = np.percentile(fire.seconds, [50, 99])
    print(f"{len(fire.seconds)} decisions, p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms; {fire.refused}")
    print(f"from {min(by_second)} to {max(by_second)} decisions a second; {len(taken)} posts taken back")
    print(f"{behind} revisions behind at the end of {len(by_second)} seconds")
    assert fire.acknowledged == len(withdrawers)
    assert fire.withdrawn.keys() == set(withdrawers)
    assert min(by_second) > 0, "decisions were concluded in every second"
    assert len(by_second) >= size.seconds - 1
    assert len(taken) == len(set(taken)), "nothing is taken back twice"
    assert set(taken) == fire.expected()
    assert len(taken) >= len(ROUNDS) * len(withdrawers), "each of them is in several releases"
    assert {each.revision for each in taken} == set(fire.withdrawn.values())
    meanwhile = {
        subject
        for each in fire.released[before:]
        for theirs in each.contributors.values()
        for subject in theirs
    }
    assert meanwhile & fire.withdrawn.keys(), "posts of some of them went out meanwhile"
