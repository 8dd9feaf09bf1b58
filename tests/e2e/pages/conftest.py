"""One installation with its pages for all that a browser does to them."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser

from tests.support.browser import CHROMIUM, MISSING, a_browser
from tests.support.pages_fleet import PagesFleet, a_pages_fleet, settle


@pytest.fixture(scope="package")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PagesFleet]:
    """With people, a policy and two licensees; tests use people of their own."""
    if CHROMIUM is None:
        pytest.skip(MISSING)
    with a_pages_fleet(tmp_path_factory.mktemp("pages")) as running:
        asyncio.run(settle(running))
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with a_browser() as opened:
        yield opened
