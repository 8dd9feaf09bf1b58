"""The first page of the console: how everything stands, and what waits for somebody."""

import time

import pytest

from services.chassis.refusals import unavailable
from services.console.operations import log_parts
from sluice.consent.v1 import halt_pb2, state_service_pb2
from tests.support.cluster import SECOND_US, a_post
from tests.support.consoles import a_console
from tests.support.frozen import a_frozen_service
from tests.support.pages_world import PagesWorld

SCRIPT = "<script>alert(1)</script>"


async def order_halt(world: PagesWorld, cause: str) -> None:
    """A halt of everything."""
    halt = state_service_pb2.OrderHaltRequest(
        request_id=world.cluster.new_id(), scope=halt_pb2.HaltScope(everything=True), cause=cause
    )
    await world.cluster.states("OrderHalt", halt)


async def some_decisions(world: PagesWorld) -> None:
    """One that releases a post and denies one, and one that denies all."""
    await world.cluster.publish_policy()
    await world.cluster.know(1, 2)
    await world.cluster.license()
    await world.cluster.opt_out(2)
    await world.cluster.decide([a_post(10, 1), a_post(11, 2)])
    await world.cluster.decide([a_post(12, 2)])


async def test_an_installation_with_nothing_on_record_says_so(world: PagesWorld) -> None:
    async with world.operator() as (_, page):
        pass

    assert page.status == 200
    for said in (
        "No halt is in force.",
        "Nothing waits.",
        "No checkpoint of the log has been published yet.",
    ):
        assert said in page.text


async def test_what_was_decided_is_counted_for_the_hour_and_the_day(world: PagesWorld) -> None:
    await some_decisions(world)

    async with world.operator() as (_, page):
        pass

    counted = "Decisions 2 of them denied 1 Posts released 1 Posts denied 2"
    assert page.text.count(counted) == 2


async def test_nobody_misses_a_halt_and_its_cause_is_text(world: PagesWorld) -> None:
    await order_halt(world, SCRIPT)

    async with world.operator() as (_, page):
        pass

    assert "1 halt is in force" in page.text
    assert "Everything: nothing is released" in page.text
    assert SCRIPT in page.text
    assert "<script>alert" not in page.html


async def test_a_suspended_license_shows_at_once(world: PagesWorld) -> None:
    await world.cluster.license()

    async with world.operator() as (visitor, before):
        await world.cluster.suspend()
        after = await visitor.get("/")

    assert "Active 1 Suspended 0" in before.text
    assert "Active 0 Suspended 1" in after.text


async def test_a_checkpoint_is_in_order_until_receipts_wait_too_long_for_the_next(world: PagesWorld) -> None:
    await some_decisions(world)
    await world.cluster.publisher.publish()

    async with world.operator() as (visitor, fresh):
        world.cluster.clock.advance(60 * SECOND_US)
        quiet = await visitor.get("/")
        await world.cluster.decide([a_post(13, 1)])
        waiting = await visitor.get("/")
        world.cluster.clock.advance(11 * SECOND_US)
        late = await visitor.get("/")

    assert "over 2 receipts and 0 seconds old" in fresh.text
    assert "No receipt waits." in quiet.text
    assert "1 receipt waits for the next one." in waiting.text
    assert "something keeps it from being published" not in waiting.text
    assert "1 receipt waits for the next one." in late.text
    assert "something keeps it from being published" in late.text


@pytest.mark.parametrize(
    ("gone", "stands"),
    [
        ("metering", "Decisions by minute"),
        ("licensing", "No halt is in force."),
        ("consent", "Nothing waits."),
    ],
)
async def test_a_part_whose_service_is_down_says_so_and_the_others_stand(
    world: PagesWorld, gone: str, stands: str
) -> None:
    async with a_console(world, without=[gone]) as (_, page):
        pass

    assert page.status == 200
    assert "This part cannot be reached at the moment." in page.text
    assert stands in page.text


async def test_a_service_that_takes_calls_and_answers_none_holds_no_page_up(world: PagesWorld) -> None:
    began = time.monotonic()
    async with (
        a_frozen_service() as frozen,
        a_console(world, elsewhere={"licensing": frozen}) as (visitor, page),
    ):
        overview_took = time.monotonic() - began
        began = time.monotonic()
        ordering = await visitor.get("/halts/order?kind=licensee&licensee=acme")
        ordering_took = time.monotonic() - began

    assert "This part cannot be reached at the moment." in page.text
    assert "No halt is in force." in page.text
    assert "Whether there is such a licensee cannot be looked up at the moment." in ordering.text
    # A call for itself has five seconds.
    assert (overview_took < 4.5, ordering_took < 4.5) == (True, True)


async def test_nobody_is_told_that_no_receipt_waits_while_that_cannot_be_looked_up(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_decisions(world)
    await world.cluster.publisher.publish()

    async def unreachable(*_: object) -> None:
        raise unavailable("DECISIONS_BUSY", "too many pages are asked for")

    monkeypatch.setattr(log_parts, "_first_after", unreachable)
    async with world.operator() as (visitor, overview):
        log = await visitor.get("/log")

    for page in (overview, log):
        assert "How many wait cannot be told at the moment." in page.text
        assert "No receipt waits." not in page.text


async def test_a_part_that_is_not_open_to_a_role_says_so(world: PagesWorld) -> None:
    async with world.operator(roles=["trust"]) as (_, page):
        pass

    assert "This part is not open to your roles." in page.text
    assert "No halt is in force." in page.text
