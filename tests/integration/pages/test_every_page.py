"""What every page of both applications keeps to, whoever wrote it: found by following links."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.support.crawling import Markup, pages_from
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld

WHO = ["subject", "agent", "operator", "nobody"]


@contextlib.asynccontextmanager
async def _come_in(world: PagesWorld, who: str) -> AsyncIterator[tuple[Visitor, Seen]]:
    """Somebody, on the first page that they see."""
    await world.cluster.know(7)
    if who == "nobody":
        async with Visitor(world.console) as visitor:
            yield visitor, await visitor.get("/")
        return
    arriving = {"subject": world.subject(7), "agent": world.agent(7), "operator": world.operator()}
    async with arriving[who] as (visitor, page):
        yield visitor, page


@pytest.mark.parametrize("who", WHO)
async def test_no_page_needs_what_the_policy_of_content_forbids(world: PagesWorld, who: str) -> None:
    faults: dict[str, list[str]] = {}

    async with _come_in(world, who) as (visitor, first):
        async for page in pages_from(visitor, first):
            if found := Markup(page).faults:
                faults[urlsplit(page.url).path] = found

    assert faults == {}


@pytest.mark.parametrize("who", WHO)
async def test_every_page_has_the_headers_and_is_kept_by_nobody(world: PagesWorld, who: str) -> None:
    async with _come_in(world, who) as (visitor, first):
        seen = [page async for page in pages_from(visitor, first)]

    assert seen
    for page in seen:
        assert "default-src 'none'" in page.headers["content-security-policy"], page.url
        assert "unsafe" not in page.headers["content-security-policy"], page.url
        assert page.headers["cache-control"] == "no-store", page.url
        assert page.headers["x-content-type-options"] == "nosniff", page.url


@pytest.mark.parametrize("who", ["subject", "operator", "nobody"])
async def test_no_link_leads_to_a_page_that_cannot_be_made(world: PagesWorld, who: str) -> None:
    async with _come_in(world, who) as (visitor, first):
        failed = [page.url async for page in pages_from(visitor, first) if page.status != 200]

    assert failed == []


@pytest.mark.parametrize("who", WHO)
async def test_every_form_that_changes_something_is_sealed(world: PagesWorld, who: str) -> None:
    # Signing in and out changes nothing at the services; everything else carries the field of `forms`.
    bare: list[str] = []

    async with _come_in(world, who) as (visitor, first):
        async for page in pages_from(visitor, first):
            for form in page.forms:
                is_free = form.method == "get" or form.action.startswith("/sign-")
                if not is_free and not form.fields.get("form"):
                    bare.append(f"{form.action} of {urlsplit(page.url).path}")

    assert bare == []
