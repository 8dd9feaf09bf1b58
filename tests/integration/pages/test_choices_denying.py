"""A no that is said again, late, or in part: posts stop, or the page says that it does not know (C2, C9)."""

import pytest

from services.chassis.refusals import Refusal, exhausted, unavailable
from sluice.consent.v1 import choice_pb2, halt_pb2
from sluice.consent.v1 import state_service_pb2 as states_pb
from tests.support.choosing_pages import (
    ALL_TRAINING,
    GENERATIVE,
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
from tests.support.pages_world import PagesWorld
from tests.support.refusing import refuse_calls

ALLOW, DENY = choice_pb2.STANCE_ALLOW, choice_pb2.STANCE_DENY
AGAIN = "Send the form once more"


@pytest.fixture
async def world(world: PagesWorld) -> PagesWorld:
    """A licensee, and a subject 7 whose posts may go."""
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    return world


@pytest.mark.parametrize("then", [ALL_TRAINING, "AI training, for Acme"])
async def test_c2_the_same_no_after_a_yes_ends_it_again_however_often(world: PagesWorld, then: str) -> None:
    async with world.subject(7) as (visitor, page):
        for _ in range(2):
            denied = await visitor.press(page, ALL_TRAINING)
            await agree(visitor, denied, then)
            allowed = await released(world.cluster)
            await visitor.press(page, ALL_TRAINING)
            after = await visitor.press(page, ALL_TRAINING)

            assert allowed
            assert "Your no is on record, for everyone" in after.text
            assert not await released(world.cluster)

    # Once for each yes: the form that was sent twice after it was carried out once.
    stances = [each.choice.stance for each in reversed(await on_record(world.cluster))]
    assert stances == [DENY, DENY, ALLOW, ALLOW, DENY, DENY, ALLOW, ALLOW, DENY, DENY]


async def test_c7_a_no_to_passing_posts_on_ends_a_yes_to_training_that_came_after_it(
    world: PagesWorld,
) -> None:
    async with world.subject(7) as (visitor, page):
        await visitor.press(page, "Passing posts on to third parties, for everyone")
        await say(world.cluster, ALLOW)
        allowed = await released(world.cluster)
        await visitor.press(page, "Passing posts on to third parties, for everyone")

    assert allowed
    assert not await released(world.cluster)
    assert [each.choice.purpose for each in await on_record(world.cluster)] == [SHARING, GENERATIVE, SHARING]


async def test_c12_a_no_that_is_repeated_under_a_halt_holds_after_it(world: PagesWorld) -> None:
    async with world.subject(7) as (visitor, page):
        denied = await visitor.press(page, ALL_TRAINING)
        await agree(visitor, denied, ALL_TRAINING)
        scope = halt_pb2.HaltScope(everything=True)
        order = states_pb.OrderHaltRequest(request_id=world.cluster.new_id(), scope=scope, cause="a test")
        halt = (await world.cluster.states("OrderHalt", order)).halt
        await visitor.press(page, ALL_TRAINING)
        lift = states_pb.LiftHaltRequest(request_id=world.cluster.new_id(), halt_id=halt.halt_id)
        await world.cluster.states("LiftHalt", lift)

    assert not await released(world.cluster)


async def test_c2_the_form_of_an_agent_sent_again_after_a_yes_ends_it(world: PagesWorld) -> None:
    async with world.agent(7) as (agent, page), world.subject(7) as (subject, _):
        checked = await agent.press(page, "Go on", {"whom": "all", "wish": "no-training"})
        await agent.press(checked, "Say no for 1 person")
        denied = await subject.get("/")
        await agree(subject, denied, ALL_TRAINING)
        allowed = await released(world.cluster)
        again = await agent.press(checked, "Say no for 1 person")

    assert allowed
    assert "Recorded for all of them" in again.text
    assert not await released(world.cluster)


@pytest.mark.parametrize(
    "refusal",
    [
        exhausted("OVERLOADED", "later", retry_after_us=1_000_000),
        exhausted("QUEUE_FULL", "later", retry_after_us=1_000_000),
        unavailable("GATEWAY_UNAVAILABLE", "no answer"),
    ],
    ids=lambda refusal: refusal.reason,
)
async def test_half_a_no_is_said_to_be_half_and_completed_by_one_button(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    async with world.subject(7) as (visitor, page):
        with monkeypatch.context() as broken:
            refuse_calls(broken, "RecordChoice", refusal, lambda request: request.choice.purpose == OTHER)
            half = await visitor.press(page, ALL_TRAINING)
        denied = [each.choice.purpose for each in await on_record(world.cluster)]
        whole = await visitor.press(half, AGAIN)

    assert "A part of it was carried out" in half.text
    assert "Nothing was changed" not in half.text
    assert denied == [GENERATIVE]
    assert "Your no is on record, for everyone" in whole.text
    assert [each.choice.purpose for each in await on_record(world.cluster)] == [OTHER, GENERATIVE]


@pytest.mark.parametrize("reason", ["PEER_UNAVAILABLE", "GATEWAY_UNAVAILABLE", "GATEWAY_TIMEOUT"])
async def test_a_no_without_an_answer_is_not_known_and_sent_again_by_one_button(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    async with world.subject(7) as (visitor, page):
        with monkeypatch.context() as broken:
            refuse_calls(broken, "RecordChoice", unavailable(reason, "no answer"))
            unknown = await visitor.press(page, ALL_TRAINING)
        after = await visitor.press(unknown, AGAIN)

    assert "it is not known whether your change was taken" in unknown.text
    assert "Your no is on record, for everyone" in after.text


async def test_a_no_of_which_nothing_is_on_record_changed_nothing(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_calls(monkeypatch, "RecordChoice", exhausted("OVERLOADED", "later", retry_after_us=1))

    async with world.subject(7) as (visitor, page):
        after = await visitor.press(page, ALL_TRAINING)

    assert "Nothing was changed." in after.text
    assert all(AGAIN not in text for form in after.forms for _, _, text in form.buttons)


async def test_a_no_that_could_not_be_looked_at_is_not_said_to_hold(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.subject(7) as (visitor, page):
        refuse_calls(monkeypatch, "GetChoices", unavailable("PEER_UNAVAILABLE", "no answer"))
        after = await visitor.press(page, ALL_TRAINING)

    assert "A part of it was carried out" in after.text
    assert not await released(world.cluster)
