"""The pages about the login wall: how it stands, raising it, and lowering it."""

import pytest

from services.chassis.identity import PrincipalKind
from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1.wall_service_pb2_grpc import WallServiceStub
from tests.support.cluster import SECOND_US
from tests.support.pages import Seen, Visitor
from tests.support.pages_licensing import SCRIPT
from tests.support.pages_world import PagesWorld

CHANGED = "Nothing was done: the wall has changed since you looked at it."


async def wall(world: PagesWorld) -> pb.GetWallResponse:
    """As licensing has it."""
    tom = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "tom", ["trust"])
    return await tom.call(WallServiceStub(tom.channel).GetWall, pb.GetWallRequest())


async def raise_by_another(world: PagesWorld, reason: str = "Scrapers.") -> None:
    """By Tom, until it is lowered."""
    tom = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "tom", ["trust"])
    request = pb.RaiseWallRequest(request_id=world.cluster.new_id(), reason=reason)
    await tom.call(WallServiceStub(tom.channel).RaiseWall, request)


async def lower_by_another(world: PagesWorld) -> None:
    """By Tom."""
    tom = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "tom", ["trust"])
    request = pb.LowerWallRequest(request_id=world.cluster.new_id(), reason="Enough.")
    await tom.call(WallServiceStub(tom.channel).LowerWall, request)


async def raised(visitor: Visitor, query: str = "hours=1", reason: str = "Scrapers.") -> Seen:
    """Through the page that asks whether it is meant."""
    return await visitor.press(
        await visitor.get(f"/wall/raise?{query}"), "Raise the wall", {"reason": reason}
    )


async def test_a_wall_is_raised_for_some_hours_and_opened_to_a_tier(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        asked = await visitor.press(
            await visitor.get("/wall"), "Show whom it keeps out", {"hours": "6", "tier": "2"}
        )
        after = await visitor.press(asked, "Raise the wall", {"reason": "Scrapers."})

    found = await wall(world)
    assert "cannot read the platform's content any more" in asked.text
    assert "How long: 6 hours" in asked.text
    assert "Licensees with a research license in force" in asked.text
    assert "The wall is up." in after.text
    assert (found.up, list(found.last.tiers), found.last.changed_by) == (True, [2], "operator:ada")
    assert found.last.until.ToMicroseconds() == world.cluster.clock.now_us() + 6 * 3600 * SECOND_US


async def test_a_wall_is_lowered(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        await raised(visitor, "hours=")
        asked = await visitor.get("/wall/lower")
        after = await visitor.press(asked, "Lower the wall", {"reason": "They are gone."})

    assert "can read the platform's content again" in asked.text
    assert "The wall is down" in after.text
    assert "Lowered" in after.text
    assert not (await wall(world)).up


async def test_forms_that_are_sent_twice_raise_and_lower_once(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/wall/raise?hours=1")
        up = [await visitor.press(page, "Raise the wall", {"reason": "Once."}) for _ in range(2)]
        asked = await visitor.get("/wall/lower")
        down = [await visitor.press(asked, "Lower the wall", {"reason": "Once."}) for _ in range(2)]

    assert all("The wall is up." in each.text for each in up)
    assert all("The wall is down" in each.text for each in down)
    assert (await wall(world)).last.number == 2


async def test_a_wall_that_has_changed_since_it_was_looked_at_stays_as_it_is(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        to_raise = await visitor.get("/wall/raise?hours=1&tier=3")
        await raise_by_another(world)
        of_raising = await visitor.press(to_raise, "Raise the wall", {"reason": "Scrapers."})
        to_lower = await visitor.get("/wall/lower")
        await raise_by_another(world, "Many more scrapers.")
        of_lowering = await visitor.press(to_lower, "Lower the wall", {"reason": "Enough."})

    assert [page.status for page in (of_raising, of_lowering)] == [409, 409]
    assert CHANGED in of_raising.text
    assert CHANGED in of_lowering.text
    assert "Many more scrapers." in of_lowering.text
    assert (await wall(world)).last.number == 2


async def test_a_wall_that_somebody_else_has_lowered_is_not_lowered_again(world: PagesWorld) -> None:
    await raise_by_another(world)

    async with world.operator() as (visitor, _):
        asked = await visitor.get("/wall/lower")
        await lower_by_another(world)
        after = await visitor.press(asked, "Lower the wall", {"reason": "Enough."})

    assert after.status == 409
    assert CHANGED in after.text
    assert "There is nothing to lower." in after.text


async def test_a_change_needs_a_reason(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await raised(visitor, reason=" ")

    assert page.status == 400
    assert "a change of the wall needs a reason" in page.text
    assert not (await wall(world)).up


@pytest.mark.parametrize(("reason", "said"), [("Robots.\f!", UNPRINTABLE), ("ä" * 1001, TOO_LONG)])
async def test_a_reason_that_cannot_be_kept_is_shown_again_with_what_is_wrong_with_it(
    world: PagesWorld, reason: str, said: str
) -> None:
    async with world.operator() as (visitor, _):
        page = await raised(visitor, reason=reason)

    assert (page.status, said in page.text) == (400, True)
    assert f">{reason}</textarea>" in page.html
    assert not (await wall(world)).up


@pytest.mark.parametrize("query", ["", "hours=5", "hours=x", "hours=1&tier=9", "hours=1&tier=%3Cscript%3E"])
async def test_a_wall_that_cannot_be_is_pointed_out(world: PagesWorld, query: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/wall/raise?{query}")

    assert page.status == 400
    assert 'class="fault" role="alert"' in page.html


async def test_a_role_that_may_not_change_the_wall_is_told_so(world: PagesWorld) -> None:
    async with world.operator("fay", ["finance"]) as (visitor, _):
        page = await visitor.get("/wall")
        asked = await visitor.get("/wall/raise?hours=1")

    assert "This is not open to your roles." in page.text
    assert "It is open to: admin, trust." in asked.text
    assert "Raise the wall" not in [text for form in asked.forms for _, _, text in form.buttons]


async def test_a_reason_with_script_in_it_is_text(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await raised(visitor, reason=SCRIPT)

    assert SCRIPT in page.text
    assert "<script>alert" not in page.html


async def test_while_licensing_is_down_the_page_says_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        await world.cluster.licensing.drain()
        page = await visitor.get("/wall")
        asked = await visitor.get("/wall/raise?hours=1")

    assert "This part cannot be reached at the moment." in page.text
    assert asked.status == 503
