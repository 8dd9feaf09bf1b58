"""The pages of licenses, revenue, halts and the wall in a real browser: they fit, and all can use them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sluice.licensing.v1.license_pb2 import LicenseAllowance
from tests.support.browser import Watched, a_browser, watched
from tests.support.cluster import DAY_US, a_cluster
from tests.support.consoles import a_served_console
from tests.support.pages_licensing import (
    SCRIPT,
    a_draft,
    a_licensee,
    a_price,
    invoiced,
    open_to_all,
    released,
)
from tests.support.pages_world import PagesWorld, pages_over

LONG_NAME = f"{SCRIPT} Birch Research and Development of Extraordinarily Long Names GmbH & Co. KG"
LIMITS = [
    LicenseAllowance(per="ALLOWANCE_SUBJECT_LICENSE", window="WINDOW_ROLLING_DAY", limit=3),
    LicenseAllowance(per="ALLOWANCE_SUBJECT_LICENSEE", window="WINDOW_ROLLING_DAY", limit=1_000_000),
    LicenseAllowance(per="ALLOWANCE_SUBJECT_GROUP", window="WINDOW_TERM", limit=9_007_199_254_740_992),
]
STEP = "Suspend the license"


async def put_on_record(world: PagesWorld) -> None:
    """Licenses in all states, one of them full; revenue in two currencies."""
    cluster = world.cluster
    await open_to_all(cluster)
    await cluster.license(allowances=LIMITS, price=a_price())
    await cluster.license("in-dollars", price=a_price("USD", "1234567.5"))
    await cluster.license("stopped")
    await cluster.suspend("stopped")
    await a_licensee(cluster, "birch", LONG_NAME)
    await a_draft(cluster, "birch-draft-with-quite-a-long-id-that-somebody-once-chose", "birch")
    await cluster.amend(
        license_id="in-dollars", price=a_price("USD"), at_us=cluster.clock.now_us() + 90 * DAY_US
    )
    await invoiced(cluster, "acme-training", "in-dollars")
    await released(cluster)
    async with world.operator() as (visitor, _):
        page = await visitor.get("/halts/order?kind=jurisdiction&jurisdiction=US-CA&recall=yes")
        await visitor.press(page, "Order the halt", {"cause": f"A court in California. {SCRIPT}"})
        page = await visitor.get("/wall/raise?hours=24&tier=1&tier=2")
        await visitor.press(page, "Raise the wall", {"reason": "Scrapers at night."})


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[tuple[Watched, PagesWorld]]:
    """The console with an operator who has come in."""
    async with a_browser() as browser, a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as world:
        await put_on_record(world)
        async with a_served_console(world) as (origin, link), watched(browser, origin) as page:
            await page.open(link)
            await page.press("Sign in")
            yield page, world


async def test_pages_of_licenses_halts_and_the_wall_fit_and_can_be_used_by_everybody(
    seen: tuple[Watched, PagesWorld],
) -> None:
    page, world = seen
    halt_id = await _halt_id(world)

    for name, path in {
        "console-licenses": "/licenses",
        "console-licenses-wrong": "/licenses?state=x",
        "console-license": "/licenses/acme-training",
        "console-license-step": "/licenses/acme-training/suspend",
        "console-licensees": "/licensees",
        "console-licensee": "/licensees/acme",
        "console-licensee-long": "/licensees/birch",
        "console-revenue": "/revenue",
        "console-halts": "/halts",
        "console-halt-order": "/halts/order?kind=licensee&licensee=nobody&recall=yes",
        "console-halt-lift": f"/halts/{halt_id}/lift",
        "console-wall": "/wall",
        "console-wall-raise": "/wall/raise?hours=6&tier=3",
        "console-wall-lower": "/wall/lower",
    }.items():
        await page.open(path)
        await page.page.eval_on_selector_all("details", "all => all.forEach((each) => (each.open = true))")
        await page.check(name)


async def test_l4_a_license_suspended_in_the_browser_denies_the_next_decision(
    seen: tuple[Watched, PagesWorld],
) -> None:
    page, world = seen
    before = await released(world.cluster, "in-dollars")

    await page.open("/licenses/in-dollars")
    await page.page.get_by_role("link", name=STEP).click()
    await page.page.get_by_label("Reason, for the record").fill("A complaint.")
    await page.press(STEP)

    assert before == 3
    assert await page.page.get_by_text("The license in-dollars is suspended.").is_visible()
    assert await released(world.cluster, "in-dollars") == 0
    assert not page.faults


async def _halt_id(world: PagesWorld) -> int:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/halts")
    return int(page.html.partition('href="/halts/')[2].partition("/")[0])
