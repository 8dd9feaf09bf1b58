"""What comes late, twice, from somebody else or malformed, to the switches of a subject."""

import pytest

from services.chassis.identity import PrincipalKind
from services.console.settings_page import outlook
from sluice.consent.v1 import choice_pb2
from tests.support.choosing_pages import (
    ALL_TRAINING,
    OPT_IN,
    OPT_OUT,
    OTHER,
    YES,
    a_licensee,
    a_policy,
    agree,
    an_informed,
    on_record,
    released,
    say,
)
from tests.support.pages import Visitor
from tests.support.pages_world import PagesWorld

CHANGED = "Nothing was changed: how it stands has changed since you looked."
SAY_NO = f"Say no, whatever changes: {ALL_TRAINING}"
ALLOW, DENY = choice_pb2.STANCE_ALLOW, choice_pb2.STANCE_DENY


@pytest.fixture
async def unasked(world: PagesWorld) -> PagesWorld:
    """A licensee, and subjects 7 and 8 in a country of opting in who have not chosen."""
    await a_policy(world.cluster, OPT_IN)
    await an_informed(world.cluster, 7)
    await an_informed(world.cluster, 8)
    await a_licensee(world.cluster, "acme", "Acme")
    return world


async def test_a_yes_is_not_carried_out_after_a_no_elsewhere(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        await say(unasked.cluster, DENY)
        after = await visitor.press(asked, YES)
        again = await agree(visitor, after, ALL_TRAINING)

    assert CHANGED in after.text
    assert "Your posts may not be used to train AI." in after.text
    # It was asked for again, of what is so now.
    assert "Your posts may be used to train AI." in again.text


async def test_a_yes_is_not_carried_out_under_another_policy(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        await a_policy(unasked.cluster, OPT_IN)
        after = await visitor.press(asked, YES)

    assert CHANGED in after.text
    assert not await on_record(unasked.cluster)


async def test_a_no_is_carried_out_whatever_has_happened(unasked: PagesWorld) -> None:
    await say(unasked.cluster, ALLOW)
    async with unasked.subject(7) as (visitor, page):
        await a_policy(unasked.cluster, OPT_OUT)
        await say(unasked.cluster, DENY)
        await say(unasked.cluster, ALLOW)
        after = await visitor.press(page, ALL_TRAINING)

    assert "Your no is on record, for everyone" in after.text
    assert not await released(unasked.cluster)


@pytest.mark.parametrize("stance", [ALLOW, DENY])
async def test_a_form_sent_twice_is_carried_out_once(unasked: PagesWorld, stance: choice_pb2.Stance) -> None:
    button = YES if stance == ALLOW else SAY_NO
    async with unasked.subject(7) as (visitor, page):
        shown = await visitor.press(page, ALL_TRAINING) if stance == ALLOW else page
        first = await visitor.press(shown, button)
        second = await visitor.press(shown, button)

    assert first.text == second.text
    assert [each.choice.stance for each in await on_record(unasked.cluster)] == [stance] * 2


async def test_a_yes_sent_again_does_not_undo_a_later_no(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        await visitor.press(asked, YES)
        await say(unasked.cluster, DENY)
        again = await visitor.press(asked, YES)

    assert CHANGED in again.text
    assert not await released(unasked.cluster)


async def test_half_a_yes_is_completed_by_the_same_form(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, ALL_TRAINING)
        await say(unasked.cluster, ALLOW)
        after = await visitor.press(asked, YES)

    assert "Your posts may be used to train AI." in after.text
    assert OTHER in {each.choice.purpose for each in await on_record(unasked.cluster)}


async def test_without_a_session_nothing_is_changed(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        visitor.http.cookies.clear()
        after = await visitor.press(page, SAY_NO)

    assert after.status == 401
    assert "Nothing was changed. Sign in again" in after.text
    assert not await on_record(unasked.cluster)


async def test_a_form_of_somebody_else_is_nobodys(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (_, page), unasked.subject(8) as (other, _other_page):
        after = await other.press(page, SAY_NO)

    assert after.status == 409
    assert "Nothing was changed." in after.text
    assert not await on_record(unasked.cluster, 7)
    assert not await on_record(unasked.cluster, 8)


@pytest.mark.parametrize("action", ["/choose", "/yes", "/signal"])
@pytest.mark.parametrize(("sent", "status"), [({}, 400), ({"form": "x"}, 409), ({"form": "x" * 9_000}, 400)])
async def test_a_form_without_what_the_page_put_into_it_is_refused(
    unasked: PagesWorld, action: str, sent: dict[str, str], status: int
) -> None:
    async with unasked.subject(7) as (visitor, page):
        form = page.form(SAY_NO)
        form.action = action
        after = await visitor.send(form, sent)

    assert after.status == status
    assert not await on_record(unasked.cluster)


async def test_the_form_of_one_action_is_not_that_of_another(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, page):
        form = page.form(SAY_NO)
        form.action = "/signal"
        after = await visitor.send(form, form.fields)

    assert after.status == 409
    assert not await on_record(unasked.cluster)


async def test_a_licensee_is_not_let_onto_the_page(unasked: PagesWorld) -> None:
    token = unasked.cluster.licensing.token(PrincipalKind.LICENSEE, "acme")

    async with Visitor(unasked.settings) as visitor:
        page = await visitor.sign_in(unasked.links.make(token))

    assert page.status == 403


async def test_a_name_of_a_licensee_is_text_whatever_it_is(unasked: PagesWorld) -> None:
    await a_licensee(unasked.cluster, "birch", "<script>alert(1)</script>")

    async with unasked.subject(7) as (visitor, page):
        asked = await visitor.press(page, "AI training, for <script>alert(1)</script>")
        after = await visitor.press(asked, YES)

    assert "<script>alert(1)</script>" in asked.text
    assert "<script>alert" not in page.html + asked.html + after.html
    assert await released(unasked.cluster, "birch")


async def test_a_page_that_no_list_named_is_refused(unasked: PagesWorld) -> None:
    async with unasked.subject(7) as (visitor, _):
        pages = [await visitor.get(f"/?page={token}") for token in ("x", "x" * 500)]

    assert [page.status for page in pages] == [400, 400]


async def test_many_licensees_come_page_by_page_and_each_once(
    unasked: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "LICENSEES_ON_A_PAGE", 2)
    for name in ("birch", "cedar"):
        await a_licensee(unasked.cluster, name, name.title())
    for licensee in ("aa-gone", "bz-gone", "zz-gone"):
        await say(unasked.cluster, DENY, licensee_id=licensee)

    async with unasked.subject(7) as (visitor, page):
        second = await visitor.get(str(page.url) + "?" + _next_query(page.html))
        after = await agree(visitor, second, "AI training, for Cedar")

    assert _names(page.html) == ["aa-gone", "Acme", "Birch"]
    assert _names(second.html) == ["bz-gone", "Cedar", "zz-gone"]
    # Whoever has chosen goes on where they were.
    assert _names(after.html) == _names(second.html)
    assert await released(unasked.cluster, "cedar")


def _names(html: str) -> list[str]:
    return [
        part.partition("<")[0] for part in html.split("<h3>")[1:] if "class" not in part.partition("<")[0]
    ][:3]


def _next_query(html: str) -> str:
    before = html.partition('" rel="next"')[0]
    return before.rpartition('href="/?')[2].replace("&amp;", "&")
