"""A yes for many, by an agent: only to the notice that they were shown, of the policy in force (C1)."""

import pytest

from sluice.consent.v1.choice_pb2 import STANCE_DENY
from tests.support.choosing_pages import (
    OPT_IN,
    PROHIBITED,
    SHARING,
    a_policy,
    an_informed,
    on_record,
    released,
    say,
)
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


async def test_c2_who_has_said_no_is_named_and_left_out(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        await say(world.cluster, STANCE_DENY)
        shown = await checked(visitor, page)
        after = await visitor.press(shown, "Say yes for 1 person, and for those ticked")

    assert "1 person has said no" in shown.text
    assert "Take back the no of 7" in shown.text
    assert "It will be recorded for 1 person you act for." in shown.text
    assert "Recorded: 1 of 1." in after.text
    assert not await released(world.cluster, "acme", 7)
    assert await released(world.cluster, "acme", 8)


async def test_c2_a_no_is_taken_back_for_those_alone_who_are_ticked(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        await say(world.cluster, STANCE_DENY)
        shown = await checked(visitor, page)
        after = await visitor.press(shown, "Say yes for 1 person, and for those ticked", {"also": "7"})

    assert "Recorded: 2 of 2." in after.text
    assert await released(world.cluster, "acme", 7)


async def test_whoever_is_ticked_and_was_not_named_is_not_recorded(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        await say(world.cluster, STANCE_DENY)
        shown = await checked(visitor, page)
        form = shown.form("Say yes for 1 person")
        other = await visitor.send(form, {**form.fields, "also": "9"})
        nonsense = await visitor.send(form, {**form.fields, "also": "x"})

    assert "Recorded: 1 of 1." in other.text
    assert nonsense.status == 400


async def test_where_all_have_said_no_and_nobody_is_ticked_nothing_is_recorded(world: PagesWorld) -> None:
    async with world.agent(7) as (visitor, page):
        await say(world.cluster, STANCE_DENY)
        shown = await checked(visitor, page)
        after = await visitor.press(shown, "Say yes for 0 people, and for those ticked")

    assert "Nothing was recorded: nobody was left to record it for." in after.text
    assert not await released(world.cluster, "acme", 7)


async def test_c2_who_says_no_after_the_look_is_passed_over_and_named(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        shown = await checked(visitor, page)
        await say(world.cluster, STANCE_DENY)
        after = await visitor.press(shown, "Say yes for 2 people")

    assert "Recorded: 1 of 2." in after.text
    assert "7 How it stands for them has changed since you looked." in after.text
    assert not await released(world.cluster, "acme", 7)
    assert await released(world.cluster, "acme", 8)


async def test_a_yes_that_is_sent_twice_is_carried_out_once_and_undoes_no_later_no(world: PagesWorld) -> None:
    async with world.agent(7, 8) as (visitor, page):
        shown = await checked(visitor, page)
        first = await visitor.press(shown, "Say yes for 2 people")
        second = await visitor.press(shown, "Say yes for 2 people")
        await say(world.cluster, STANCE_DENY)
        third = await visitor.press(shown, "Say yes for 2 people")

    assert "Recorded: 2 of 2." in first.text
    assert "Recorded: 2 of 2." in second.text
    assert "Recorded: 1 of 2." in third.text
    assert len(await on_record(world.cluster, 8)) == 2
    assert not await released(world.cluster, "acme", 7)


async def test_c3_for_whom_the_policy_forbids_it_nothing_is_recorded(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_IN, {SHARING: PROHIBITED})
    async with world.agent(7, 8) as (visitor, page):
        shown = await checked(visitor, page)

    assert "For 2 people a yes can change nothing at the moment" in shown.text
    assert all(form.action != "/agent/record" for form in shown.forms)
