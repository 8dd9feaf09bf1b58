"""The log of receipts in the console."""

import base64

import pytest

from tests.support.cluster import a_post
from tests.support.consoles import a_console
from tests.support.pages_world import PagesWorld


@pytest.fixture
async def logged(world: PagesWorld) -> PagesWorld:
    """Three receipts under a checkpoint."""
    await world.cluster.publish_policy()
    await world.cluster.know(1)
    await world.cluster.license()
    for place in range(3):
        await world.cluster.decide([a_post(10 + place, 1)])
    await world.cluster.publisher.publish()
    return world


async def test_a_log_without_a_checkpoint_says_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/log")
        note = await visitor.get("/log/checkpoint")

    assert "No checkpoint of the log has been published yet." in page.text
    assert "The database of licensing was never restored." in page.text
    assert note.status == 404


async def test_the_checkpoint_is_shown_with_what_checks_it_and_is_there_to_keep(logged: PagesWorld) -> None:
    async with logged.operator() as (visitor, _):
        page = await visitor.get("/log")
        note = await visitor.get("/log/checkpoint")

    assert "over 3 receipts and 0 seconds old" in page.text
    assert "sluice log verify FOLDER --kept checkpoint-3.txt" in page.text
    assert "not that nothing is missing" in page.text
    assert note.html.splitlines()[1] == "3"
    assert base64.b64decode(note.html.splitlines()[2]).hex() in page.text
    assert note.headers["content-disposition"] == 'attachment; filename="checkpoint-3.txt"'


async def test_the_proof_that_the_log_only_grew_is_shown_and_there_to_keep(logged: PagesWorld) -> None:
    async with logged.operator() as (visitor, _):
        page = await visitor.press(await visitor.get("/log"), "Give the proof", {"first": "2"})
        kept = await visitor.get("/log/consistency?first=2&second=3&form=file")
        same = await visitor.get("/log/consistency?first=3")

    assert page.status == 200
    assert kept.html.strip() in page.html
    assert all(len(base64.b64decode(line)) == 32 for line in kept.html.splitlines())
    assert "None is needed: both are the same." in same.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("first=4", "The log has no such sizes"),
        ("first=3&second=2", "The log has no such sizes"),
        ("first=x", "Sizes are numbers, from 1."),
        ("first=<script>", "Sizes are numbers, from 1."),
        ("", "Sizes are numbers, from 1."),
    ],
)
async def test_sizes_that_the_log_has_not_are_told_so(logged: PagesWorld, query: str, said: str) -> None:
    async with logged.operator() as (visitor, _):
        page = await visitor.get(f"/log/consistency?{query}")

    assert page.status == 400
    assert said in page.text
    assert "<script>" not in page.html


async def test_without_licensing_the_page_says_so(world: PagesWorld) -> None:
    async with a_console(world, without=["licensing"]) as (visitor, _):
        page = await visitor.get("/log")
        note = await visitor.get("/log/checkpoint")

    assert page.status == 200
    assert page.text.count("This part cannot be reached at the moment.") == 2
    assert note.status == 503
