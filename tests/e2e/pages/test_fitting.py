"""Every page that the navigation leads to, in each language: it fits, covers nothing and can be used by all.

Pictures of each are kept in build/screenshots.
"""

import pytest
from playwright.async_api import Browser

from tests.support.browser import Watched
from tests.support.pages_fleet import PagesFleet, license_of

LOCALES = {"en": "en-GB", "de": "de-DE", "es": "es-ES"}


async def look_at_all(page: Watched, application: str, language: str) -> list[str]:
    """Goes through the navigation; the paths that were looked at."""
    links = page.page.locator("header nav a[href^='/']:not([hreflang])")
    paths = [str(await link.get_attribute("href")) for link in await links.all()]
    for path in paths:
        await page.open(path)
        await page.check(f"{application}-{path.strip('/') or 'first'}-{language}")
    return paths


@pytest.mark.parametrize("language", LOCALES)
async def test_what_subjects_see_fits_in_each_language(
    fleet: PagesFleet, browser: Browser, language: str
) -> None:
    await fleet.decide(license_of("acme"), 11)
    async with fleet.subject(browser, 11, locale=LOCALES[language]) as page:
        seen = await look_at_all(page, "settings", language)

    assert seen == ["/", "/history", "/received", "/data"]


@pytest.mark.parametrize("language", LOCALES)
async def test_what_operators_see_fits_in_each_language(
    fleet: PagesFleet, browser: Browser, language: str
) -> None:
    await fleet.decide(license_of("acme"), 12)
    async with fleet.operates(browser, locale=LOCALES[language]) as page:
        seen = await look_at_all(page, "console", language)

    assert {"/", "/decisions", "/licenses", "/revenue", "/halts", "/log"} <= set(seen)
