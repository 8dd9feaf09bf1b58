"""What a browser says with Sec-GPC: 1 is kept without being asked for, and a later yes lifts it (C1, C2)."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import unavailable
from sluice.consent.v1 import choice_pb2
from tests.support.choosing_pages import (
    ALL_TRAINING,
    OPT_IN,
    SHARING,
    a_licensee,
    a_policy,
    agree,
    an_informed,
    on_record,
    released,
)
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld
from tests.support.refusing import refuse_calls

SIGNAL = choice_pb2.CHOICE_METHOD_SIGNAL_GPC
NOT_KEPT = "The no of your browser could not be put on record"


@pytest.fixture
async def world(world: PagesWorld) -> PagesWorld:
    """A licensee, and a subject 7 whose posts may go."""
    await a_policy(world.cluster)
    await an_informed(world.cluster)
    await a_licensee(world.cluster, "acme", "Acme")
    return world


@contextlib.asynccontextmanager
async def objecting(
    world: PagesWorld, kind: PrincipalKind = PrincipalKind.SUBJECT
) -> AsyncIterator[tuple[Visitor, Seen]]:
    """Somebody who comes in with a browser that says no."""
    token = world.cluster.licensing.token(kind, "7", subjects=[7] if kind is PrincipalKind.AGENT else ())
    async with Visitor(world.settings) as visitor:
        visitor.http.headers["sec-gpc"] = "1"
        yield visitor, await visitor.sign_in(world.links.make(token))


async def methods(world: PagesWorld) -> list[int]:
    return [each.choice.method for each in await on_record(world.cluster)]


async def test_c1_coming_in_with_the_signal_is_a_no_that_the_page_tells(world: PagesWorld) -> None:
    async with objecting(world) as (_, page):
        after = await released(world.cluster)

    assert "The no of your browser is on record. It is in force from 9 Oct 2025" in page.text
    assert "Your browser said no for you (Global Privacy Control)." in page.text
    assert "Keep this signal on record" not in page.text
    assert not after
    assert await methods(world) == [SIGNAL]


async def test_c2_a_later_yes_lifts_it_and_coming_in_again_takes_nothing_back(world: PagesWorld) -> None:
    async with objecting(world) as (visitor, page):
        await agree(visitor, page, ALL_TRAINING)
    async with objecting(world) as (_, again):
        pass

    assert "The no of your browser" not in again.text
    assert await released(world.cluster)


async def test_c1_a_no_that_is_pressed_with_the_signal_keeps_both(world: PagesWorld) -> None:
    async with world.subject(7) as (visitor, page):
        visitor.http.headers["sec-gpc"] = "1"
        after = await visitor.press(page, ALL_TRAINING)

    assert "Your no is on record, for everyone: AI training." in after.text
    assert "The no of your browser is on record." in after.text
    assert SIGNAL in await methods(world)


async def test_c2_a_yes_that_is_pressed_with_the_signal_lifts_it(world: PagesWorld) -> None:
    await a_policy(world.cluster, OPT_IN)
    async with world.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        visitor.http.headers["sec-gpc"] = "1"
        after = await visitor.press(asked, "Say yes to this")

    assert "Your yes is on record" in after.text
    assert await released(world.cluster)
    assert (await on_record(world.cluster))[-1].choice.purpose == SHARING


async def test_who_cannot_have_it_kept_comes_in_and_is_told_so(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_calls(monkeypatch, "RecordSignals", unavailable("PEER_UNAVAILABLE", "no answer"))

    async with objecting(world) as (visitor, page):
        pressed = await visitor.press(page, ALL_TRAINING)

    assert page.status == 200
    assert NOT_KEPT in page.text
    assert "Keep this signal on record" in page.text
    assert "Your no is on record, for everyone" in pressed.text
    assert NOT_KEPT in pressed.text


async def test_the_browser_of_an_agent_says_nothing_for_those_they_act_for(world: PagesWorld) -> None:
    async with objecting(world, PrincipalKind.AGENT) as (_, page):
        assert page.status == 200

    assert await methods(world) == []
    assert await released(world.cluster)
