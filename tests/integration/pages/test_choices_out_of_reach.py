"""The page of a subject while services are gone: it needs consent alone, and says what it lacks."""

from pathlib import Path

from sluice.consent.v1 import choice_pb2
from tests.support.choosing_pages import (
    ALL_TRAINING,
    a_licensee,
    a_policy,
    an_informed,
    fragile_page,
    on_record,
    released,
    say,
)
from tests.support.pages_world import PagesWorld


async def test_without_licensing_everything_can_be_chosen(world: PagesWorld, tmp_path: Path) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    await say(world.cluster, choice_pb2.STANCE_DENY, licensee_id="birch")

    async with fragile_page(world, tmp_path) as (visitor, _, services):
        services.gone.add("licensing")
        page = await visitor.get("/")
        after = await visitor.press(page, ALL_TRAINING)

    assert "The list of licensees cannot be reached at the moment." in page.text
    assert "AI training, for birch" in page.text
    assert "Your no is on record, for everyone" in after.text
    assert not await released(world.cluster)


async def test_a_list_that_is_out_of_reach_is_not_said_to_be_empty(world: PagesWorld, tmp_path: Path) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)

    async with fragile_page(world, tmp_path) as (visitor, there, services):
        services.gone.add("licensing")
        gone = await visitor.get("/")

    assert "There is no licensee at present." in there.text
    assert "There is no licensee at present." not in gone.text
    assert "The list of licensees cannot be reached at the moment." in gone.text


async def test_without_consent_the_page_says_so_and_nothing_is_changed(
    world: PagesWorld, tmp_path: Path
) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)

    async with fragile_page(world, tmp_path) as (visitor, page, services):
        services.gone.add("consent")
        gone = await visitor.get("/")
        pressed = await visitor.press(page, ALL_TRAINING)
        services.gone.clear()
        again = await visitor.press(page, ALL_TRAINING)

    assert gone.status == pressed.status == 503
    assert "A service cannot be reached at the moment" in gone.text
    assert "it is not known whether your change was taken" in pressed.text
    assert "Your no is on record, for everyone" in again.text
    assert len(await on_record(world.cluster)) == 2
