"""What the policy, the account and halts leave to choose, and what is shown of the texts (C3, C4, C12)."""

from pathlib import Path

import pytest

from services.console.settings_page.texts import Texts
from sluice.consent.v1 import halt_pb2, state_service_pb2, subject_pb2
from sluice.consent.v1 import subject_service_pb2 as subject_pb
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub
from tests.support.choosing_pages import (
    ALL_TRAINING,
    GENERATIVE,
    OPT_IN,
    OPT_OUT,
    OTHER,
    PROHIBITED,
    a_licensee,
    a_policy,
    agree,
    an_informed,
    fragile_page,
    in_consent,
    on_record,
    released,
)
from tests.support.cluster import DAY_US
from tests.support.page_texts import NOTICES, digest_of
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld

SAY_NO = f"Say no, whatever changes: {ALL_TRAINING}"
SWITCH = 'role="switch"'


async def test_what_the_policy_forbids_has_no_switch_and_can_be_denied_for_later(world: PagesWorld) -> None:
    await a_policy(world.cluster, PROHIBITED)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")

    async with world.subject(7) as (visitor, page):
        after = await visitor.press(page, SAY_NO)
        await a_policy(world.cluster, OPT_OUT)

    assert "The policy forbids it where you live, whatever is chosen." in page.text
    assert SWITCH not in page.html
    assert "Your no is on record besides." in after.text
    assert not await released(world.cluster)


async def test_a_yes_to_all_training_leaves_out_what_is_forbidden(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_IN, {OTHER: PROHIBITED})
    await an_informed(world.cluster)

    async with world.subject(7) as (visitor, page):
        after = await agree(visitor, page, ALL_TRAINING)

    assert [each.choice.purpose for each in await on_record(world.cluster)] == [GENERATIVE]
    assert "Allowed: Training of generative AI. You said yes." in after.text
    assert "Not allowed: Training of other AI. The policy forbids it" in after.text


async def test_a_minor_is_told_so_and_has_no_switch(world: PagesWorld) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster, states=[subject_pb2.SUBJECT_STATE_MINOR])

    async with world.subject(7) as (_, page):
        assert "You are on record as a minor. Posts of minors go to nobody, whatever was chosen." in page.text
        assert SWITCH not in page.html
        assert page.form(SAY_NO)


async def test_who_is_withheld_in_a_country_is_told_that_a_no_counts_elsewhere(world: PagesWorld) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster, withheld_countries=["FR"])
    await a_licensee(world.cluster, "acme", "Acme", territory=["US"])

    async with world.subject(7) as (visitor, page):
        before = await released(world.cluster)
        after = await visitor.press(page, SAY_NO)

    assert "Your posts may not be used to train AI where they are withheld." in page.text
    assert before
    assert "Your posts may not be used to train AI. " in after.text
    assert not await released(world.cluster)


async def test_a_halt_is_told_and_takes_the_switches_of_what_it_stops(world: PagesWorld) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    halt = state_service_pb2.OrderHaltRequest(
        request_id=world.cluster.new_id(), scope=halt_pb2.HaltScope(licensee_id="acme"), cause="a leak"
    )
    await world.cluster.states("OrderHalt", halt)

    async with world.subject(7) as (_, page):
        assert "All of it is halted at the moment, whatever was chosen." in page.text
        assert "Your posts may be used to train AI, but not by everyone" in page.text
        assert page.form("Say no, whatever changes: AI training, for Acme")
        assert page.form(ALL_TRAINING).buttons[0][2] == ALL_TRAINING
        with pytest.raises(StopIteration):
            next(
                button
                for form in page.forms
                for button in form.buttons
                if button[2] == "AI training, for Acme"
            )


async def test_who_was_never_shown_the_notice_is_shown_it_and_can_agree(world: PagesWorld) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster, notice_digests=[])
    await a_licensee(world.cluster, "acme", "Acme")

    async with world.subject(7) as (visitor, page):
        await agree(visitor, page, ALL_TRAINING)

    assert "You have not been shown the notice that this needs." in page.text
    assert "We may let others train AI with your posts." in page.text
    assert await released(world.cluster)


