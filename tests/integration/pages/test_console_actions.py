"""The console's log of actions: what operators did in each service, and what came of it."""

from datetime import UTC, datetime

from services.chassis.action_rows import SqlActions
from services.chassis.actions import Begun, Caller, Ended, Outcome
from services.licensing.storage.action_tables import ACTIONS
from tests.support.cluster import SECOND_US
from tests.support.consoles import a_console
from tests.support.oversight import SCRIPT, an_assessment, disputed, propose
from tests.support.pages import Seen
from tests.support.pages_world import PagesWorld

SUSPEND = "sluice.licensing.v1.ContractService/SuspendLicense"
UNFINISHED = "No end is on record: it is under way, or broke off. Ask for the thing itself."


def log_of(world: PagesWorld) -> SqlActions:
    """Licensing's, to put entries into."""
    return SqlActions(world.cluster.database, ACTIONS, world.cluster.clock)


async def suspend(world: PagesWorld, reason: str, *, ends: bool = True) -> None:
    """An entry of a suspension, and one that says how it ended."""
    caller, log = Caller("ada", ("legal",), SUSPEND, ""), log_of(world)
    number = await log.begin(caller, Begun(world.cluster.new_id(), "", reason=reason))
    if ends:
        await log.end(number, caller, Ended(Outcome.DONE))


def next_of(page: Seen) -> str:
    """The address of the next page of a log."""
    return page.html.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")


async def test_logs_without_entries_say_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/actions")

    assert page.status == 200
    assert page.text.count("The log is empty.") == 3


async def test_what_was_done_is_told_with_who_when_why_and_the_command_that_checks_it(
    world: PagesWorld,
) -> None:
    await disputed(world.cluster)

    async with world.operator() as (visitor, _):
        page = await visitor.get("/actions")

    assert "Approve or reject a step about an assessment DisputeService/DecideStep" in page.text
    assert "Put an assessment on record DamagesService/RecordAssessment" in page.text
    assert "Letter of 3 March Done" in page.text
    assert "sluice actions verify --service metering --known metering:" in page.text


async def test_what_was_refused_says_why(world: PagesWorld) -> None:
    assessment = await an_assessment(world.cluster)
    await propose(world.cluster, assessment)

    async with world.operator() as (visitor, _):
        form = await visitor.get(f"/damages/{assessment.assessment_id}/propose/dispute")
        assert "does not follow" not in form.text
        await visitor.press(form, "Propose the dispute", {"reason": SCRIPT})
        page = await visitor.get("/actions?operator=ada")

    assert f"{SCRIPT} Refused, nothing was changed STEP_PENDING" in page.text
    assert "<script>alert" not in page.html
    assert "Letter of 3 March" not in page.text


async def test_an_action_without_an_end_is_marked(world: PagesWorld) -> None:
    await suspend(world, "One")
    await suspend(world, "Two", ends=False)

    async with world.operator() as (visitor, _):
        page = await visitor.get("/actions")

    assert page.text.count(UNFINISHED) == 1
    assert f"Two {UNFINISHED}" in page.text


async def test_the_end_of_an_action_is_found_though_it_lies_on_the_page_before(world: PagesWorld) -> None:
    await suspend(world, "Broken", ends=False)
    await suspend(world, "First")
    for _ in range(24):
        await suspend(world, "Later")
    # 51 entries so far: with one more the page ends between the two of an action.
    await suspend(world, "Last", ends=False)

    async with world.operator() as (visitor, _):
        first = await visitor.get("/actions")
        second = await visitor.get(next_of(first))

    assert "First" not in first.text
    assert f"Broken {UNFINISHED}" in second.text
    assert "First Done" in second.text
    assert second.text.count(UNFINISHED) == 1


async def test_actions_can_be_those_of_a_call_and_from_a_time_on(world: PagesWorld) -> None:
    await suspend(world, "Early")
    world.cluster.clock.advance(3600 * SECOND_US)
    await suspend(world, "Late")

    async with world.operator() as (visitor, _):
        none = await visitor.get("/actions?method=sluice.licensing.v1.WallService/RaiseWall")
        by_call = await visitor.get(f"/actions?method=/{SUSPEND}")
        now = world.cluster.clock.now_us() // SECOND_US
        since = await visitor.get(f"/actions?since={_written(now - 60)}")

    assert "Early" not in none.text
    assert "Early" in by_call.text
    assert "Early" not in since.text
    assert "Late" in since.text


async def test_a_time_that_is_none_is_told_so(world: PagesWorld) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get("/actions?since=<script>")
        token = await visitor.get("/actions?metering=nonsense")

    assert page.status == 400
    assert "A time is written like 2026-01-31T12:00, in UTC." in page.text
    assert "<script>" not in page.html
    assert token.status == 400
    assert "PAGE_TOKEN_INVALID" in token.text


async def test_the_logs_are_closed_to_other_roles(world: PagesWorld) -> None:
    async with world.operator(roles=["trust", "finance"]) as (visitor, _):
        page = await visitor.get("/actions")

    assert page.text.count("This part is not open to your roles.") == 3


async def test_the_log_of_a_service_that_is_down_is_missing_and_the_others_stand(world: PagesWorld) -> None:
    await suspend(world, "Seen")

    async with a_console(world, without=["metering"]) as (visitor, _):
        page = await visitor.get("/actions")

    assert page.text.count("This part cannot be reached at the moment.") == 1
    assert "Seen" in page.text


def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
