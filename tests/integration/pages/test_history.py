"""What a subject ever chose, on their page."""

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from sluice.consent.v1 import choice_pb2, consent_service_pb2
from sluice.consent.v1 import subject_service_pb2 as subject_pb
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub
from tests.support.choosing_pages import a_licensee, in_consent, say
from tests.support.cluster import NOTICE, SECOND_US, TRAINING
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld

MANY = 10_000


async def test_every_choice_is_told_in_words_the_newest_first(world: PagesWorld) -> None:
    await world.cluster.know(7)
    await world.cluster.opt_out(7)
    await world.cluster.opt_in(7)

    async with world.subject(7) as (visitor, _):
        page = await visitor.get("/history")

    assert page.status == 200
    (yes, no) = page.html.partition("<tbody>")[2].split("<tr>")[1:]
    assert "<strong>Yes</strong>" in yes
    assert "<strong>No</strong>" in no
    assert "Everything For: Everyone How it was made is not on record recorded by: the platform" in page.text
    assert "operator:ada" not in page.html


async def test_an_agent_is_named_as_such(world: PagesWorld) -> None:
    await world.cluster.know(7)
    async with world.agent(7) as (visitor, page):
        checked = await visitor.press(page, "Go on", {"whom": "all", "wish": "no-training"})
        await visitor.press(checked, "Say no for 1 person")

    async with world.subject(7) as (visitor, _):
        page = await visitor.get("/history")

    assert "Training of generative AI For: Everyone By your agent recorded by: your agent" in page.text
    assert page.html.count("<tr>") == 3


async def test_ten_thousand_choices_come_page_by_page(world: PagesWorld) -> None:
    await world.cluster.know(7)
    await record_many(world, 7, MANY)

    async with world.subject(7) as (visitor, _):
        first = await visitor.get("/history")
        second = await follow_next(visitor, first.html)

    assert first.html.count("<tr>") == second.html.count("<tr>") == 26
    assert len(first.html) < 30_000
    assert "Back to the first page" in second.text


async def test_a_page_that_no_list_has_leads_back_to_the_first(world: PagesWorld) -> None:
    await world.cluster.know(7)

    async with world.subject(7) as (visitor, _):
        pages = [await visitor.get(f"/history?page={token}") for token in ("nonsense", "x" * 3000, "-1")]

    assert [page.status for page in pages] == [400, 400, 400]
    assert all("There is no such page of the list" in page.text for page in pages)
    assert all('<a href="/history">' in page.html for page in pages)


async def test_somebody_who_has_chosen_nothing_is_told_so(world: PagesWorld) -> None:
    await world.cluster.know(7)

    async with world.subject(7) as (visitor, _):
        page = await visitor.get("/history")

    assert "You have not chosen anything yet." in page.text


async def test_somebody_erased_is_told_what_is_left_and_not_that_they_never_chose(world: PagesWorld) -> None:
    await world.cluster.know(7)
    await world.cluster.opt_out(7)
    request = subject_pb.EraseSubjectRequest(request_id=world.cluster.new_id(), subject_id=7)
    await in_consent(world.cluster, SubjectServiceStub, "EraseSubject", request)

    async with world.subject(7) as (visitor, _):
        page = await visitor.get("/history")

    assert "Your records here were erased, your earlier choices among them." in page.text
    assert "Everything that was ever recorded" not in page.text
    assert "You have not chosen anything yet." not in page.text


async def test_licensees_have_their_names_where_licensing_says_them(world: PagesWorld) -> None:
    await world.cluster.know(7)
    await a_licensee(world.cluster, "acme", "Acme <Models>")
    for licensee in ("acme", "birch"):
        await say(world.cluster, choice_pb2.STANCE_DENY, licensee_id=licensee)

    async with world.subject(7) as (visitor, _):
        named = await visitor.get("/history")
        await world.cluster.licensing.drain()
        nameless = await visitor.get("/history")

    assert "For: Acme <Models>" in named.text
    assert "For: birch" in named.text
    assert nameless.status == 200
    assert "For: acme" in nameless.text


async def test_a_sign_in_whose_subject_is_no_number_sees_nothing(world: PagesWorld) -> None:
    for party in ("alice", "07", "0", str(2**64)):
        code = world.links.make(world.cluster.licensing.token(PrincipalKind.SUBJECT, party))
        async with Visitor(world.settings) as visitor:
            await visitor.sign_in(code)
            pages = [await visitor.get(path) for path in ("/history", "/received", "/data", "/data/json")]

        assert [page.status for page in pages] == [403] * 4
        assert all("SUBJECT_NOT_A_NUMBER" in page.text for page in pages)


async def test_an_agent_has_no_page_of_their_own_records(world: PagesWorld) -> None:
    async with world.agent(7) as (visitor, _):
        pages = [await visitor.get(path) for path in ("/history", "/received", "/data")]

    assert [page.status for page in pages] == [403] * 3


async def follow_next(visitor: Visitor, html: str) -> Seen:
    return await visitor.get(html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0])


async def record_many(world: PagesWorld, subject_id: int, count: int) -> None:
    """Yes and no by turns, a second apart, until now."""
    begin_us = world.cluster.clock.now_us() - count * SECOND_US
    rows = []
    for line in range(count):
        choice = choice_pb2.Choice(
            subject_id=subject_id,
            stance=choice_pb2.STANCE_ALLOW if line % 2 else choice_pb2.STANCE_DENY,
            everyone=True,
            purpose=TRAINING,
            method=choice_pb2.CHOICE_METHOD_IMPORT,
            notice_digest=NOTICE,
        )
        choice.stated_at.FromMicroseconds(begin_us + line * SECOND_US)
        rows.append(consent_service_pb2.RecordChoicesRequest.Row(line=line + 1, choice=choice))
    token = world.cluster.licensing.token(PrincipalKind.OPERATOR, "ada", ["admin"])
    peer = Peer(world.cluster.consent_address, lambda: token, name="consent")
    async with peer.open(ConsentServiceStub(peer.channel).RecordChoices) as stream:
        for at in range(0, count, 1_000):
            page = consent_service_pb2.RecordChoicesRequest(
                request_id=world.cluster.new_id(), rows=rows[at : at + 1_000]
            )
            await stream.send(page)
            assert not (await stream.receive()).rejected
    await peer.close()
