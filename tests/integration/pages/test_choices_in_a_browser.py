"""The switches of a subject in a real browser: by keyboard, without scripts, on phones, by night."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from sluice.consent.v1 import choice_pb2, subject_pb2
from tests.support.browser import Watched, a_browser
from tests.support.choosing_pages import (
    ALL_TRAINING,
    OPT_IN,
    OPT_OUT,
    PROHIBITED,
    YES,
    a_licensee,
    a_policy,
    an_informed,
    page_in_a_browser,
    released,
    say,
)
from tests.support.cluster import DAY_US
from tests.support.pages_world import PagesWorld

LONG_NAME = "Birch Research and Development of Extraordinarily Long Names GmbH & Co. KG"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with a_browser() as chromium:
        yield chromium


async def test_a_user_opts_out_by_keyboard_without_scripts_and_the_next_release_denies(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    before = await released(world.cluster)

    async with page_in_a_browser(world, tmp_path, browser, scripts=False) as seen:
        switch = seen.page.get_by_role("switch", name=ALL_TRAINING, exact=True)
        await expect(switch).to_be_checked()
        await switch.focus()
        await seen.page.keyboard.press("Space")
        await expect(seen.page.get_by_role("status")).to_contain_text("Your no is on record")
        await expect(switch).not_to_be_checked()

    assert before
    assert not await released(world.cluster)
    assert not seen.faults


async def test_the_page_fits_and_can_be_used_by_everybody_however_much_is_on_it(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster, OPT_OUT, {5: OPT_IN, 7: PROHIBITED})
    await an_informed(world.cluster)
    await a_policy(world.cluster, PROHIBITED, in_us=DAY_US)
    await a_licensee(world.cluster, "acme", "Acme")
    await a_licensee(world.cluster, "birch", LONG_NAME)
    await say(world.cluster, choice_pb2.STANCE_DENY, licensee_id="acme")

    async with page_in_a_browser(world, tmp_path, browser) as seen:
        await _unfold(seen)
        await seen.check("settings-choices")


async def test_a_yes_is_said_by_keyboard_without_scripts_on_a_page_that_fits(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", LONG_NAME)

    async with page_in_a_browser(world, tmp_path, browser, locale="de-DE") as seen:
        await seen.open("/yes?licensee=acme&uses=2,3")
        await seen.check("settings-yes")
    async with page_in_a_browser(world, tmp_path, browser, scripts=False) as seen:
        await seen.page.get_by_role("switch", name=ALL_TRAINING, exact=True).press("Enter")
        await seen.page.get_by_role("button", name=YES).press("Enter")
        await expect(seen.page.get_by_role("status")).to_contain_text("Your yes is on record")

    assert await released(world.cluster)
    assert not seen.faults


async def test_what_cannot_be_chosen_fits_in_german(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster, states=[subject_pb2.SUBJECT_STATE_MINOR])
    await a_licensee(world.cluster, "acme", "Acme")

    async with page_in_a_browser(world, tmp_path, browser, locale="de-DE") as seen:
        await _unfold(seen)
        await expect(seen.page.get_by_role("switch")).to_have_count(0)
        await seen.check("settings-choices-fixed")


async def _unfold(seen: Watched) -> None:
    for folded in await seen.page.locator("details").all():
        await folded.evaluate("each => { each.open = true; }")
