"""One decision in the console."""

from pathlib import Path

import pytest

from sluice_gate.verifying.proof_files import read_proof
from tests.support.cluster import SECOND_US, a_post
from tests.support.consoles import a_console
from tests.support.pages_world import PagesWorld
from tests.support.telemetry import recording

NO_ID = "0199ca42-80a0-7000-90d3-3ede63c7f66a"


@pytest.fixture
async def ready(world: PagesWorld) -> PagesWorld:
    """Subjects 1, who may be released, and 2, who said no; a license."""
    await world.cluster.publish_policy()
    await world.cluster.know(1, 2)
    await world.cluster.license()
    await world.cluster.opt_out(2)
    return world


async def test_a_decision_is_told_with_its_reasons_and_its_receipt(ready: PagesWorld) -> None:
    decision = await ready.cluster.decide([a_post(10, 1), a_post(11, 2)])

    async with ready.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")

    assert page.status == 200
    for said in (
        "Released in part",
        "pipeline:firehose",
        "Training of generative AI",
        "A contributor said no Not available 1",
        "Number of the receipt 1",
        "Until:",
        "manifest_root",
        "Nothing of it was checked here",
        f"sluice log verify {decision.decision_id}.proof --receipts {decision.decision_id}.receipt",
        "No checkpoint covers this receipt yet. Look again in a moment.",
    ):
        assert said in page.text, said


async def test_ids_of_subjects_and_posts_are_not_on_the_page(ready: PagesWorld) -> None:
    decision = await ready.cluster.decide([a_post(123456789, 1), a_post(987654321, 2)])

    async with ready.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")

    assert "123456789" not in page.html
    assert "987654321" not in page.html


async def test_a_permit_that_is_over_is_told_as_over(ready: PagesWorld) -> None:
    decision = await ready.cluster.decide([a_post(10, 1)])
    ready.cluster.clock.advance(3_600 * SECOND_US)

    async with ready.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")

    assert "No longer. It was valid until:" in page.text


async def test_want_of_room_is_told_with_its_limit(ready: PagesWorld) -> None:
    await ready.cluster.amend(limit=1)
    decision = await ready.cluster.decide([a_post(10, 1), a_post(12, 1)])

    async with ready.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")

    assert "allows 1 posts." in page.text
    assert "The batch can never fit." in page.text


async def test_the_posts_of_a_large_batch_are_paged(ready: PagesWorld) -> None:
    decision = await ready.cluster.decide([a_post(place, 2) for place in range(1, 251)])

    async with ready.operator() as (visitor, _):
        first = await visitor.get(f"/decisions/{decision.decision_id}")
        second = await visitor.get(f"/decisions/{decision.decision_id}?from=200")
        nonsense = await visitor.get(f"/decisions/{decision.decision_id}?from=x")

    assert f"/decisions/{decision.decision_id}?from=200" in first.html
    assert first.text.count("A contributor said no") == 1 + 200
    assert second.text.count("A contributor said no") == 1 + 50
    assert nonsense.status == 400


async def test_receipt_and_proof_are_there_to_keep(ready: PagesWorld) -> None:
    decision = await ready.cluster.decide([a_post(10, 1)])
    await ready.cluster.publisher.publish()

    async with ready.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")
        receipt = await visitor.get(f"/decisions/{decision.decision_id}/receipt")
        proof = await visitor.get(f"/decisions/{decision.decision_id}/proof")

    assert "Receipt 1 of 1 under the newest checkpoint." in page.text
    assert receipt.html == decision.receipt + "\n"
    assert receipt.headers["content-disposition"] == f'attachment; filename="{decision.decision_id}.receipt"'
    assert read_proof(proof.html.encode())[0].index == 0


@pytest.mark.parametrize("name", ["17", "x", NO_ID, NO_ID.upper(), "%3Cscript%3E"])
@pytest.mark.parametrize("part", ["", "/receipt", "/proof"])
async def test_an_id_of_nothing_is_no_page(world: PagesWorld, name: str, part: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/decisions/{name}{part}")

    assert page.status == 404
    assert "DECISION_UNKNOWN" in page.text


async def test_the_trace_is_drawn_from_the_files_of_a_local_installation(
    ready: PagesWorld, tmp_path: Path
) -> None:
    traces = tmp_path / "traces"
    with recording(traces / "all.jsonl"):
        decision = await ready.cluster.decide([a_post(10, 1)])

    async with a_console(ready, traces=traces) as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")

    for said in ("ReleaseService/Decide", "ConsentService/CheckConsent", "MeteringService/Reserve"):
        assert said in page.text
    assert "<rect" in page.html
    assert "style=" not in page.html


async def test_a_trace_that_is_not_there_is_told_so_and_linked_to(ready: PagesWorld, tmp_path: Path) -> None:
    with recording(tmp_path / "elsewhere.jsonl"):
        decision = await ready.cluster.decide([a_post(10, 1)])
    untraced = await ready.cluster.decide([a_post(11, 1)])
    ready.cluster.clock.advance(10 * SECOND_US)
    (tmp_path / "traces").mkdir()

    url = "https://traces.example/{trace_id}"
    async with a_console(ready, traces=tmp_path / "traces", trace_url=url) as (visitor, _):
        page = await visitor.get(f"/decisions/{decision.decision_id}")
        none = await visitor.get(f"/decisions/{untraced.decision_id}")

    assert "Nothing of it is here: it was not sampled, was sent elsewhere" in page.text
    assert f'href="https://traces.example/{decision.trace_id}"' in page.html
    assert "It was decided outside of any trace." in none.text
