"""The console's pages about damages: what is claimed and why, its evidence, proposing steps (D1 to D4)."""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest

from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE
from sluice_gate.damages.verify import verify
from tests.support.consoles import a_console
from tests.support.oversight import CLAIMED, SCRIPT, an_assessment, disputed, propose, propose_on_page
from tests.support.pages_world import PagesWorld

NOWHERE = "/damages/019a0000-0000-7000-8000-000000000000"


async def test_an_installation_without_assessments_says_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/damages")

    assert page.status == 200
    assert "There is none." in page.text


async def test_assessments_are_listed_and_can_be_those_of_a_party(world: PagesWorld) -> None:
    await an_assessment(world.cluster, "acme")
    await an_assessment(world.cluster, "beta")

    async with world.operator() as (visitor, _):
        listed = await visitor.get("/damages")
        of_beta = await visitor.press(listed, "Show", {"id": "beta"})

    assert listed.text.count("Recorded US$30,000.00") == 2
    assert of_beta.text.count("Recorded US$30,000.00") == 1
    assert "acme" not in of_beta.text


async def test_one_assessment_says_what_is_claimed_of_whom_and_how_else_it_may_be_read(
    world: PagesWorld,
) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/damages/{assessment.assessment_id}")

    for said in (
        f"Claimed now {CLAIMED}",
        f"acme 25 {CLAIMED} {CLAIMED}",
        "more than 10 posts in any 24 hours",
        "(as the policy has it)",
        "the policy's 1 period",
        assessment.digest.hex(),
        SCRIPT,
    ):
        assert said in page.text
    assert page.html.count("<details") == len(
        {(tuple(r.accesses), r.licensed_volume_counts) for r in assessment.readings}
    )
    assert "<script>alert" not in page.html


async def test_the_bundle_is_whole_and_verifies_without_a_server(world: PagesWorld, tmp_path: Path) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        answer = await visitor.http.get(f"/damages/{assessment.assessment_id}/bundle.zip")
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path / "out")

    assert int(answer.headers["content-length"]) == len(answer.content)
    folder = tmp_path / "out" / f"assessment-{assessment.assessment_id}"
    report = verify(folder, assessment.digest.hex(), lambda _what, _done, _of: None)
    assert report.agrees


