"""R2, R5: whoever is killed while the log is published, it only grows and has every receipt given."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engines import ENGINES, urls_on
from tests.support.licensing_fleet import REAL, licensing_replicas
from tests.support.log_fire import LogFire

REPLICAS = {"sqlite": 1, "postgresql": 2}

Record = Callable[[str, object], None]


async def a_fire(engine: str, request: pytest.FixtureRequest, folder: Path, seed: int, kills: int) -> LogFire:
    urls = urls_on(engine, request, folder)
    async with licensing_replicas(REAL, urls, folder, REPLICAS[engine]) as replicas:
        fire = LogFire(replicas, folder, seed)
        await fire.burn(kills)
    return fire


@pytest.mark.parametrize("engine", ENGINES)
async def test_r2_killed_again_and_again_the_log_only_grows_and_misses_no_receipt(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, seed: int, record_property: Record
) -> None:
    fire = await a_fire(engine, request, tmp_path, seed, kills=2)
    record_property("figures", f"the log under fire on {engine}, {fire}")

    fire.check()
    assert fire.receipts
    assert len(fire.shown) >= 2


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
async def test_r2_killed_fifty_times_the_log_only_grows_and_misses_no_receipt(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path, seed: int, record_property: Record
) -> None:
    fire = await a_fire(engine, request, tmp_path, seed, kills=50)
    record_property("figures", f"the log under fire on {engine}, {fire}")

    fire.check()
    assert len(fire.shown) >= 50
