"""The queue of the console: one operator proposes, a second one decides (D4)."""

import pytest

from services.chassis.identity import PrincipalKind
from services.console.operations.approvals import DECISIONS, decided
from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE
from services.console.web.forms import Opened
from tests.support.consoles import a_console
from tests.support.oversight import CLAIMED, SCRIPT, an_assessment, decide, disputed, propose, propose_on_page
from tests.support.pages_world import PagesWorld

NOBODY = "019a0000-0000-7000-8000-000000000000"


async def test_nothing_waits_where_nothing_was_proposed(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/approvals")

    assert page.status == 200
    assert "Nothing waits." in page.text


async def test_a_second_operator_approves_and_it_takes_effect(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)

    async with world.operator("ada") as (ada, _), world.operator("ben") as (ben, _):
        await propose_on_page(ada, assessment, "withdraw", "Propose to withdraw it")
        queue = await ben.get("/approvals")
        address = queue.html.partition('/approve"')[0].rpartition('href="')[2] + "/approve"
        page = await ben.press(await ben.get(address), "Approve it", {"reason": "Seen"})
        empty = await ada.get("/approvals")

    assert "Withdraw it for good" in queue.text
    assert f"Now Recorded {CLAIMED} Then Withdrawn US$0.00" in queue.text
    assert "Approved. The assessment is now: Withdrawn. Claimed: US$0.00." in page.text
    assert "operator:ben) Seen" in page.text
    assert "Nothing waits." in empty.text


async def test_rejecting_leaves_everything_as_it_is(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment, reason=SCRIPT)

    async with world.operator("ben") as (ben, _):
        form = await ben.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/reject")
        page = await ben.press(form, "Reject it")

    assert "<script>alert" not in form.html + page.html
    assert f"Rejected. The assessment stays: Recorded. Claimed: {CLAIMED}." in page.text


@pytest.mark.parametrize(("reason", "said"), [("Seen.\f!", UNPRINTABLE), ("ä" * 4001, TOO_LONG)])
async def test_a_reason_that_cannot_be_kept_is_shown_again_with_what_is_wrong_with_it(
    world: PagesWorld, reason: str, said: str
) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)

    async with world.operator("ben") as (ben, _):
        form = await ben.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve")
        page = await ben.press(form, "Approve it", {"reason": reason})

    assert (page.status, said in page.text) == (400, True)
    assert f">{reason}</textarea>" in page.html


async def test_who_proposed_it_is_told_beforehand_and_refused_if_they_try(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment, who="ada")
    address = f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve"

    async with world.operator("ada") as (ada, _):
        queue, before = await ada.get("/approvals"), await ada.get(address)
        told = await ada.get(address.removesuffix("approve") + "reject")

    assert "You proposed it yourself: another operator has to approve it." in queue.text
    assert "You proposed it yourself: another operator has to approve it. You can reject it." in before.text
    assert not any("Approve it" in text for form in before.forms for _, _, text in form.buttons)
    assert told.form("Reject it")


async def test_the_service_refuses_the_same_operator_whatever_a_page_offers(world: PagesWorld) -> None:
    step = await propose(world.cluster, await an_assessment(world.cluster), who="ada")
    ada = world.cluster.metering.peer(PrincipalKind.OPERATOR, "ada", ["legal"])

    answer = await decided(
        ada, DECISIONS["approve"], Opened(world.cluster.new_id(), {}), step.proposal_id, ""
    )

    assert answer == "You proposed it yourself: another operator has to approve it."


async def test_of_two_who_decide_at_once_the_second_is_told_what_the_first_did(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)
    address = f"/approvals/{assessment.assessment_id}/{step.proposal_id}"

    async with world.operator("ada") as (ada, _), world.operator("ben") as (ben, _):
        of_ada, of_ben = await ada.get(f"{address}/approve"), await ben.get(f"{address}/reject")
        await ada.press(of_ada, "Approve it", {"reason": "Quick"})
        page = await ben.press(of_ben, "Reject it")

    assert page.status == 409
    assert "Nothing was done. Somebody else has decided about it before you." in page.text
    assert "Decision Approved" in page.text
    assert "operator:ada) Why Quick" in page.text
    assert f"Before Recorded {CLAIMED} After Disputed {CLAIMED}" in page.text


