"""Who received a subject's posts, on their page (W4), and what they can take along to prove it (R4)."""

import re
from pathlib import Path

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from services.licensing.issuing import Issuer
from sluice.licensing.v1 import contract_service_pb2, license_pb2, recall_pb2, recall_service_pb2
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub
from sluice_gate import load_keys
from sluice_gate.verifying.manifest_proofs import read_manifest_proof, verify_manifest_proof
from tests.integration.licensing.test_recalls import MINUTE_US, catch_up
from tests.support.cluster import Cluster, a_post
from tests.support.keys import some_keys
from tests.support.pages import Seen
from tests.support.pages_world import PagesWorld
from tests.support.recall_worlds import recalls
from tests.support.refusing import refuse_calls


@pytest.fixture
async def world(world: PagesWorld) -> PagesWorld:
    """With subjects, a policy that lets their posts go, and a licensee."""
    await world.cluster.publish_policy()
    await world.cluster.know(*range(1, 5))
    await world.cluster.license()
    return world


async def received(world: PagesWorld, subject_id: int, language: str = "en-GB") -> Seen:
    async with world.subject(subject_id, language) as (visitor, _):
        return await visitor.get("/received")


async def test_w4_delivered_unconfirmed_and_undelivered_posts_are_told_apart(world: PagesWorld) -> None:
    decision = await world.cluster.decide([a_post(101, 1), a_post(102, 1), a_post(103, 2)])
    await world.cluster.confirm(decision.decision_id, bytes([0b001]))
    await world.cluster.decide([a_post(104, 3, (700, 1))])

    page = await received(world, 1)

    assert page.status == 200
    newer, older = page.html.split("<article")[1:]
    assert "1 post unconfirmed" in newer
    assert "delivered" not in newer.partition("<details")[0]
    assert "1 post delivered" in older
    assert "1 post not delivered" in older
    assert "101, 102" in older
    assert "103" not in older.partition("files")[0].partition("ids")[2]
    added_up = "1 post delivered 1 post unconfirmed 1 post not delivered in 2 releases"
    assert f"Acme Training of generative AI {added_up}" in page.text


async def test_what_others_received_is_not_on_the_page(world: PagesWorld) -> None:
    await world.cluster.decide([a_post(101, 1)])

    page = await received(world, 2)

    assert "Nobody has received any." in page.text
    assert "Acme" not in page.text


async def test_a_subjects_id_is_in_no_address_of_the_page(world: PagesWorld) -> None:
    await world.cluster.know(1_234_567)
    await world.cluster.decide([a_post(101, 1_234_567)])

    page = await received(world, 1_234_567)

    addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page.html)
    assert any(address.startswith("/received/") for address in addresses)
    assert all("1234567" not in address for address in addresses)


async def test_r4_the_proof_is_verified_without_a_server(world: PagesWorld, tmp_path: Path) -> None:
    decision = await world.cluster.decide([a_post(101, 1), a_post(102, 2), a_post(103, 3, (700, 1))])

    async with world.subject(1) as (visitor, _):
        file = await visitor.http.get(f"/received/{decision.decision_id}/proof")

    keys = load_keys(some_keys(tmp_path).receipt_jwks)
    shown = verify_manifest_proof(read_manifest_proof(file.content), 1, keys)
    assert shown.posts == (101, 103)
    assert shown.claims.decision_id == decision.decision_id
    assert file.headers["content-type"] == "application/json"
    name = f'attachment; filename="{decision.decision_id}.manifest-proof"'
    assert file.headers["content-disposition"] == name
    assert file.headers["cache-control"] == "no-store"


async def test_the_receipt_and_the_ids_are_files_too(world: PagesWorld) -> None:
    decision = await world.cluster.decide([a_post(101, 1), a_post(102, 2), a_post(103, 1)])

    async with world.subject(1) as (visitor, _):
        receipt = await visitor.http.get(f"/received/{decision.decision_id}/receipt")
        posts = await visitor.http.get(f"/received/{decision.decision_id}/posts")

    assert receipt.text == decision.receipt
    assert receipt.headers["content-type"] == "application/jose"
    assert receipt.headers["content-disposition"] == f'attachment; filename="{decision.decision_id}.jws"'
    assert posts.text == "101\n103\n"


async def test_the_files_of_a_release_that_held_nothing_of_theirs_are_not_there(world: PagesWorld) -> None:
    decision = await world.cluster.decide([a_post(101, 1)])

    async with world.subject(2) as (visitor, _):
        others = await visitor.get(f"/received/{decision.decision_id}/proof")
        nobodys = await visitor.get("/received/019a0000-0000-7000-8000-000000000001/receipt")
        no_id = await visitor.get("/received/1/receipt")

    assert (others.status, nobodys.status, no_id.status) == (404, 404, 400)
    assert others.text == nobodys.text


