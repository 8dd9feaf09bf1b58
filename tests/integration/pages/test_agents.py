"""One choice for many, by an agent who acts for them."""

import httpx
import pytest

from services.chassis.refusals import Kind, Refusal, not_found, unavailable
from sluice.licensing.v1.release_service_pb2 import Outcome
from tests.support.cluster import a_post
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld
from tests.support.refusing import refuse_calls

LISTED = {"whom": "listed", "wish": "no-everything"}
ALL = {"whom": "all", "wish": "no-everything"}


@pytest.fixture
async def world(world: PagesWorld) -> PagesWorld:
    """With subjects whose posts may go."""
    await world.cluster.publish_policy()
    await world.cluster.know(*range(1, 60))
    await world.cluster.license()
    return world


async def record(visitor: Visitor, page: Seen, filled: dict[str, str]) -> Seen:
    checked = await visitor.press(page, "Go on", filled)
    return await visitor.press(checked, "Say no for")


async def test_an_agent_denies_for_all_they_act_for_and_nothing_of_these_goes_any_more(
    world: PagesWorld,
) -> None:
    async with world.agent(1, 2, 3) as (visitor, page):
        recorded = await record(visitor, page, ALL)

    outcomes = [(await world.cluster.decide([a_post(100 + id, id)])).outcome for id in (1, 2, 3, 4)]

    assert "Recorded for all of them" in recorded.text
    assert "Recorded: 3 of 3." in recorded.text
    assert "In force for all of these from:" in recorded.text
    assert outcomes == [Outcome.OUTCOME_DENIED] * 3 + [Outcome.OUTCOME_RELEASED]


async def test_the_confirming_page_says_for_how_many_and_changes_nothing(world: PagesWorld) -> None:
    async with world.agent(1, 2, 3) as (visitor, page):
        listed = LISTED | {"listed": "1\n2, 2\n99\nbob\n<b>\n-1\n0\n18446744073709551616"}
        checked = await visitor.press(page, "Go on", listed)

    assert "It will be recorded for 2 people you act for." in checked.text
    assert "1 id is not of anybody you act for, and is left out: 99" in checked.text
    assert "5 entries are no ids, and are left out: bob, <b>, -1, 0, 18446744073709551616" in checked.text
    assert "<b>" not in checked.html
    assert (await world.cluster.decide([a_post(101, 1)])).outcome == Outcome.OUTCOME_RELEASED


async def test_ids_may_come_in_a_file(world: PagesWorld) -> None:
    file = {"file": ("them.csv", b'\xef\xbb\xbfname,subject_id\r\n"Ada, L.",2\r\nBob,3\r\n', "text/csv")}
    headers = {"origin": "http://settings.test", "sec-fetch-site": "same-origin"}
    async with world.agent(1, 2, 3) as (visitor, page):
        sealed = page.form("Go on").fields["form"]
        answer: httpx.Response = await visitor.http.post(
            "/agent/check", data=LISTED | {"form": sealed}, files=file, headers=headers
        )

    assert "It will be recorded for 2 people you act for." in answer.text


