"""C9 under fire: replicas that are stopped and killed at random never answer from before an acknowledgement.

The twin of each run, whose replicas do not read the head of the database, shows that the run could tell.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.consent import consent_database_at
from tests.support.consent_fleet import REAL, STALE, consent_replicas
from tests.support.freshness_fire import Figures, Fire, Size
from tests.support.postgres import PostgresServer, a_server

REPLICAS = 3
QUICK = Size(checks=3_000, writes=1, stops=1)
LONG = Size(checks=100_000, writes=1_000, stops=20, kills=1)
SEED = int(os.environ.get("SLUICE_FIRE_SEED", "20261125"))

Record = Callable[[str, object], None]


async def a_fire(program: str, server: PostgresServer, folder: Path, size: Size, stale: int) -> Figures:
    url = server.copy_of("consent_database_at", lambda url: consent_database_at(url).close_now())
    async with consent_replicas(program, url, folder, REPLICAS) as replicas:
        fire = Fire(replicas, folder, SEED)
        await fire.prepare()
        return await fire.burn(size, stale)


async def test_c9_no_answer_is_stale_under_fire(
    postgres: PostgresServer, tmp_path: Path, record_property: Record
) -> None:
    figures = await a_fire(REAL, postgres, tmp_path, QUICK, stale=1)
    record_property("figures", f"freshness under fire, {figures}")

    assert figures.stale == 0
    assert figures.reach(QUICK)


async def test_c9_without_the_read_of_the_head_answers_are_stale(
    postgres: PostgresServer, tmp_path: Path, record_property: Record
) -> None:
    figures = await a_fire(STALE, postgres, tmp_path, LONG, stale=10)
    record_property("figures", f"its twin without the head read, {figures}")

    assert figures.stale >= 10


@pytest.mark.long
async def test_c9_no_answer_in_a_hundred_thousand_is_stale_under_fire(
    tmp_path: Path, record_property: Record
) -> None:
    # A server of its own, on a disk of its own speed, with nothing else in its memory.
    with a_server() as server:
        figures = await a_fire(REAL, server, tmp_path, LONG, stale=1)
    record_property("figures", f"freshness under fire, {figures}")

    assert figures.stale == 0
    assert figures.reach(LONG)
