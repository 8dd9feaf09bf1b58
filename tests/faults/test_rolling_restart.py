"""A rolling restart of all three services under load: no call fails, no answer is wrong, nothing stays."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.agreement import check_agreement
from tests.support.engines import urls_on
from tests.support.rolling_fire import Fire, Size
from tests.support.rolling_fleet import pairs
from tests.support.waiting import until

FULL = Size(calls=20_000, rounds=2)
SEED = int(os.environ.get("SLUICE_FIRE_SEED", "20261126"))


@pytest.fixture
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Of empty databases, by service."""
    return urls_on("postgresql", request, tmp_path)


def first_of(url: str, statement: str) -> Any:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row[0]


async def test_a_rolling_restart_of_all_services_fails_no_call_and_answers_none_wrongly(
    urls: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with pairs(urls, tmp_path) as fleet:
        fire = Fire(fleet, SEED)
        await fire.prepare()
        await fire.burn(FULL)
        held = "SELECT count(*) FROM reservations WHERE state = 1"
        await until(lambda: first_of(urls["metering"], held) == 0, "nothing is held any more", 0.2)
        settled = first_of(urls["metering"], "SELECT sum(posts_settled) FROM reservations WHERE state = 2")
        decided = first_of(urls["licensing"], "SELECT count(*) FROM decisions")
        licensing, metering = (fleet.of[name][0].address for name in ("licensing", "metering"))
        compared = await check_agreement(tmp_path, licensing, metering)
        await fire.close()
    record_property("figures", f"rolling restart, {fire}")

    calls, figures = fire.tally.calls, fire.figures
    assert dict(fire.tally.failed) == {}, "no call failed after the tries of its library"
    assert dict(fire.tally.first_sight) == {}, "nor at first sight"
    # A busy machine: the gateway asks for half a second. A replica that swallowed questions would have many.
    assert fire.tally.late.total() <= calls["GetDecision by way of the gateway"] // 100
    assert dict(figures.wrong) == {}
    assert calls.total() >= FULL.calls
    assert calls["Decide"] + calls["ConfirmDelivery"] >= 2_000
    assert calls["GetDecision by way of the gateway"] >= 500
    assert (figures.restarts, figures.statuses) == (12, {0})
    assert figures.denied > 100, "authors who had denied were asked about"
    assert settled == figures.posts, "metering counts what was confirmed, and nothing twice"
    assert decided == len(fire.receipts), "there is a receipt for each decision, and no other"
    assert compared >= decided, "and metering agrees with each of them"
