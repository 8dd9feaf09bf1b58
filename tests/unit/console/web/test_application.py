"""An application of pages as it is put together."""

import pytest

from services.console.web.bodies import LARGEST_FORM
from services.console.web.templating import asset
from tests.support.clock import ManualClock
from tests.support.small_pages import SmallPages, a_session, small_pages

KEPT = "public, max-age=31536000, immutable"


@pytest.fixture
def pages() -> SmallPages:
    return small_pages(ManualClock(), largest_forms={"/halts": 2 * LARGEST_FORM})


@pytest.mark.parametrize("name", ["style.css", "page.js"])
async def test_a_file_is_kept_for_good_by_the_address_of_its_own_content(
    pages: SmallPages, name: str
) -> None:
    async with pages.visitor() as visitor:
        answer = await visitor.http.get(asset(name))
        same = await visitor.http.get(asset(name), headers={"if-none-match": answer.headers["etag"]})

    assert answer.headers["cache-control"] == KEPT
    assert (same.status_code, same.headers["cache-control"]) == (304, KEPT)


@pytest.mark.parametrize("query", ["", "?", "?0123456789ab", "?anything"])
async def test_a_file_of_another_version_of_the_program_is_asked_for_again(
    pages: SmallPages, query: str
) -> None:
    async with pages.visitor() as visitor:
        answer = await visitor.http.get(f"/assets/style.css{query}")

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")


async def test_a_large_form_is_read_of_whoever_is_signed_in_alone(pages: SmallPages) -> None:
    sent = {"form": "x" * LARGEST_FORM}
    headers = {"sec-fetch-site": "same-origin"}

    async with pages.visitor(a_session()) as known, pages.visitor() as stranger:
        read = await known.http.post("/halts", data=sent, headers=headers)
        unread = await stranger.http.post("/halts", data=sent, headers=headers)

    assert (read.status_code, unread.status_code) == (409, 413)


async def test_who_comes_beyond_what_is_answered_at_once_gets_our_headers() -> None:
    async with small_pages(ManualClock(), at_once=0).visitor() as visitor:
        refused, health = await visitor.http.get("/halts"), await visitor.http.get("/healthz")

    assert (refused.status_code, health.status_code) == (503, 200)
    assert refused.headers["content-security-policy"].startswith("default-src 'none'")
