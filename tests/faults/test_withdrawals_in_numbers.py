"""500 withdrawals a second for a minute: all are scanned, and decisions conclude meanwhile (W5)."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.support.recall_fire import Fire, a_fire, posts_of
from tests.support.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

A_SECOND = 500
SECONDS = 60
POSTS_A_RELEASE = 250
WITHDRAWERS = range(1_000_000, 1_000_000 + A_SECOND * SECONDS)
OTHERS = range(9_000_000, 9_000_100)


async def decide_on_and_on(fire: Fire, first_id: int, over: asyncio.Event) -> None:
    """Posts of people who stay."""
    while not over.is_set():
        await fire.release("alpha", posts_of(OTHERS, first_id))
        first_id += 1_000


async def withdraw_each_second(fire: Fire) -> int:
    """As many as are due, whether the second before has been long or not; the last revision."""
    loop, last = asyncio.get_running_loop(), 0
    begun = loop.time()
    for second in range(SECONDS):
        await asyncio.sleep(max(0, begun + second - loop.time()))
        some = WITHDRAWERS[second * A_SECOND : (second + 1) * A_SECOND]
        last = await fire.opt_out_together(some)
    print(f"{len(WITHDRAWERS)} withdrawals in {loop.time() - begun:.1f} s")
    return last


async def test_decisions_conclude_while_thousands_withdraw_and_each_withdrawal_is_scanned(
    tmp_path: Path,
) -> None:
    over = asyncio.Event()
    async with a_fire(tmp_path) as fire:
        await fire.fleet.license("alpha")
        await fire.know([*WITHDRAWERS, *OTHERS])
        for first in range(0, len(WITHDRAWERS), POSTS_A_RELEASE):
            authors = WITHDRAWERS[first : first + POSTS_A_RELEASE]
            await fire.release("alpha", posts_of(authors, 10_000_000 + first * 10))
        before = len(fire.released)
        fire.seconds.clear()
        deciding = [
            asyncio.create_task(decide_on_and_on(fire, (50 + 10 * each) * 1_000_000, over))
            for each in range(2)
        ]

        last = await withdraw_each_second(fire)
        over.set()
        await asyncio.gather(*deciding)
        behind = last - fire.scanned()
        await until(lambda: fire.scanned() >= last, "all is scanned", look_every=0.1)
        taken = fire.taken()

    p50, p99 = np.percentile(fire.seconds, [50, 99])
    print(f"{len(fire.seconds)} decisions, p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms; {fire.refused}")
    print(f"{behind} revisions behind at the end of the minute")
    withdrawn = set(WITHDRAWERS)
    expected = {
        (each.number, post_id)
        for each in fire.released[:before]
        for post_id, contributors in each.contributors.items()
        if contributors & withdrawn
    }
    assert {(each.number, each.post_id) for each in taken} == expected
    assert len(taken) == len(set(taken)), "nothing is taken back twice"
    assert len({each.revision for each in taken}) == len(WITHDRAWERS), "each of them took something back"
    assert len(fire.released) > before, "decisions were made meanwhile"