@pytest.mark.parametrize(
    ("filled", "reason"),
    [
        (LISTED | {"listed": " , "}, "NOBODY_NAMED"),
        (LISTED | {"listed": "1" * 200_001}, "LIST_TOO_LONG"),
        (ALL | {"licensee_id": "Acme Inc."}, "LICENSEE_ID_MALFORMED"),
        (ALL | {"licensee_id": "everyone"}, "LICENSEE_ID_MALFORMED"),
        (ALL | {"listed": "1"}, "LIST_AND_ALL"),
        (ALL | {"wish": "nothing"}, "FORM_UNREADABLE"),
        ({"whom": "neither", "wish": "no-training"}, "FORM_UNREADABLE"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    world: PagesWorld, filled: dict[str, str], reason: str
) -> None:
    async with world.agent(1, 2, 3) as (visitor, page):
        refused = await visitor.press(page, "Go on", filled)

    assert refused.status == 400
    assert reason in refused.text
    assert "Nothing was changed." in refused.text


async def test_a_list_of_others_alone_offers_nothing_to_press(world: PagesWorld) -> None:
    async with world.agent(1) as (visitor, page):
        checked = await visitor.press(page, "Go on", LISTED | {"listed": "5 6"})

    assert "It will be recorded for 0 people" in checked.text
    assert all(form.action != "/agent/record" for form in checked.forms)


async def test_a_form_that_is_sent_twice_is_carried_out_once(world: PagesWorld) -> None:
    async with world.agent(1, 2) as (visitor, page):
        checked = await visitor.press(page, "Go on", ALL)
        first = await visitor.press(checked, "Say no for 2 people")
        second = await visitor.press(checked, "Say no for 2 people")

    async with world.subject(1) as (visitor, _):
        history = await visitor.get("/history")

    assert "Recorded: 2 of 2." in first.text
    assert "Recorded: 2 of 2." in second.text
    assert history.html.count("<tr>") == 2


async def test_what_was_not_reached_is_sent_again_by_one_button(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence = unavailable("PEER_UNAVAILABLE", "consent did not answer")
    async with world.agent(*range(1, 31)) as (visitor, page):
        checked = await visitor.press(page, "Go on", ALL)
        with monkeypatch.context() as broken:
            refuse_calls(broken, "RecordChoice", silence, lambda request: request.choice.subject_id >= 10)
            some = await visitor.press(checked, "Say no for 30 people")
        rest = await visitor.press(some, "Send again what was not reached")

    assert "Recorded for some of them" in some.text
    assert "Whether it is recorded is not known." in some.text
    assert "Recorded: 9 of 30." in some.text
    assert "Recorded: 30 of 30." in rest.text
    async with world.subject(1) as (visitor, _):
        assert (await visitor.get("/history")).html.count("<tr>") == 2


async def test_what_cannot_be_recorded_is_said_of_each(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = not_found("SUBJECT_UNKNOWN", "there is nobody with this id")
    refuse_calls(monkeypatch, "RecordChoice", unknown, lambda request: request.choice.subject_id == 2)

    async with world.agent(1, 2, 3) as (visitor, page):
        recorded = await record(visitor, page, ALL)

    assert "Recorded: 2 of 3." in recorded.text
    assert "2 There is nobody with this id whom you act for." in recorded.text
    assert all("Send again" not in text for form in recorded.forms for _, _, text in form.buttons)


async def test_the_form_of_another_sign_in_is_not_carried_out(world: PagesWorld) -> None:
    async with world.agent(1, 2) as (visitor, page):
        checked = await visitor.press(page, "Go on", ALL)
    async with world.agent(1, 2) as (other, _), world.subject(1) as (subject, _):
        stale = await other.send(checked.form("Say no"), checked.form("Say no").fields)
        wrong = await subject.send(checked.form("Say no"), checked.form("Say no").fields)

    assert (stale.status, wrong.status) == (409, 403)
    assert "Nothing was changed." in stale.text
    assert (await world.cluster.decide([a_post(101, 1)])).outcome == Outcome.OUTCOME_RELEASED


async def test_a_session_that_was_lost_changes_nothing(world: PagesWorld) -> None:
    async with world.agent(1, 2) as (visitor, page):
        checked = await visitor.press(page, "Go on", ALL)
        visitor.http.cookies.clear()
        lost = await visitor.press(checked, "Say no for 2 people")

    assert lost.status == 401
    assert "You are not signed in any more" in lost.text
    assert (await world.cluster.decide([a_post(101, 1)])).outcome == Outcome.OUTCOME_RELEASED


async def test_those_they_act_for_are_listed_in_pages_with_how_they_stand(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cluster.opt_out(1)
    busy = Refusal(Kind.EXHAUSTED, "OVERLOADED", "later")
    refuse_calls(monkeypatch, "GetChoices", busy, lambda request: request.subject_id == 3)

    async with world.agent(*range(1, 31), 10_000_000) as (visitor, first):
        second = await visitor.get("/agent?page=25")
        nonsense = [await visitor.get(f"/agent?page={token}") for token in ("x", "-1", "²", "9" * 50)]

    assert first.html.count('<th scope="row">') == 25
    assert "1 1 No : Everything, Everyone" in first.text
    assert "2 0 None yet" in first.text
    assert "3 Cannot be reached at the moment OVERLOADED" in first.text
    assert second.html.count('<th scope="row">') == 6
    assert "10000000 0 Nothing is on record" in second.text
    assert [page.status for page in nonsense] == [400] * 4


async def test_a_subject_has_no_page_of_an_agent(world: PagesWorld) -> None:
    async with world.subject(1) as (visitor, _):
        page = await visitor.get("/agent")

    assert page.status == 403
    assert "NOT_AN_AGENT" in page.text
