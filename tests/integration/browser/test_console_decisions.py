"""The console's pages of decisions in a real browser: they fit, and everybody can use them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.consent.v1 import halt_pb2, state_service_pb2
from tests.support.browser import Watched, a_browser, watched
from tests.support.cluster import SECOND_US, a_cluster, a_post
from tests.support.consoles import a_served_console
from tests.support.pages_world import PagesWorld, pages_over
from tests.support.telemetry import recording

QUARTER_US = 900 * SECOND_US


async def some_decisions(world: PagesWorld, traces: Path) -> str:
    """A day with releases, denials of many reasons and a halt; the id of a decision with a trace."""
    cluster = world.cluster
    await cluster.publish_policy()
    await cluster.know(1, 2)
    await cluster.license(limit=20)
    await cluster.opt_out(2)
    for batch in range(8):
        cluster.clock.advance(QUARTER_US)
        posts = [a_post(100 * batch + place, 1 + place % 3, kind=1 + place % 4) for place in range(1, 9)]
        await cluster.decide([*posts, posts[0], a_post(0, 1)])
    await cluster.publisher.publish()
    with recording(traces / "all.jsonl"):
        decision = await cluster.decide([a_post(2000, 1), a_post(2001, 2)])
    halt = state_service_pb2.OrderHaltRequest(
        request_id=cluster.new_id(),
        scope=halt_pb2.HaltScope(everything=True),
        cause="<script>alert(1)</script>",
    )
    await cluster.states("OrderHalt", halt)
    return decision.decision_id


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[tuple[Watched, str]]:
    """The console with an operator who has come in, and the id of a decision."""
    traces = tmp_path / "traces"
    async with a_browser() as browser, a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as world:
        decision_id = await some_decisions(world, traces)
        async with a_served_console(world, traces) as (origin, link), watched(browser, origin) as page:
            await page.open(link)
            await page.press("Sign in")
            yield page, decision_id


async def test_pages_of_decisions_fit_and_can_be_used_by_everybody(seen: tuple[Watched, str]) -> None:
    page, decision_id = seen

    for name, path in {
        "console-overview": "/",
        "console-decisions": "/decisions",
        "console-decisions-wrong": "/decisions?since=x",
        "console-not-found": "/decisions/find?q=nothing",
        "console-decision": f"/decisions/{decision_id}",
        "console-log": "/log",
        "console-consistency": "/log/consistency?first=3&second=8",
    }.items():
        await page.open(path)
        await page.page.eval_on_selector_all("details", "all => all.forEach((each) => (each.open = true))")
        await page.check(name)


async def test_charts_are_loaded_and_drawn(seen: tuple[Watched, str]) -> None:
    page, _ = seen
    await page.open("/decisions")
    await page.page.wait_for_load_state("networkidle")

    widths = await page.page.eval_on_selector_all("img.chart", "all => all.map((each) => each.naturalWidth)")

    assert len(widths) == 2
    assert all(width > 300 for width in widths)
    assert not page.faults
