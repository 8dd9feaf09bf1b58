"""Whom the pages keep out, and what a sign-in is worth: over the real services."""

import pytest
from structlog.testing import capture_logs

from services.chassis.identity import PrincipalKind
from tests.support.pages import ORIGIN, Visitor
from tests.support.pages_world import PagesWorld

KINDS = sorted(set(PrincipalKind) - {PrincipalKind.SUBJECT, PrincipalKind.AGENT}, key=str)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_settings_page_is_for_subjects_and_their_agents_alone(
    world: PagesWorld, kind: PrincipalKind
) -> None:
    code = world.links.make(world.cluster.licensing.token(kind, "acme"))

    async with Visitor(world.settings) as visitor:
        page = await visitor.sign_in(code)
        after = await visitor.get("/")

    assert page.status == 403
    assert "/sign-in" in after.url


async def test_a_sign_in_leads_back_to_the_page_that_was_asked_for(world: PagesWorld) -> None:
    await world.cluster.know(7)
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, "7")

    async with Visitor(world.settings) as visitor:
        await visitor.get("/?page=2")
        page = await visitor.sign_in(world.links.make(token))

    assert page.url == f"{ORIGIN}/?page=2"


async def test_a_cookie_that_somebody_has_planted_is_not_the_session_of_who_signs_in(
    world: PagesWorld,
) -> None:
    await world.cluster.know(7)
    await world.cluster.know(8)
    name = "sluice-settings-session-0"

    async with world.subject(8) as (other, _):
        planted = other.http.cookies[name]
    async with Visitor(world.settings) as visitor:
        visitor.http.cookies.set(name, planted, domain="settings.test", path="/")
        token = world.cluster.licensing.token(PrincipalKind.SUBJECT, "7")
        page = await visitor.sign_in(world.links.make(token))
        kept = visitor.http.cookies[name]

    assert page.status == 200
    assert kept != planted


async def test_the_sessions_of_the_two_pages_are_not_taken_for_each_other(world: PagesWorld) -> None:
    async with world.operator() as (operator, _), Visitor(world.settings) as visitor:
        session = operator.http.cookies["sluice-console-session-0"]
        visitor.http.cookies.set("sluice-console-session-0", session)
        page = await visitor.get("/")

    assert "/sign-in" in page.url


async def test_a_session_is_over_when_its_token_is(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        world.cluster.clock.advance(365 * 86_400 * 1_000_000)
        page = await visitor.get("/")

    assert "/sign-in" in page.url
    assert "sluice-console-session-0" not in visitor.http.cookies


async def test_a_link_that_another_site_has_sent_signs_nobody_in(world: PagesWorld) -> None:
    code = world.links.make(world.cluster.licensing.token(PrincipalKind.OPERATOR, "eve", ("trust",)))

    async with Visitor(world.console) as visitor:
        headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        answer = await visitor.http.post("/sign-in/link", data={"code": code}, headers=headers)

    assert answer.status_code == 403
    assert not visitor.http.cookies


async def test_who_is_signed_in_is_said_before_another_sign_in_ends_it(world: PagesWorld) -> None:
    code = world.links.make(world.cluster.licensing.token(PrincipalKind.OPERATOR, "eve", ("trust",)))

    async with world.operator("ada") as (visitor, _):
        page = await visitor.get(f"/sign-in/link?code={code}")

    assert "You are signed in as ada." in page.text


async def test_a_session_lies_where_no_script_and_no_other_site_reads_it(world: PagesWorld) -> None:
    token = world.cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ("trust",))

    async with Visitor(world.console) as visitor:
        answer = await visitor.http.post(
            "/sign-in/link",
            data={"code": world.links.make(token)},
            headers={"origin": ORIGIN},
            follow_redirects=False,
        )

    [cookie] = [each for each in answer.headers.get_list("set-cookie") if "Max-Age=0" not in each]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    # It ends with the browser, and no later than the token.
    assert "Max-Age" not in cookie
    assert token not in cookie


async def test_nothing_of_a_sign_in_comes_into_the_log(world: PagesWorld) -> None:
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, "7070707")
    code = world.links.make(token)

    with capture_logs() as logged:
        async with Visitor(world.settings) as visitor:
            await visitor.sign_in(code)
            await visitor.sign_in(code)
            await visitor.get("/nowhere?subject=7070707")

    text = repr(logged)
    assert not [word for word in (token, code, "7070707", "subject=") if word in text]
