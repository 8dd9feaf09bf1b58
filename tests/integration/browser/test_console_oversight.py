"""The console's pages of recalls, damages, approvals and actions in a real browser: they fit everybody."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.identity import PrincipalKind
from tests.support.browser import Watched, a_browser, watched
from tests.support.cluster import a_cluster
from tests.support.consoles import a_served_console
from tests.support.oversight import SCRIPT, Recalls, an_assessment, decide, disputed, propose, resolve
from tests.support.pages_world import ALL_ROLES, PagesWorld, pages_over

LONG = "A reason of many words, as lawyers write them, about a letter of 3 March. " * 4


async def on_record(world: PagesWorld) -> dict[str, str]:
    """Recalls, assessments and steps of every kind; paths by what they show."""
    cluster = world.cluster
    recalls = await Recalls.begin(cluster)
    ended = [recalls.issue(days, posts=12) for days in (20, 2, -3, 10)][-1]
    await resolve(cluster, ended, f"{LONG}{SCRIPT}", outcome=4)
    reduced, waiting = await disputed(cluster), await an_assessment(cluster, "beta")
    amount = {"currency_code": "USD", "units": 12_000}
    step = await propose(cluster, reduced, kind=3, amount=amount, reason=LONG)
    of_ada = await propose(cluster, waiting, who="ada", reason=SCRIPT)
    other = await an_assessment(cluster, "gamma")
    done = await propose(cluster, other, reason=LONG)
    await decide(cluster, done, "kim", approve=True, reason=LONG)
    approvals = f"/approvals/{reduced.assessment_id}/{step.proposal_id}"
    return {
        "console-recalls": "/recalls",
        "console-recalls-soon": "/recalls?which=soon",
        "console-recall": f"/recalls/{ended}",
        "console-gaps": "/recalls/gaps",
        "console-damages": "/damages",
        "console-assessment": f"/damages/{reduced.assessment_id}",
        "console-propose": f"/damages/{other.assessment_id}/propose/withdraw",
        "console-propose-amount": f"/damages/{other.assessment_id}/propose/reduce?amount=x",
        "console-approvals": "/approvals",
        "console-approve": f"{approvals}/approve",
        "console-reject": f"{approvals}/reject",
        "console-approve-own": f"/approvals/{waiting.assessment_id}/{of_ada.proposal_id}/approve",
        "console-decided": f"/approvals/{other.assessment_id}/{done.proposal_id}/approve",
        "console-actions": "/actions",
    }


async def come_in(world: PagesWorld, page: Watched, party: str) -> None:
    """Signs an operator in."""
    token = world.cluster.licensing.token(PrincipalKind.OPERATOR, party, ALL_ROLES)
    await page.open(f"/sign-in/link?code={world.links.make(token)}")
    await page.press("Sign in")


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[tuple[Watched, dict[str, str]]]:
    """The console with an operator who has come in, and the paths of pages."""
    async with a_browser() as browser, a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as world:
        paths = await on_record(world)
        async with a_served_console(world) as (origin, link), watched(browser, origin) as page:
            await page.open(link)
            await page.press("Sign in")
            yield page, paths


async def test_pages_of_oversight_fit_and_can_be_used_by_everybody(
    seen: tuple[Watched, dict[str, str]],
) -> None:
    page, paths = seen

    for name, path in paths.items():
        await page.open(path)
        await page.page.eval_on_selector_all("details", "all => all.forEach((each) => (each.open = true))")
        await page.check(name)


async def test_a_second_operator_approves_what_the_first_one_proposed(tmp_path: Path) -> None:
    async with a_browser() as browser, a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as world:
        assessment = await disputed(cluster)
        async with (
            a_served_console(world) as (origin, _),
            watched(browser, origin, scripts=False) as ada,
            watched(browser, origin) as ben,
        ):
            await come_in(world, ada, "ada")
            await come_in(world, ben, "ben")

            await ada.open(f"/damages/{assessment.assessment_id}")
            await ada.press("Propose to reduce it…", role="link")
            await ada.page.get_by_label("What is claimed then, in USD").fill("12000.50")
            await ada.press("Show what it means")
            await ada.page.get_by_label("Reason, for the record").fill("Settled")
            await ada.press("Propose to reduce it")
            await ben.open("/approvals")
            await ben.press("Approve it…", role="link")
            await ben.press("Approve it: it takes effect at once")

            told = "Approved. The assessment is now: Reduced. Claimed: US$12,000.50."
            assert told in await ben.text()
            await ada.page.reload()
            assert "Claimed now US$12,000.50" in await ada.text()
            assert not ada.faults + ben.faults
