"""Decisions over time in the console, and the way to one of them."""

import pytest

from services.console.operations import counting
from tests.support.cluster import SECOND_US, a_post
from tests.support.consoles import a_console
from tests.support.pages_world import PagesWorld

HOUR_US = 3_600 * SECOND_US
NO_ID = "0199ca42-80a0-7000-90d3-3ede63c7f66a"


@pytest.fixture
async def decided(world: PagesWorld) -> PagesWorld:
    """Two decisions an hour apart: the first releases a post of two, the second denies its only one."""
    await world.cluster.publish_policy()
    await world.cluster.know(1, 2)
    await world.cluster.license()
    await world.cluster.opt_out(2)
    await world.cluster.decide([a_post(10, 1), a_post(11, 2)])
    world.cluster.clock.advance(HOUR_US)
    await world.cluster.decide([a_post(12, 2)])
    return world


async def test_releases_and_denials_are_counted_by_reason(decided: PagesWorld) -> None:
    async with decided.operator() as (visitor, _):
        page = await visitor.get("/decisions")

    assert page.status == 200
    assert "Decisions: 0 released, 1 released in part, 1 denied." in page.text
    assert "Posts: 1 released, 2 denied. As of receipt 2." in page.text
    assert "A contributor said no 2" in page.text


async def test_a_release_shows_at_once(decided: PagesWorld) -> None:
    async with decided.operator() as (visitor, _):
        await decided.cluster.decide([a_post(13, 1)])
        page = await visitor.get("/decisions")

    assert "Decisions: 1 released, 1 released in part, 1 denied." in page.text


async def test_the_list_is_narrowed_by_outcome_and_time(decided: PagesWorld) -> None:
    async with decided.operator() as (visitor, _):
        whole = await visitor.get("/decisions")
        denied = await visitor.press(whole, "Show", {"outcome": "3"})
        none = await visitor.get("/decisions?since=2020-01-01&until=2020-01-02")

    assert whole.html.count('<a href="/decisions/0') == 2
    assert denied.html.count('<a href="/decisions/0') == 1
    assert "There is none." in none.text


async def test_a_long_list_is_paged(decided: PagesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.console.operations.decision_wishes.PAGE", 1)

    async with decided.operator() as (visitor, _):
        first = await visitor.get("/decisions")
        following = (
            first.html.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
        )
        second = await visitor.get(following)

    assert first.html.count('<a href="/decisions/0') == second.html.count('<a href="/decisions/0') == 1
    assert "Next page" not in second.text
    assert "Back to the first page" in second.text


async def test_the_newest_minutes_are_counted_whatever_a_page_of_counts_holds(
    decided: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "PAGE", 1)
    decided.cluster.clock.advance(60 * SECOND_US)
    await decided.cluster.decide([a_post(14, 1)], purpose=99)

    async with decided.operator() as (visitor, _):
        page = await visitor.get("/decisions?by=minute")

    assert "As of receipt 3." in page.text
    assert "Decisions: 0 released, 0 released in part, 2 denied." in page.text


@pytest.mark.parametrize("name", ["outcomes", "reasons"])
async def test_a_chart_is_a_picture_of_the_same_time(decided: PagesWorld, name: str) -> None:
    async with decided.operator() as (visitor, _):
        light = await visitor.get(f"/decisions/chart/{name}.svg?by=hour&theme=light")
        dark = await visitor.get(f"/decisions/chart/{name}.svg?by=hour&theme=dark")

    assert light.status == dark.status == 200
    assert light.headers["content-type"] == "image/svg+xml"
    assert light.html != dark.html
    assert ("Released in part" if name == "outcomes" else "A contributor said no") in light.html


@pytest.mark.parametrize("address", ["/decisions/chart/x.svg", "/decisions/chart/outcomes.svg?since=x"])
async def test_a_chart_of_nothing_known_is_none(world: PagesWorld, address: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(address)

    assert page.status == 400


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("by=year", "Counts are by minute, hour or day."),
        ("since=<script>", "A time is written like"),
        ("since=2026-02-01&until=2026-01-01", "The beginning does not lie before the end."),
        ("since=2026-01-01&until=2026-01-01", "The beginning does not lie before the end."),
        ("by=minute&since=2025-01-01", "That are more bars than a chart can show"),
        ("licensee=A%20B", "Ids of licensees and licenses are of"),
        ("outcome=9", "There is no such outcome."),
    ],
)
async def test_a_wish_that_says_nothing_is_told_so(world: PagesWorld, query: str, said: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/decisions?{query}")

    assert page.status == 400
    assert said in page.text
    assert "<script>" not in page.html


async def test_a_token_of_no_page_is_refused(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/decisions?page=nonsense")

    assert page.status == 400
    assert "PAGE_TOKEN_INVALID" in page.text


async def test_a_decision_is_found_by_its_id_its_request_and_its_receipt(decided: PagesWorld) -> None:
    decision = await decided.cluster.decide([a_post(20, 1)])

    async with decided.operator() as (visitor, _):
        start = await visitor.get("/decisions")
        for sought in (decision.decision_id, decision.request_id, str(decision.receipt_number)):
            page = await visitor.press(start, "Find", {"q": sought})
            assert page.url.endswith(f"/decisions/{decision.decision_id}"), sought


async def test_the_number_of_a_receipt_is_found_as_the_page_writes_it(decided: PagesWorld) -> None:
    async with decided.operator(language="de-DE") as (visitor, _):
        page = await visitor.get("/decisions/find?q=0199.999")
        numbered = await visitor.get("/decisions/find?q=9.999")

    # The words of a page that is there for what has the form of a number, and of one for what has not.
    assert (page.status, numbered.status) == (400, 404)


@pytest.mark.parametrize(
    ("sought", "status", "said"),
    [
        (NO_ID, 404, "Nothing is on record under this id or number."),
        ("999", 404, "Nothing is on record under this id or number."),
        ("<script>alert(1)</script>", 400, "This is neither an id nor the number of a receipt."),
        ("", 400, "This is neither an id nor the number of a receipt."),
    ],
)
async def test_what_is_not_found_or_nothing_is_told_so(
    world: PagesWorld, sought: str, status: int, said: str
) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.press(await visitor.get("/decisions"), "Find", {"q": sought})

    assert page.status == status
    assert said in page.text
    assert "<script>alert" not in page.html


async def test_without_licensing_the_page_says_so(world: PagesWorld) -> None:
    async with a_console(world, without=["licensing"]) as (visitor, _):
        page = await visitor.get("/decisions")

    assert page.status == 200
    assert page.text.count("This part cannot be reached at the moment.") == 2


async def test_nobody_sees_decisions_without_a_sign_in(world: PagesWorld) -> None:
    async with world.operator() as (visitor, page):
        await visitor.press(page, "Sign out")
        for address in ("/decisions", f"/decisions/{NO_ID}", "/decisions/chart/outcomes.svg", "/log"):
            assert "/sign-in" in (await visitor.get(address)).url, address


async def test_numbers_and_reasons_are_in_the_readers_form(decided: PagesWorld) -> None:
    async with decided.operator(language="de-DE") as (visitor, _):
        page = await visitor.get("/decisions/chart/outcomes.svg?by=day")

    assert "Okt" in page.html
