"""A yes takes the notice, open and in full, and what the policy leaves to be allowed (C1, C3)."""

import pytest

from sluice.consent.v1 import choice_pb2
from tests.support.choosing_pages import (
    ALL_TRAINING,
    OPT_IN,
    OPT_OUT,
    PROHIBITED,
    SHARING,
    YES,
    a_licensee,
    a_policy,
    an_informed,
    on_record,
    released,
    say,
)
from tests.support.page_texts import NOTICES, digest_of
from tests.support.pages_world import PagesWorld


@pytest.fixture
async def unasked(world: PagesWorld) -> PagesWorld:
    """A licensee, and a subject 7 in a country of opting in who has not chosen."""
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    return world


async def test_c1_a_yes_shows_the_notice_and_is_one_to_the_text_that_was_shown(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, "AI training, for Acme")
        before = await on_record(unasked.cluster)
        after = await visitor.press(asked, YES)

    assert not before
    assert "<details" not in asked.html
    assert "We may let others train AI with your posts." in asked.text
    assert "Training of generative AI Training of other AI For whom Acme" in asked.text
    assert f"SHA-256 {digest_of(NOTICES['en']).hex()}" in asked.text
    assert "Your yes is on record, for acme: AI training." in after.text
    recorded = [each.choice for each in await on_record(unasked.cluster)]
    assert {each.notice_digest for each in recorded} == {digest_of(NOTICES["en"])}


async def test_c1_no_form_but_that_of_the_notice_is_one_of_a_yes(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        sealed = [form for form in page.forms if form.action == "/choose"]
        answers = []
        for form in sealed:
            form.action = "/yes"
            answers.append(await visitor.send(form, form.fields))

    assert sealed
    assert {answer.status for answer in answers} == {409}
    assert not await on_record(unasked.cluster)


async def test_the_page_of_a_yes_goes_on_in_another_language(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        link = asked.html.partition('href="/language?to=de')[2].partition('"')[0].replace("&amp;", "&")
        german = await visitor.get(f"/language?to=de{link}")

    assert german.status == 200
    assert "Andere dürfen vielleicht KI mit deinen Beiträgen trainieren." in german.text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("uses=2,3&licensee=Acme%20Inc.", 400),
        ("uses=2,3&licensee=everyone", 400),
        ("uses=x", 400),
        ("uses=2,9", 404),
        ("", 404),
        ("uses=2,3&page=nonsense", 400),
    ],
)
async def test_a_yes_to_what_there_is_no_switch_for_is_refused(
    unasked: PagesWorld, query: str, status: int
) -> None:
    async with unasked.subject(7) as (visitor, _):
        page = await visitor.get(f"/yes?{query}")

    assert page.status == status


@pytest.mark.parametrize("forbidden", [{SHARING: PROHIBITED}, dict.fromkeys((2, 3), PROHIBITED)])
async def test_c3_where_a_no_hides_that_the_policy_forbids_it_there_is_no_yes_to_be_said(
    world: PagesWorld, forbidden: dict[int, int]
) -> None:
    await a_policy(world.cluster, OPT_OUT)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    for purpose in (2, 3):
        await say(world.cluster, choice_pb2.STANCE_DENY, purpose=purpose)
    await a_policy(world.cluster, OPT_OUT, forbidden)  # type: ignore[arg-type]

    async with world.subject(7) as (visitor, page):
        by_hand = await visitor.get("/yes?uses=2,3")
    await a_policy(world.cluster, OPT_OUT)

    assert not [form for form in page.forms if form.fields.get("uses") in {"2", "3", "2,3"}]
    assert "The policy in force forbids it besides" in page.text or "The policy forbids it" in page.text
    assert "There is nothing here that a yes can change" in by_hand.text
    assert all(form.action != "/yes" for form in by_hand.forms)
    assert not await released(world.cluster)
