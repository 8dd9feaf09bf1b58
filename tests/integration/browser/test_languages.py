"""Pages in languages of long words fit a phone: nothing is cut off, covered or wider than it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser

from services.chassis.identity import PrincipalKind
from tests.support.browser import LAYOUT, Watched, a_browser, watched
from tests.support.choosing_pages import Fragile, a_settings_page
from tests.support.cluster import a_cluster
from tests.support.consoles import a_served_console
from tests.support.crawling import pages_from
from tests.support.full_worlds import ME, OF_OPERATOR, OF_SUBJECT, on_record, overseen
from tests.support.page_texts import some_texts
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import ALL_ROLES, PagesWorld, pages_over
from tests.support.served_pages import served

PHONE = 390
"""Pixels."""
LANGUAGES = ["de-DE", "es-ES"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with a_browser() as chromium:
        yield chromium


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PagesWorld]:
    """Both pages, with nothing on record."""
    async with a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as pages:
        yield pages


async def paths_from(visitor: Visitor, first: Seen) -> list[str]:
    """Those of all pages that links lead to."""
    return [urlsplit(page.url).path async for page in pages_from(visitor, first)]


async def faults_of(seen: Watched, paths: Sequence[str]) -> dict[str, list[str]]:
    """What does not fit on a phone, everything unfolded; by path, where there is something."""
    await seen.page.set_viewport_size({"width": PHONE, "height": 900})
    found = dict[str, list[str]]()
    for path in paths:
        await seen.open(path)
        await seen.page.eval_on_selector_all("details", "all => all.forEach((each) => (each.open = true))")
        if faults := await seen.page.evaluate(LAYOUT):
            found[path] = faults
    return found


async def come_in(seen: Watched, world: PagesWorld, token: str) -> None:
    """Signs somebody in, whatever the button is called."""
    await seen.open(f"/sign-in/link?code={world.links.make(token)}")
    await seen.page.locator("form[action='/sign-in/link'] button").click()
    await seen.page.wait_for_load_state()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["subject", "agent"])
async def test_pages_of_subjects_and_agents_fit_a_phone(
    world: PagesWorld, tmp_path: Path, browser: Browser, who: str, language: str
) -> None:
    await on_record(world)
    async with world.subject(ME) if who == "subject" else world.agent(ME, 8) as (visitor, first):
        paths = await paths_from(visitor, first)
    mint = world.cluster.licensing.token
    of_subject = mint(PrincipalKind.SUBJECT, str(ME))
    of_agent = mint(PrincipalKind.AGENT, "helper", subjects=[ME, 8])
    services, texts = Fragile(world.cluster), some_texts(tmp_path / "texts")

    async with (
        served(lambda origin: a_settings_page(world, services, texts, origin)) as origin,
        watched(browser, origin, locale=language) as seen,
    ):
        await come_in(seen, world, of_subject if who == "subject" else of_agent)
        faults = await faults_of(seen, [*paths, *OF_SUBJECT])

    assert faults == {}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("put_on_record", [on_record, overseen])
async def test_pages_of_operators_fit_a_phone(
    world: PagesWorld, browser: Browser, put_on_record: Callable[[PagesWorld], Awaitable[None]], language: str
) -> None:
    await put_on_record(world)
    async with world.operator("kim") as (visitor, first):
        paths = await paths_from(visitor, first)
    token = world.cluster.licensing.token(PrincipalKind.OPERATOR, "kim", ALL_ROLES)

    async with (
        a_served_console(world) as (origin, _),
        watched(browser, origin, locale=language) as seen,
    ):
        await come_in(seen, world, token)
        faults = await faults_of(seen, [*paths, *OF_OPERATOR])

    assert len(paths) > 10
    assert faults == {}