async def test_a_form_sent_twice_decides_once_and_says_the_same(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)

    async with world.operator("ben") as (ben, _):
        form = await ben.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve")
        first, second = await ben.press(form, "Approve it"), await ben.press(form, "Approve it")

    assert first.status == second.status == 200
    for page in (first, second):
        assert "Approved. The assessment is now: Disputed." in page.text


async def test_a_form_of_another_sign_in_or_step_decides_nothing(world: PagesWorld) -> None:
    one, other = await an_assessment(world.cluster), await an_assessment(world.cluster, "beta")
    first, second = await propose(world.cluster, one), await propose(world.cluster, other)

    async with world.operator("ben") as (ben, _), world.operator("ada") as (ada, _):
        form = (await ben.get(f"/approvals/{one.assessment_id}/{first.proposal_id}/approve")).form("Approve")
        of_another = await ada.send(form, form.fields)
        form.action = f"/approvals/{other.assessment_id}/{second.proposal_id}/approve"
        elsewhere = await ben.send(form, form.fields)
        queue = await ben.get("/approvals")

    for page in (of_another, elsewhere):
        assert page.status == 409
        assert "FORM_STALE" in page.text
        assert "Nothing was changed." in page.text
    assert queue.text.count("Approve it…") == 2


async def test_a_lost_session_decides_nothing(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)

    async with world.operator("ben") as (ben, _), world.operator("ada") as (ada, _):
        form = await ben.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve")
        ben.http.cookies.clear()
        page = await ben.press(form, "Approve it")
        queue = await ada.get("/approvals")

    assert page.status == 401
    assert "Approve it…" in queue.text


async def test_the_queue_is_paged(world: PagesWorld) -> None:
    for place in range(11):
        await propose(world.cluster, await an_assessment(world.cluster, f"party-{place}"))

    async with world.operator() as (visitor, _):
        first = await visitor.get("/approvals")
        address = first.html.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = await visitor.get(address)

    assert first.text.count("Approve it…") == 10
    assert second.text.count("Approve it…") == 1
    assert "party-0" in second.text


async def test_a_reduction_shows_both_amounts_in_the_queue(world: PagesWorld) -> None:
    assessment = await disputed(world.cluster)
    amount = {"currency_code": "USD", "units": 12_000}
    await propose(world.cluster, assessment, kind=3, amount=amount)

    async with world.operator(language="de-DE") as (visitor, _):
        page = await visitor.get("/approvals")

    assert "30.000,00\xa0$" in page.html
    assert "12.000,00\xa0$" in page.html


async def test_a_decided_step_says_what_became_of_it(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)
    await decide(world.cluster, step, "kim", approve=False, reason="No letter came")

    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve")

    assert "What was decided Decision Rejected" in page.text
    assert "No letter came" in page.text


async def test_without_the_role_the_queue_is_closed_or_only_read(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    step = await propose(world.cluster, assessment)

    async with world.operator(roles=["trust"]) as (visitor, _):
        closed = await visitor.get("/approvals")
    async with world.operator("fay", roles=["finance"]) as (visitor, _):
        read = await visitor.get("/approvals")
        form = await visitor.get(f"/approvals/{assessment.assessment_id}/{step.proposal_id}/approve")

    assert "This part is not open to your roles." in closed.text
    assert "Deciding is not open to your roles. It is open to: admin, legal." in read.text
    assert "Approve it…" not in read.text
    assert "This is not open to your roles." in form.text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"/approvals/{NOBODY}/{NOBODY}/approve", "_UNKNOWN"),
        ("/approvals/7/8/approve", "ASSESSMENT_UNKNOWN"),
        (f"/approvals/{NOBODY}/{NOBODY}/odd", "NO_SUCH_PAGE"),
    ],
)
async def test_what_names_nothing_is_told_so(world: PagesWorld, path: str, said: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(path)

    assert page.status == 404
    assert said in page.text


async def test_without_metering_the_queue_says_so(world: PagesWorld) -> None:
    async with a_console(world, without=["metering"]) as (visitor, _):
        page = await visitor.get("/approvals")

    assert page.status == 200
    assert "This part cannot be reached at the moment." in page.text