async def test_w3_a_recall_is_told_with_its_times_and_how_it_ended(world: PagesWorld) -> None:
    cluster = world.cluster
    await cluster.decide([a_post(101, 1)])
    await cluster.opt_out(1)
    await catch_up(cluster)
    cluster.clock.advance(MINUTE_US)
    await cluster.task(Issuer).look()
    issued = await received(world, 1)
    await resolve(cluster, recall_pb2.RECALL_STATE_CANNOT_UNTRAIN)

    resolved = await received(world, 1)

    assert "Told to delete them since Told to delete; no answer yet (1 post)." in issued.text
    assert "Due before:" in issued.text
    assert "Answered:" not in issued.text
    assert "Says that all copies are deleted; a model was trained before (1 post)." in resolved.text
    assert "Answered:" in resolved.text
    assert "Robin" not in resolved.html


async def test_script_in_a_licensees_name_is_text(world: PagesWorld) -> None:
    name = '<script>alert("x")</script>'
    licensee = license_pb2.Licensee(licensee_id="evil", display_name=name)
    create = contract_service_pb2.CreateLicenseeRequest(request_id=world.cluster.new_id(), licensee=licensee)
    await world.cluster.contracts("CreateLicensee", create)
    await world.cluster.license("evil-training", licensee_id="evil")
    await world.cluster.decide([a_post(101, 1)], license_id="evil-training")

    page = await received(world, 1)

    assert "<script>alert" not in page.html
    assert "&lt;script&gt;alert" in page.html


async def test_many_releases_come_page_by_page(world: PagesWorld) -> None:
    for number in range(22):
        await world.cluster.decide([a_post(100 + number, 1)])

    async with world.subject(1) as (visitor, _):
        first = await visitor.get("/received")
        link = first.html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = await visitor.get(link)

    assert (first.html.count("<article"), second.html.count("<article")) == (20, 2)
    assert "Added up" not in second.text.partition("One by one")[0]
    assert "Back to the first page" in second.text


async def test_a_page_that_no_list_has_leads_back_to_the_first(world: PagesWorld) -> None:
    async with world.subject(1) as (visitor, _):
        pages = [await visitor.get(f"/received?page={token}") for token in ("nonsense", "x" * 3000)]

    assert [page.status for page in pages] == [400, 400]
    assert all('<a href="/received">' in page.html for page in pages)


async def test_licensing_that_is_down_is_said_and_the_history_is_there(world: PagesWorld) -> None:
    async with world.subject(1) as (visitor, _):
        await world.cluster.licensing.drain()
        page = await visitor.get("/received")
        history = await visitor.get("/history")

    assert page.status == 503
    assert "This cannot be reached at the moment." in page.text
    assert "Nobody has received any." not in page.text
    assert history.status == 200


@pytest.mark.parametrize(
    ("kind", "reason", "said"),
    [
        (Kind.UNAVAILABLE, "RELEASE_INDEX_BEHIND", "is being made ready"),
        (Kind.EXHAUSTED, "DISCLOSURES_BUSY", "Very many people are asking"),
    ],
)
async def test_an_index_that_is_behind_and_a_queue_that_is_full_are_said(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch, kind: Kind, reason: str, said: str
) -> None:
    refuse_calls(monkeypatch, "ListSubjectReleases", Refusal(kind, reason, "later"))

    page = await received(world, 1)

    assert page.status == 503
    assert said in page.text
    assert "Nobody has received any." in page.text, "the sums stand"


async def test_somebody_with_too_many_releases_to_add_up_has_the_list(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.cluster.decide([a_post(101, 1)])
    many = Refusal(Kind.PRECONDITION, "SUBJECT_RELEASES_TOO_MANY", "more than 10,000")
    refuse_calls(monkeypatch, "GetSubjectSummary", many)

    page = await received(world, 1)

    assert page.status == 200
    assert "too many releases to add them up" in page.text
    assert "101" in page.text


async def test_dates_and_numbers_are_in_the_readers_form(world: PagesWorld) -> None:
    await world.cluster.decide([a_post(1_000 + number, 1) for number in range(1_234)])

    page = await received(world, 1, "de-AT")

    assert "1.234" in page.text or "1 234" in page.text.replace("\xa0", " ")
    assert "Oktober 2025" in page.text


async def resolve(cluster: Cluster, outcome: int) -> None:
    """The licensee says how the one recall ended."""
    (recall,) = recalls(cluster.database)
    peer = cluster.licensing.peer(PrincipalKind.LICENSEE, "acme")
    attestation = recall_pb2.Attestation(name="Robin", role="engineer", statement="It is done.")
    resolution = recall_pb2.RecallResolution(outcome=outcome, attestation=attestation)  # type: ignore[arg-type]
    request = recall_service_pb2.ResolveRecallRequest(recall_id=recall.recall_id, resolution=resolution)
    await peer.call(RecallServiceStub(peer.channel).ResolveRecall, request)
