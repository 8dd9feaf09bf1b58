"""Coming into the pages, and going out again."""

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal, unavailable
from sluice.licensing.v1.caller_service_pb2 import GetCallerRequest, GetCallerResponse
from sluice.licensing.v1.caller_service_pb2_grpc import CallerServiceStub
from tests.support.clock import NOON_US
from tests.support.consoles import a_console
from tests.support.pages import Visitor
from tests.support.pages_world import PagesWorld
from tests.support.refusing import refuse_calls


async def test_a_subject_comes_in_by_a_link(world: PagesWorld) -> None:
    await world.cluster.know(7)

    async with world.subject(7) as (visitor, page):
        after = await visitor.get(page.url)

    assert page.status == after.status == 200
    assert "Your choices" in page.text


async def test_a_link_is_good_once(world: PagesWorld) -> None:
    await world.cluster.know(7)
    code = world.links.make(world.cluster.licensing.token(PrincipalKind.SUBJECT, "7"))

    async with Visitor(world.settings) as first, Visitor(world.settings) as second:
        used = await first.sign_in(code)
        again = await second.sign_in(code)

    assert used.status == 200
    assert again.status == 404
    assert "LINK_USED" in again.text
    assert "This link has been used, or is older than an hour." in again.text


async def test_an_operator_goes_out_and_is_out(world: PagesWorld) -> None:
    async with world.operator() as (visitor, seen):
        out = await visitor.press(seen, "Sign out")
        back = await visitor.get("/")

    assert "Overview" in seen.text
    assert out.url.endswith("/sign-in")
    assert back.url.endswith("/sign-in?next=/")


async def test_the_console_is_for_operators_alone(world: PagesWorld) -> None:
    code = world.links.make(world.cluster.licensing.token(PrincipalKind.SUBJECT, "7"))

    async with Visitor(world.console) as visitor:
        page = await visitor.sign_in(code)
        after = await visitor.get("/")

    assert page.status == 403
    assert "WRONG_KIND" in page.text
    assert "/sign-in" in after.url


async def test_l4_while_consent_is_down_an_operator_comes_in_and_suspends(
    world: PagesWorld,
) -> None:
    await world.cluster.license()

    async with a_console(world, without=["consent"], comes_in=True) as (visitor, seen):
        suspended = await visitor.press(
            await visitor.get("/licenses/acme-training/suspend"), "Suspend the license"
        )
        raised = await visitor.press(
            await visitor.get("/wall/raise?hours=6"), "Raise the wall", {"reason": "Scraping."}
        )

    assert "Signed in as ada" in seen.text
    assert "is suspended." in suspended.text
    assert "The wall is up." in raised.text


async def test_while_consent_and_licensing_are_down_nobody_comes_in(world: PagesWorld) -> None:
    async with a_console(world, without=["consent", "licensing"], comes_in=True) as (visitor, seen):
        after = await visitor.get("/")

    assert seen.status == 503
    assert "/sign-in" in after.url


async def test_licensing_says_who_an_operator_or_an_auditor_is_and_nobody_else(world: PagesWorld) -> None:
    async def caller(kind: PrincipalKind, roles: tuple[str, ...] = ()) -> GetCallerResponse:
        peer = world.cluster.licensing.peer(kind, "ada", roles)
        return await peer.call(CallerServiceStub(peer.channel).GetCaller, GetCallerRequest())

    found = await caller(PrincipalKind.OPERATOR, ("trust", "admin"))
    auditor = await caller(PrincipalKind.AUDITOR)

    assert (found.kind, found.party, list(found.roles)) == ("operator", "ada", ["admin", "trust"])
    assert found.expires_at.ToMicroseconds() > NOON_US
    assert (auditor.kind, list(auditor.roles)) == ("auditor", [])
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await caller(PrincipalKind.LICENSEE)


async def test_a_link_is_still_good_when_consent_did_not_answer(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cluster.know(7)
    code = world.links.make(world.cluster.licensing.token(PrincipalKind.SUBJECT, "7"))

    async with Visitor(world.settings) as visitor:
        with monkeypatch.context() as patch:
            refuse_calls(patch, "GetCaller", unavailable("PEER_UNAVAILABLE", "consent does not answer"))
            failed = await visitor.sign_in(code)
        page = await visitor.sign_in(code)

    assert failed.status == 503
    assert "A service cannot be reached at the moment." in failed.text
    assert f'href="/sign-in/link?code={code}"' in failed.html
    assert page.status == 200
