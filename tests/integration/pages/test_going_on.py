"""Where a reader goes on: at the switch they pressed, on the same part of a list in another language."""

import re
from collections.abc import AsyncIterator

import pytest

from services.chassis.refusals import Kind, Refusal
from tests.support.choosing_pages import ALL_TRAINING, a_licensee, a_policy, an_informed
from tests.support.pages import Seen
from tests.support.pages_world import PagesWorld
from tests.support.refusing import refuse_calls


@pytest.fixture
async def world(world: PagesWorld) -> AsyncIterator[PagesWorld]:
    """Subject 7, whose posts may go to a licensee."""
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    yield world


def languages(page: Seen) -> list[str]:
    """Where its links to other languages lead."""
    return [each.replace("&amp;", "&") for each in re.findall(r'href="(/language\?[^"]*)"', page.html)]


async def test_a_press_leads_back_to_its_switch_and_the_title_begins_with_what_came_of_it(
    world: PagesWorld,
) -> None:
    async with world.subject(7) as (visitor, page):
        after = await visitor.press(page, ALL_TRAINING)
        one = await visitor.press(await visitor.press(after, "AI training, for Acme"), "Say yes")
        later = await visitor.get("/")

    assert after.url.endswith("/#everyone-training")
    assert one.url.endswith("/#acme-training")
    for seen in (after, one):
        assert f'id="{seen.url.partition("#")[2]}"' in seen.html
    assert "<title>Your no is on record, for everyone: AI training." in after.html
    assert "<title>Your yes is on record, for acme: AI training." in one.html
    assert "<title>Your choices" in later.html


async def test_every_switch_is_described_by_how_it_stands(world: PagesWorld) -> None:
    async with world.subject(7) as (visitor, page):
        after = await visitor.press(page, "Training of generative AI, for everyone")

    switches = re.findall(r'role="switch" aria-describedby="([^"]+)"', after.html)
    states = dict(
        re.findall(r'<p class="state \w+" id="([^"]+)"><span[^>]*>.</span> ([^<]*)</p>', after.html)
    )

    assert len(switches) > 10
    assert len(set(switches)) == len(switches)
    assert states["everyone-training-state"] == "Allowed in part"
    assert set(switches) <= set(states)


async def test_another_language_keeps_the_part_of_the_list(world: PagesWorld) -> None:
    async with world.subject(7) as (visitor, _):
        page = await visitor.get("/?open=acme")
        german = await visitor.get(languages(page)[1])

    assert german.url.endswith("/?open=acme")
    assert '<html lang="de' in german.html


async def test_on_a_page_that_a_form_has_made_another_language_leads_to_a_page_that_is_there(
    world: PagesWorld,
) -> None:
    async with world.agent(7) as (visitor, page):
        visitor.http.headers["referer"] = page.url
        checked = await visitor.press(page, "Go on", {"whom": "all", "wish": "no-training"})
        visitor.http.headers["referer"] = f"{visitor.origin}/agent/check"
        recorded = await visitor.press(checked, "Say no for 1 person")
        seen = [await visitor.get(where) for made in (checked, recorded) for where in languages(made)]

    assert recorded.status == 200
    assert [page.status for page in seen] == [200] * 6
    assert {page.url for page in seen} == {f"{visitor.origin}/agent"}


async def test_what_failed_on_such_a_page_leads_back_to_a_page_that_is_there(world: PagesWorld) -> None:
    async with world.agent(7) as (visitor, page):
        visitor.http.headers["referer"] = f"{visitor.origin}/agent/check"
        failed = await visitor.send(page.form("Go on"), {"form": "nonsense"})

    assert failed.status == 400
    assert '<a href="/agent">Look at the page again</a>' in failed.html


async def test_a_no_to_one_licensee_too_many_is_told_of_the_no_to_all(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_calls(monkeypatch, "RecordChoice", Refusal(Kind.EXHAUSTED, "TOO_MANY_SCOPES", "128 of them"))

    async with world.subject(7) as (visitor, page):
        refused = await visitor.press(page, "AI training, for Acme")

    assert "A no for everyone can always be said, and it is for this licensee as well." in refused.text
    assert "Nothing was changed." in refused.text
