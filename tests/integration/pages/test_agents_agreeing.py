"""A yes for many, by an agent: only to the notice that they were shown, of the policy in force (C1)."""

import pytest

from tests.support.choosing_pages import OPT_IN, a_policy, an_informed, on_record, released
from tests.support.cluster import SECOND_US
from tests.support.page_texts import NOTICES, digest_of
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld

YES = {"whom": "all", "wish": "yes-training"}


@pytest.fixture
async def world(world: PagesWorld) -> PagesWorld:
    """With two who have not said yes to a policy that needs it."""
    await a_policy(world.cluster, OPT_IN)
    for subject_id in (7, 8):
        await an_informed(world.cluster, subject_id)
    await world.cluster.license()
    return world


async def checked(visitor: Visitor, page: Seen) -> Seen:
    return await visitor.press(page, "Go on", YES)


async def test_c1_a_yes_shows_the_notice_in_their_language_and_is_one_to_it(world: PagesWorld) -> None:
    async with world.agent(7, 8, language="de") as (visitor, page):
        form = next(each for each in page.forms if each.action == "/agent/check")
        shown = await visitor.send(form, {**form.fields, **YES})
        form = next(each for each in shown.forms if each.action == "/agent/record")
        await visitor.send(form, form.fields)

    assert "Andere dürfen vielleicht KI mit deinen Beiträgen trainieren." in shown.text
    choices = [each.choice for each in await on_record(world.cluster, 8)]
    assert {choice.notice_digest for choice in choices} == {digest_of(NOTICES["de"])}
    assert await released(world.cluster, "acme", 7)


async def test_a_yes_after_another_policy_came_into_force_is_not_carried_out(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        shown = await checked(visitor, page)
        world.cluster.clock.advance(SECOND_US)
        await a_policy(world.cluster, OPT_IN, in_us=SECOND_US)
        world.cluster.clock.advance(2 * SECOND_US)
        after = await visitor.press(shown, "Say yes for 2 people")

    assert "Nothing was recorded: another policy is in force now." in after.text
    assert not await on_record(world.cluster, 7)


async def test_a_yes_without_a_notice_to_show_is_not_offered(world: PagesWorld) -> None:
    world.cluster.clock.advance(SECOND_US)
    await a_policy(world.cluster, OPT_IN, in_us=SECOND_US, notices=[b"\x01" * 32])
    world.cluster.clock.advance(2 * SECOND_US)

    async with world.agent(7, 8) as (visitor, page):
        shown = await checked(visitor, page)

    assert shown.status == 409
    assert "NOTICE_MISSING" in shown.text
    assert all(form.action != "/agent/record" for form in shown.forms)
