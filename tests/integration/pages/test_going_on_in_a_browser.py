"""Where a reader goes on who uses a real browser, and in which zone its times are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import CHROMIUM, MISSING, a_browser
from tests.support.choosing_pages import a_licensee, a_policy, an_informed, page_in_a_browser
from tests.support.pages_world import PagesWorld

STANDS = """() => {
  const [focused, told] = [document.activeElement, document.querySelector(".told")];
  return {
    id: focused.id,
    described: document.getElementById(focused.getAttribute("aria-describedby")).innerText,
    inSight: focused.getBoundingClientRect().bottom <= innerHeight,
    clear: focused.getBoundingClientRect().top >= told.getBoundingClientRect().bottom,
    toldInSight: told.getBoundingClientRect().top >= 0,
  };
}"""


pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=MISSING)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with a_browser() as chromium:
        yield chromium


async def test_whoever_presses_a_switch_is_at_that_switch_again_and_sees_what_came_of_it(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")

    async with page_in_a_browser(world, tmp_path, browser) as page:
        await page.page.set_viewport_size({"width": 390, "height": 800})
        await page.page.emulate_media(reduced_motion="reduce")
        async with page.page.expect_navigation():
            await page.page.locator("#acme-training").press("Enter")
        stands = await page.page.evaluate(STANDS)
        title = await page.page.title()

    assert stands == {
        "id": "acme-training",
        "described": "✕ Not allowed",
        "inSight": True,
        "clear": True,
        "toldInSight": True,
    }
    assert title.startswith("Your no is on record, for acme: AI training.")
    assert page.faults == []


async def test_times_of_the_readers_own_zone_name_it(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)

    async with page_in_a_browser(world, tmp_path, browser) as page:
        times = await page.page.locator("time").all_inner_texts()
    async with page_in_a_browser(world, tmp_path, browser, scripts=False) as page:
        without = await page.page.locator("time").all_inner_texts()

    assert times
    assert all(each.endswith(" CEST") for each in times)
    assert all(each.endswith(" UTC") for each in without)


async def test_links_are_large_enough_to_be_hit(world: PagesWorld, tmp_path: Path, browser: Browser) -> None:
    """24 by 24 CSS pixels (WCAG 2.5.8)."""
    await an_informed(world.cluster)

    async with page_in_a_browser(world, tmp_path, browser) as page:
        boxes = [await each.bounding_box() for each in await page.page.locator(".languages a").all()]

    assert len(boxes) == 3
    assert all(box is not None and min(box["width"], box["height"]) >= 24 for box in boxes)