async def test_a_bundle_that_cannot_be_made_here_says_what_to_install(
    world: PagesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    assessment = await an_assessment(world.cluster)
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/damages/{assessment.assessment_id}/bundle.zip")

    assert page.status == 409
    assert "pip install sluice[parquet]" in page.text


async def test_the_document_is_the_one_whose_digest_is_on_record(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        answer = await visitor.http.get(f"/damages/{assessment.assessment_id}/document")

    assert hashlib.sha256(answer.content).digest() == assessment.digest


async def test_a_proposed_step_waits_and_changes_nothing(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator("ada") as (visitor, _):
        page = await propose_on_page(visitor, assessment, "dispute", "Propose the dispute")

    assert page.url.endswith(f"/damages/{assessment.assessment_id}")
    assert "It is proposed, and waits for a second operator." in page.text
    assert "A step waits for a second operator: Put a dispute on record (operator:ada)" in page.text
    assert f"Claimed now {CLAIMED}" in page.text
    assert "Propose the dispute" not in page.text


async def test_a_form_sent_twice_proposes_once(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/dispute")
        first = await visitor.press(form, "Propose", {"reason": "Letter"})
        second = await visitor.press(form, "Propose", {"reason": "Letter"})
        queue = await visitor.get("/approvals")

    assert first.status == second.status == 200
    assert "It is proposed" in second.text
    assert queue.text.count("Letter") == 1


async def test_a_lower_amount_is_shown_before_it_is_proposed(world: PagesWorld) -> None:
    assessment = await disputed(world.cluster)

    async with world.operator() as (visitor, _):
        asked = await visitor.get(f"/damages/{assessment.assessment_id}/propose/reduce")
        shown = await visitor.press(asked, "Show what it means", {"amount": "12000.50"})
        page = await visitor.press(shown, "Propose to reduce it", {"reason": "Settled"})

    assert f"Now Disputed {CLAIMED} Then Reduced US$12,000.50" in shown.text
    assert "Reduce what is claimed: US$12,000.50" in page.text
    assert f"Claimed now {CLAIMED}" in page.text


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("12,000.00", "An amount is of digits alone"),
        ("", "An amount is of digits alone"),
        (SCRIPT, "An amount is of digits alone"),
        ("30000.00", "has to be less than what is claimed now"),
    ],
)
async def test_an_amount_that_is_none_or_not_lower_is_told_so(
    world: PagesWorld, amount: str, said: str
) -> None:
    assessment = await disputed(world.cluster)

    async with world.operator() as (visitor, _):
        asked = await visitor.get(f"/damages/{assessment.assessment_id}/propose/reduce")
        page = await visitor.press(asked, "Show what it means", {"amount": amount})

    assert page.status == 400
    assert said in page.text
    assert "<script>alert" not in page.html


async def test_an_amount_of_parts_of_a_cent_is_refused_by_metering_and_told_so(world: PagesWorld) -> None:
    assessment = await disputed(world.cluster)

    async with world.operator() as (visitor, _):
        shown = await visitor.get(f"/damages/{assessment.assessment_id}/propose/reduce?amount=1.005")
        page = await visitor.press(shown, "Propose to reduce it", {"reason": "Settled"})

    assert page.status == 400
    assert "Nothing was proposed." in page.text


async def test_a_step_without_a_reason_is_not_proposed(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/withdraw")
        page = await visitor.press(form, "Propose to withdraw it", {"reason": "  "})

    assert page.status == 400
    assert "Say why: a step needs a reason." in page.text


@pytest.mark.parametrize(
    ("reason", "said"), [("Not theirs.\f!", UNPRINTABLE), ("ä" * 4001, TOO_LONG), ("ä" * 9000, TOO_LONG)]
)
async def test_a_reason_that_cannot_be_kept_is_shown_again_with_what_is_wrong_with_it(
    world: PagesWorld, reason: str, said: str
) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/withdraw")
        page = await visitor.press(form, "Propose to withdraw it", {"reason": reason})

    assert (page.status, said in page.text) == (400, True)
    assert f">{reason}</textarea>" in page.html


async def test_what_was_proposed_by_another_meanwhile_stops_a_second_proposal(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/withdraw")
        await propose(world.cluster, assessment)
        page = await visitor.press(form, "Propose to withdraw it", {"reason": "Not theirs"})

    assert page.status == 409
    assert "Another step of this assessment waits for a second operator already." in page.text


async def test_a_form_from_before_a_change_proposes_nothing(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/withdraw")
        await decide_dispute(world, assessment.assessment_id)
        page = await visitor.press(form, "Propose to withdraw it", {"reason": "Not theirs"})
        queue = await visitor.get("/approvals")

    assert page.status == 409
    assert "The assessment has changed since you looked at it." in page.text
    assert "Nothing waits." in queue.text


async def decide_dispute(world: PagesWorld, assessment_id: str) -> None:
    """Ada proposes a dispute and Ben approves it, by their pages."""
    async with world.operator("ada") as (ada, _), world.operator("ben") as (ben, _):
        form = await ada.get(f"/damages/{assessment_id}/propose/dispute")
        await ada.press(form, "Propose the dispute", {"reason": "Letter"})
        queue = await ben.get("/approvals")
        address = queue.html.partition('/approve"')[0].rpartition('href="')[2] + "/approve"
        await ben.press(await ben.get(address), "Approve it")


async def test_finance_reads_and_is_offered_nothing(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator(roles=["finance"]) as (visitor, _):
        page = await visitor.get(f"/damages/{assessment.assessment_id}")
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/dispute")

    assert "Nothing can be proposed by you as it stands." in page.text
    assert "This is not open to your roles. It is open to: admin, legal." in form.text


async def test_an_operator_without_the_role_sees_no_assessment(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator(roles=["trust"]) as (visitor, _):
        listed = await visitor.get("/damages")
        one = await visitor.get(f"/damages/{assessment.assessment_id}")

    assert "This part is not open to your roles." in listed.text
    assert one.status == 403
    assert "30,000" not in listed.text + one.text


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        (NOWHERE, 404, "ASSESSMENT_UNKNOWN"),
        ("/damages/7", 404, "ASSESSMENT_UNKNOWN"),
        (f"{NOWHERE}/document", 404, "ASSESSMENT_UNKNOWN"),
        (f"{NOWHERE}/bundle.zip", 404, "ASSESSMENT_UNKNOWN"),
        (f"{NOWHERE}/propose/dispute", 404, "ASSESSMENT_UNKNOWN"),
        (f"{NOWHERE}/propose/odd", 404, "NO_SUCH_PAGE"),
        ("/damages?id=No%20One", 400, "An id is of small letters"),
        ("/damages?page=nonsense", 400, "PAGE_TOKEN_INVALID"),
    ],
)
async def test_what_names_nothing_is_told_so(world: PagesWorld, path: str, status: int, said: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(path)

    assert page.status == status
    assert said in page.text


async def test_without_metering_the_pages_say_so_and_change_nothing(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with a_console(world, without=["metering"]) as (visitor, _):
        listed = await visitor.get("/damages")
        one = await visitor.get(f"/damages/{assessment.assessment_id}")

    assert listed.status == 200
    assert "This part cannot be reached at the moment." in listed.text
    assert one.status == 503
    assert "A service cannot be reached at the moment" in one.text