async def test_a_reader_of_german_agrees_to_the_german_notice(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster)

    async with world.subject(7, language="de-AT") as (visitor, page):
        asked = await _sent(visitor, page, "/yes")
        await _sent(visitor, asked, "/yes")

    assert "Andere dürfen vielleicht KI mit deinen Beiträgen trainieren." in asked.text
    assert 'class="document" lang="de"' in asked.html
    assert {each.choice.notice_digest for each in await on_record(world.cluster)} == {
        digest_of(NOTICES["de"])
    }


async def test_without_the_notice_nobody_can_agree_and_everybody_deny(
    world: PagesWorld, tmp_path: Path
) -> None:
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster)

    async with fragile_page(world, tmp_path, texts=Texts()) as (visitor, page, _):
        after = await visitor.press(page, SAY_NO)

    assert "nobody can agree to what they are not shown. You can say no at any time." in page.text
    assert "The text of the policy, version 1: it is not on this page." in page.text
    assert SWITCH not in page.html
    assert "Your no is on record, for everyone" in after.text


async def test_a_notice_that_the_policy_does_not_list_is_not_agreed_to(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_IN, notices=[b"n" * 32])
    await an_informed(world.cluster)

    async with world.subject(7) as (_, page):
        assert "nobody can agree to what they are not shown" in page.text
        assert SWITCH not in page.html


async def test_before_the_first_policy_one_can_say_no(world: PagesWorld) -> None:
    await an_informed(world.cluster)

    async with world.subject(7) as (visitor, page):
        await visitor.press(page, SAY_NO)
    await a_policy(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")

    assert "No policy is in force. Until one is, no posts go to anybody." in page.text
    assert not await released(world.cluster)


async def test_the_policy_in_force_and_the_next_are_told_in_words(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_OUT, {GENERATIVE: OPT_IN})
    await an_informed(world.cluster)
    await a_policy(world.cluster, PROHIBITED, in_us=DAY_US)

    async with world.subject(7) as (_, page):
        text = page.text

    assert "Version 1, in force since 9 Oct 2025" in text
    assert "What it says for United States" in text
    assert "Training of generative AI Only with your yes." in text
    assert "Text and data mining Unless you say no, once you have been shown the notice." in text
    assert "What is announced Version 2 In force from 10 Oct 2025" in text
    assert "United States, Training of generative AI: Never, whatever you choose." in text


async def test_who_was_erased_is_told_so_and_has_nothing_to_choose(world: PagesWorld) -> None:
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    request = subject_pb.EraseSubjectRequest(request_id=world.cluster.new_id(), subject_id=7)

    async with world.subject(7) as (visitor, before):
        await in_consent(world.cluster, SubjectServiceStub, "EraseSubject", request)
        after = await visitor.press(before, ALL_TRAINING)
        page = await visitor.get("/")

    assert after.status == 409
    assert "Nothing was changed." in after.text
    assert "Your records here were erased." in page.text
    assert "has not told us yet where you live" not in page.text
    assert not [form for form in page.forms if form.action == "/choose"]


async def test_who_has_no_switch_is_told_nothing_of_turning_it_off(world: PagesWorld) -> None:
    await a_policy(world.cluster, PROHIBITED)
    await an_informed(world.cluster)
    await world.cluster.know(8)

    async with world.subject(7) as (_, page):
        fixed = page.text
    await a_policy(world.cluster)
    async with world.subject(7) as (_, page):
        switched = page.text

    told = "Whoever received your posts to train AI before is then told to delete them."
    assert told not in fixed
    assert "A post of somebody else that embeds one of yours goes nowhere that yours may not go." in fixed
    assert told in switched


async def test_an_agent_goes_on_to_a_page_of_their_own(world: PagesWorld) -> None:
    async with world.agent(7) as (visitor, _):
        page = await visitor.get("/")

    assert page.url.endswith("/agent")


async def _sent(visitor: Visitor, page: Seen, action: str) -> Seen:
    """The first form with this action, whatever its button is called in the language of the page."""
    form = next(form for form in page.forms if form.action == action)
    return await visitor.send(form, form.fields)
