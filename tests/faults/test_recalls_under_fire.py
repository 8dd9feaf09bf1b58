"""Opt-outs after releases to three licensees, while services are killed: none missed, none twice."""

import asyncio
import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agreement import check_agreement
from tests.support.engines import urls_on
from tests.support.licensing_fleet import REAL, licensing_replicas
from tests.support.recall_fire import Fire, a_fire, posts_of
from tests.support.recall_replicas_fire import SETTINGS, ReplicasFire, Size
from tests.support.waiting import until

REPLICAS = 2
QUICK = Size(opt_outs=8, longest_pause_seconds=0.6, kills=1, stops=1)
LONG = Size(opt_outs=60, longest_pause_seconds=2.0, kills=20, stops=20)
LICENSEES = ("alpha", "beta", "gamma")
AUTHORS = range(5_000, 5_040)
ROUNDS = 12
AUTHORS_A_ROUND = 3

Record = Callable[[str, object], None]


async def release_on_and_on(fire: Fire, chance: random.Random, over: asyncio.Event) -> None:
    # In turn: each has posts of several who opt out, whatever chance and the machine's speed do.
    for at, licensee in enumerate(itertools.cycle(LICENSEES)):
        if over.is_set():
            return
        await fire.release(licensee, posts_of(chance.sample(AUTHORS, 10), 1_000_000 + at * 1_000))


@pytest.mark.asyncio(loop_scope="session")
async def test_whatever_dies_every_opt_out_reaches_each_release_before_it_once(
    tmp_path: Path, seed: int
) -> None:
    print(f"FAULT_SEED={seed}")
    chance, over = random.Random(seed), asyncio.Event()
    async with a_fire(tmp_path) as fire:
        for name in LICENSEES:
            await fire.fleet.license(name)
        await fire.know(AUTHORS)
        releasing = asyncio.create_task(release_on_and_on(fire, chance, over))
        await until(lambda: len(fire.released) >= 6, "there is something to recall")
        for round in range(ROUNDS):
            authors = AUTHORS[round * AUTHORS_A_ROUND : (round + 1) * AUTHORS_A_ROUND]
            opting_out = asyncio.gather(*(fire.opt_out(author) for author in authors))
            # Anywhere between the choice and its recall: before, in, and after each step.
            await asyncio.sleep(chance.uniform(0, 0.6))
            fire.fleet.kill(chance.choice(["licensing", "licensing", "consent"]))
            await opting_out
        over.set()
        await releasing
        await fire.fleet.recovered()
        last = max(fire.withdrawn.values())
        await until(lambda: fire.scanned() >= last, "all is scanned", look_every=0.1)
        await until(fire.all_issued, "all is issued", look_every=0.1)

        taken = fire.taken()
        recalls = fire.rows("SELECT * FROM recalls")

    assert len(taken) == len(set(taken)), "nothing is taken back twice"
    assert set(taken) == fire.expected()
    assert len(fire.withdrawn) == ROUNDS * AUTHORS_A_ROUND
    assert {each.licensee_id for each in taken} == set(LICENSEES)
    assert sorted(recall.number for recall in recalls) == list(range(1, len(recalls) + 1))
    print(f"{len(taken)} posts of {len(fire.released)} releases in {len(recalls)} recalls; {fire.refused}")


@pytest.mark.parametrize(
    "size", [pytest.param(QUICK, id="quick"), pytest.param(LONG, id="long", marks=pytest.mark.long)]
)
async def test_whichever_replica_is_killed_or_stopped_every_opt_out_reaches_each_release_before_it_once(
    request: pytest.FixtureRequest, tmp_path: Path, seed: int, record_property: Record, size: Size
) -> None:
    print(f"FAULT_SEED={seed}")
    urls = urls_on("postgresql", request, tmp_path)
    async with licensing_replicas(REAL, urls, tmp_path, REPLICAS, SETTINGS) as replicas:
        fire = ReplicasFire(replicas, tmp_path, urls["licensing"], seed)
        await fire.burn(size)
        metering = replicas[0].settings["METERING_TARGET"]
        compared = await check_agreement(tmp_path, replicas[0].address, metering)
    taken, recalls = fire.taken(), fire.rows("SELECT * FROM recalls")
    astray = fire.rows(
        "SELECT 1 FROM recall_entries e LEFT JOIN recalls r USING (recall_id)"
        " WHERE r.licensee_id IS DISTINCT FROM e.licensee_id"
    )
    record_property("figures", f"recalls under fire, {fire}; {len(taken):,} posts in {len(recalls)} recalls")

    assert compared == fire.decisions, "callers know of every decision"
    assert len(fire.withdrawn) == size.opt_outs
    assert len(taken) == len(set(taken)), "nothing is taken back twice"
    assert set(taken) == fire.expected()
    assert taken
    assert not astray, "each is in a recall, of its licensee"
    assert sorted(recall.number for recall in recalls) == list(range(1, len(recalls) + 1))
