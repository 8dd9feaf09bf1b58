"""A subject turns the switches of their page, and the next decision goes by it (C1, C2, C9)."""

import pytest

from sluice.consent.v1 import choice_pb2
from tests.support.choosing_pages import (
    ALL_TRAINING,
    GENERATIVE,
    OPT_IN,
    OPT_OUT,
    OTHER,
    SHARING,
    a_licensee,
    a_policy,
    agree,
    an_informed,
    on_record,
    released,
    say,
)
from tests.support.page_texts import NOTICES, digest_of
from tests.support.pages_world import PagesWorld

ACME, BIRCH = "AI training, for Acme", "AI training, for Birch"


@pytest.fixture
async def informed(world: PagesWorld) -> PagesWorld:
    """Two licensees, and a subject 7 in a country of opting out who was served the notice."""
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    await a_licensee(world.cluster, "birch", "Birch")
    return world


@pytest.fixture
async def unasked(world: PagesWorld) -> PagesWorld:
    """Two licensees, and a subject 7 in a country of opting in who has not chosen."""
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    await a_licensee(world.cluster, "birch", "Birch")
    return world


async def test_one_press_ends_all_training_and_says_from_when(informed: PagesWorld) -> None:
    assert await released(informed.cluster)

    async with informed.subject(7) as (visitor, page):
        after = await visitor.press(page, ALL_TRAINING)

    assert "Your posts may be used to train AI." in page.text
    assert "Your posts may not be used to train AI. You said no." in after.text
    assert "Your no is on record, for everyone: AI training. It is in force from 9 Oct 2025," in after.text
    assert not await released(informed.cluster)
    recorded = [each.choice for each in await on_record(informed.cluster)]
    assert {each.purpose for each in recorded} == {GENERATIVE, OTHER}
    assert {each.method for each in recorded} == {choice_pb2.CHOICE_METHOD_SETTINGS}


async def test_a_yes_for_one_licensee_releases_to_that_one_alone(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        after = await agree(visitor, page, ACME)

    assert "Your yes is on record, for acme: AI training." in after.text
    assert "Your posts may be used to train AI, but not by everyone or not for everything." in after.text
    assert await released(unasked.cluster, "acme")
    assert not await released(unasked.cluster, "birch")
    # C1: what was agreed to is what was shown.
    assert {each.choice.notice_digest for each in await on_record(unasked.cluster)} == {
        digest_of(NOTICES["en"])
    }


async def test_a_yes_for_one_after_a_no_for_everyone_is_for_that_one(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, page):
        denied = await visitor.press(page, ALL_TRAINING)
        await agree(visitor, denied, ACME)

    assert await released(informed.cluster, "acme")
    assert not await released(informed.cluster, "birch")


async def test_a_switch_that_is_on_for_one_licensee_is_off_for_all_by_one_press(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        for_one = await agree(visitor, page, ACME)
        allowed = await released(unasked.cluster, "acme")
        after = await visitor.press(for_one, ALL_TRAINING)

    assert allowed
    assert "Your posts may not be used to train AI." in after.text
    assert not await released(unasked.cluster, "acme")


async def test_a_yes_for_everyone_leaves_the_no_for_one(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, page):
        but_one = await visitor.press(page, BIRCH)
        nobody = await visitor.press(but_one, ALL_TRAINING)
        after = await agree(visitor, nobody, ALL_TRAINING)

    assert "Your posts may be used to train AI, but not by everyone or not for everything." in after.text
    assert await released(informed.cluster, "acme")
    assert not await released(informed.cluster, "birch")


async def test_who_has_not_been_asked_can_say_no_as_well_as_yes(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        after = await visitor.press(page, f"Say no, whatever changes: {ALL_TRAINING}")
        await a_policy(unasked.cluster, OPT_OUT)

    assert "Where you live this needs your yes, and you have not given it." in page.text
    assert "Your posts may not be used to train AI. You said no." in after.text
    assert not await released(unasked.cluster)


async def test_a_single_use_is_turned_alone_and_its_switches_stay_unfolded(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, page):
        after = await visitor.press(page, "Training of generative AI, for everyone")

    assert after.url.endswith("/?open=everyone#everyone-2")
    assert "<details open>" in after.html
    assert [each.choice.purpose for each in await on_record(informed.cluster)] == [GENERATIVE]


async def test_a_no_to_passing_posts_on_is_a_no_to_training_and_says_so(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, page):
        after = await visitor.press(page, "Passing posts on to third parties, for everyone")

    assert (
        "This needs “Passing posts on to third parties” as well, and that is not allowed. You said no."
        in (after.text)
    )
    assert not await released(informed.cluster)


async def test_a_no_to_everything_is_one_choice(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, page):
        after = await visitor.press(page, "All uses, for everyone")

    (record,) = await on_record(informed.cluster)
    assert record.choice.all_purposes
    assert "Your no is on record, for everyone: All uses." in after.text
    assert not await released(informed.cluster)


async def test_a_yes_to_training_counts_against_an_older_no_of_the_browser(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, _):
        visitor.http.headers["sec-gpc"] = "1"
        page = await visitor.get("/")
        kept = await visitor.press(page, "Keep this signal on record")
        denied = await released(informed.cluster)
        after = await agree(visitor, kept, ALL_TRAINING)

    assert "Your browser says no for you" in page.text
    assert "The no of your browser is on record. It is in force from" in kept.text
    assert "Your browser said no for you (Global Privacy Control)." in kept.text
    assert "Keep this signal on record" not in kept.text
    assert not denied
    # C7: named on behalf of training, the yes lifts the no to passing posts on.
    assert "Your posts may be used to train AI." in after.text
    assert await released(informed.cluster)


async def test_the_page_itself_records_nothing(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, _):
        visitor.http.headers["sec-gpc"] = "1"
        await visitor.get("/")

    assert not await on_record(informed.cluster)


async def test_a_signal_that_is_kept_twice_is_recorded_once(informed: PagesWorld) -> None:
    async with informed.subject(7) as (visitor, _):
        visitor.http.headers["sec-gpc"] = "1"
        page, other = await visitor.get("/"), await visitor.get("/")
        await visitor.press(page, "Keep this signal on record")
        again = await visitor.press(other, "Keep this signal on record")

    assert "was on record before, so nothing was changed" in again.text
    (record,) = await on_record(informed.cluster)
    assert record.choice.purpose == SHARING


async def test_somebody_nobody_knows_yet_can_say_no_and_not_yes(informed: PagesWorld) -> None:
    async with informed.subject(9) as (visitor, page):
        after = await visitor.press(page, f"Say no, whatever changes: {ALL_TRAINING}")
        await an_informed(informed.cluster, 9)

    assert "This platform has not told us yet who you are." in page.text
    assert 'role="switch"' not in page.html
    assert "Your no is on record besides." in after.text
    assert not await released(informed.cluster, author_id=9)


async def test_an_operators_record_is_told_from_ones_own(informed: PagesWorld) -> None:
    operator = choice_pb2.CHOICE_METHOD_OPERATOR
    await say(informed.cluster, choice_pb2.STANCE_DENY, method=operator)
    await say(informed.cluster, choice_pb2.STANCE_DENY, method=operator, purpose=OTHER)

    async with informed.subject(7) as (_, page):
        assert "You said no, and the platform put it on record for you." in page.text
