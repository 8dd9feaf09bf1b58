"""L1 and L4 under fire: decisions follow what was acknowledged, whichever replica is stopped or killed when.

The twin of the run, whose replicas conclude on the license as they read it first, shows that it could tell.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agreement import check_agreement
from tests.support.engines import urls_on
from tests.support.ledger_record import OnRecord, decisions_on_record
from tests.support.licensing_fire import Figures, Fire, Size
from tests.support.licensing_fleet import REAL, TRUSTING, licensing_replicas

REPLICAS = 2
QUICK = Size(decisions=400, compared_by_call=200, steps=1, amendments=1, stops=1)
LONG = Size(decisions=20_000, compared_by_call=10_000, steps=500, amendments=500, stops=20, kills=1)
SEED = int(os.environ.get("SLUICE_FIRE_SEED", "20261126"))

Record = Callable[[str, object], None]


@pytest.fixture
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Of empty databases, by service."""
    return urls_on("postgresql", request, tmp_path)


async def a_fire(
    program: str, urls: dict[str, str], folder: Path, size: Size, against: int
) -> tuple[Figures, OnRecord]:
    async with licensing_replicas(program, urls, folder, REPLICAS) as replicas:
        fire = Fire(replicas, folder, SEED)
        await fire.prepare()
        figures = await fire.burn(size, against)
        if program == REAL:
            metering = replicas[0].settings["METERING_TARGET"]
            assert await check_agreement(folder, replicas[0].address, metering) >= figures.decisions
    return figures, decisions_on_record(urls["licensing"])


async def test_l4_decisions_follow_acknowledged_suspensions_and_amendments_under_fire(
    urls: dict[str, str], tmp_path: Path, record_property: Record
) -> None:
    figures, on_record = await a_fire(REAL, urls, tmp_path, QUICK, against=1)
    record_property("figures", f"licenses under fire, {figures}; {on_record}")

    assert figures.against == 0
    assert on_record.against == 0
    assert figures.reach(QUICK)
    assert on_record.decisions >= figures.decisions


async def test_l4_without_the_second_look_at_the_license_decisions_are_against_what_was_acknowledged(
    urls: dict[str, str], tmp_path: Path, record_property: Record
) -> None:
    figures, on_record = await a_fire(TRUSTING, urls, tmp_path, LONG, against=10)
    record_property("figures", f"its twin without the second look, {figures}; {on_record}")

    assert figures.against >= 10
    assert on_record.against >= 10


@pytest.mark.long
async def test_l4_twenty_thousand_decisions_follow_what_was_acknowledged_under_fire(
    urls: dict[str, str], tmp_path: Path, record_property: Record
) -> None:
    figures, on_record = await a_fire(REAL, urls, tmp_path, LONG, against=1)
    record_property("figures", f"licenses under fire, {figures}; {on_record}")

    assert figures.against == 0
    assert on_record.against == 0
    assert figures.reach(LONG)
    assert on_record.decisions >= figures.decisions
