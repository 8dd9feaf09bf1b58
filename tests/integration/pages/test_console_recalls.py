"""The console's pages about recalls: deadlines, how they ended, and what is to be deleted."""

import httpx
import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import unavailable
from services.console.operations import recall
from sluice.licensing.v1 import recall_service_pb2 as pb
from tests.support.cluster import DAY_US
from tests.support.consoles import a_console, a_served_console
from tests.support.oversight import SCRIPT, Recalls, resolve
from tests.support.pages_world import PagesWorld

NOWHERE = "/recalls/019a0000-0000-7000-8000-000000000000"


async def test_an_installation_without_recalls_says_so_and_how_far_it_is(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/recalls")

    assert page.status == 200
    assert "There is none." in page.text
    assert "How far withdrawals have been followed" in page.text


async def test_a_deadline_is_in_words_with_the_exact_time(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    for days in (20, 3, -2):
        recalls.issue(days)

    async with world.operator() as (visitor, _):
        page = await visitor.get("/recalls")

    for said in ("Due in 3 weeks", "Due in 3 days", "Was due 2 days ago"):
        assert said in page.text
    assert page.html.count("<time datetime=") >= 6


async def test_what_is_due_soon_comes_most_urgent_first_and_alone(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    ids = [recalls.issue(days) for days in (3, 20, 2, -2)]

    async with world.operator() as (visitor, _):
        page = await visitor.press(await visitor.get("/recalls"), "Show", {"which": "soon"})

    assert page.html.index(ids[2]) < page.html.index(ids[0])
    assert ids[1] not in page.html
    assert ids[3] not in page.html


async def test_recalls_are_paged_and_can_be_those_of_a_licensee(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    for _ in range(51):
        recalls.issue()

    async with world.operator() as (visitor, _):
        first = await visitor.get("/recalls?licensee=acme")
        address = first.html.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = await visitor.get(address.replace("&amp;", "&"))
        others = await visitor.get("/recalls?licensee=beta")

    assert first.html.count('href="/recalls/') == 51
    assert second.html.count('href="/recalls/') == 2
    assert "Back to the first page" in second.text
    assert "There is none." in others.text


async def test_one_recall_says_how_it_ended_and_names_no_person(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    recall_id = recalls.issue()
    await resolve(world.cluster, recall_id, f"All gone. {SCRIPT}", outcome=4)

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/recalls/{recall_id}")

    assert "Resolved in time" in page.text
    assert "Deleted, but a model was trained before" in page.text
    assert "Kim Doe, Counsel" in page.text
    assert SCRIPT in page.text
    assert "<script>alert" not in page.html
    assert str(2**63) in page.text


async def test_what_was_resolved_after_its_time_says_so(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    recall_id = recalls.issue(due_in_days=1)
    world.cluster.clock.advance(2 * DAY_US)
    await resolve(world.cluster, recall_id, "All gone.")

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/recalls/{recall_id}")

    assert "Resolved after its time" in page.text


async def test_all_posts_come_as_a_file_and_only_some_on_the_page(world: PagesWorld) -> None:
    recalls = await Recalls.begin(world.cluster)
    recall_id = recalls.issue(posts=12)

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/recalls/{recall_id}")
        file = await visitor.get(f"/recalls/{recall_id}/posts.csv")

    assert str(2**63 + 11) not in page.text
    rows = file.html.splitlines()
    assert rows[0] == "withdrawal_id,decision_id,license_id,post_id"
    assert [row.rpartition(",")[2] for row in rows[1:]] == [str(2**63 + place) for place in range(12)]
    assert file.headers["content-disposition"] == 'attachment; filename="recall-acme-1.csv"'


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (NOWHERE, 404, "RECALL_UNKNOWN"),
        ("/recalls/7", 404, "RECALL_UNKNOWN"),
        ("/recalls/%3Cscript%3E", 404, "RECALL_UNKNOWN"),
        (f"{NOWHERE}/posts.csv", 404, "RECALL_UNKNOWN"),
        ("/recalls?which=odd", 400, "There are no recalls of this kind."),
        ("/recalls?licensee=No%20One", 400, "An id is of small letters"),
        ("/recalls?page=nonsense", 400, "PAGE_TOKEN_INVALID"),
        ("/recalls/gaps?licensee=No%20One", 400, "An id is of small letters"),
        ("/recalls/gaps", 200, "There is none."),
    ],
)
async def test_what_names_nothing_is_told_so(world: PagesWorld, path: str, status: int, said: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(path)

    assert page.status == status
    assert said in page.text
    assert "<script>" not in page.html


async def test_without_licensing_the_page_says_so(world: PagesWorld) -> None:
    async with a_console(world, without=["licensing"]) as (visitor, _):
        page = await visitor.get("/recalls")

    assert page.status == 200
    assert page.text.count("This part cannot be reached at the moment.") == 2


async def test_a_file_of_posts_that_breaks_off_does_not_look_whole(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    recalls = await Recalls.begin(world.cluster)
    recall_id = recalls.issue()
    recalls.shelf.entry(recall_id, {2: [7]})
    read = recall._entries

    async def once(licensing: Peer, id: str, size: int, token: str) -> pb.ListRecallEntriesResponse:
        if token:
            raise unavailable("PEER_UNAVAILABLE", "licensing did not answer")
        return await read(licensing, id, 1, token)

    monkeypatch.setattr(recall, "_entries", once)
    async with a_served_console(world) as (origin, link), httpx.AsyncClient(base_url=origin) as browser:
        await browser.post("/sign-in/link", data={"code": link.partition("=")[2]}, headers={"origin": origin})

        with pytest.raises(httpx.RemoteProtocolError):
            await browser.get(f"/recalls/{recall_id}/posts.csv")
