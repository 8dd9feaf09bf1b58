"""The pages about licenses: how they stand, how full their windows are, and stopping one (L1, L3, L4)."""

import pytest

from services.chassis.identity import PrincipalKind
from services.console.operations.typed_texts import TOO_LONG, UNPRINTABLE
from sluice.licensing.v1 import contract_service_pb2
from sluice.licensing.v1.license_pb2 import License, LicenseAllowance
from tests.support.cluster import DAY_US
from tests.support.consoles import a_console
from tests.support.pages import PageForm, Seen, Visitor
from tests.support.pages_licensing import SCRIPT, a_draft, a_licensee, a_price, open_to_all, released
from tests.support.pages_world import PagesWorld

ACME = "/licenses/acme-training"
OF_GROUP = LicenseAllowance(per="ALLOWANCE_SUBJECT_GROUP", window="WINDOW_TERM", limit=1_000)
OF_LICENSE = LicenseAllowance(per="ALLOWANCE_SUBJECT_LICENSE", window="WINDOW_ROLLING_DAY", limit=4)
NOT_DONE = "Nothing was done: the license has changed since you looked at it."


@pytest.fixture
async def licensed(world: PagesWorld) -> PagesWorld:
    """Acme, under whose license three posts can be released."""
    await open_to_all(world.cluster)
    await world.cluster.license(allowances=[OF_LICENSE, OF_GROUP])
    return world


async def standing(world: PagesWorld) -> License:
    """Acme's license as licensing has it."""
    request = contract_service_pb2.GetLicenseRequest(license_id="acme-training")
    license: License = (await world.cluster.contracts("GetLicense", request)).license
    return license


async def steps(world: PagesWorld) -> list[tuple[int, str, str]]:
    """Number, by whom and why, of each change of Acme's license, newest first."""
    request = contract_service_pb2.ListLicenseChangesRequest(license_id="acme-training")
    changes = (await world.cluster.contracts("ListLicenseChanges", request)).changes
    return [(each.step, each.changed_by, each.reason) for each in changes]


async def asked(visitor: Visitor, name: str, license: str = ACME) -> Seen:
    """The page that asks whether a step is meant."""
    return await visitor.get(f"{license}/{name}")


async def test_l4_a_license_suspended_on_the_page_denies_the_next_decision_and_shows_at_once(
    licensed: PagesWorld,
) -> None:
    before = await released(licensed.cluster)

    async with licensed.operator() as (visitor, _):
        page = await asked(visitor, "suspend")
        after = await visitor.press(page, "Suspend the license", {"reason": "A complaint.\r\nIt is serious."})
        listed = await visitor.get("/licenses")

    assert before == 3
    assert await released(licensed.cluster) == 0
    assert "Every decision that concludes after it is acknowledged is denied." in page.text
    assert after.url.endswith(ACME)
    assert "The license acme-training is suspended." in after.text
    assert "Suspended" in listed.text.partition("acme-training")[2]
    assert (await steps(licensed))[0] == (6, "operator:ada", "A complaint.\nIt is serious.")


async def test_a_license_is_resumed_and_ended_on_the_page(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        await visitor.press(await asked(visitor, "suspend"), "Suspend the license")
        await visitor.press(await asked(visitor, "resume"), "Resume the license")
        resumed = await released(licensed.cluster)
        ended = await visitor.press(await asked(visitor, "terminate"), "End the license for good")

    assert resumed == 3
    assert "Terminated" in ended.text
    assert "Nothing can be done with it by your roles as it stands." in ended.text
    assert [step for step, *_ in await steps(licensed)] == [8, 7, 6, 3, 1]


async def test_a_form_that_is_sent_twice_suspends_once(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await asked(visitor, "suspend")
        first = await visitor.press(page, "Suspend the license", {"reason": "Once."})
        again = await visitor.press(page, "Suspend the license", {"reason": "Once."})

    assert "is suspended" in first.text
    assert "is suspended" in again.text
    assert [step for step, *_ in await steps(licensed)] == [6, 3, 1]


async def test_what_has_changed_since_it_was_looked_at_is_not_carried_out(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        before = await asked(visitor, "terminate")
        await licensed.cluster.amend(limit=9)
        of_another_version = await visitor.press(before, "End the license for good", {"reason": "Old."})
        page = await asked(visitor, "terminate")
        await licensed.cluster.suspend()
        of_another_state = await visitor.press(page, "End the license for good")
        shown_anew = await visitor.press(of_another_state, "End the license for good")

    assert of_another_version.status == of_another_state.status == 409
    assert NOT_DONE in of_another_version.text
    assert NOT_DONE in of_another_state.text
    assert "Old." in of_another_version.html
    assert "has ended" in shown_anew.text


@pytest.mark.parametrize(
    ("reason", "said"), [("A leak.\f!", UNPRINTABLE), ("ä" * 1001, TOO_LONG), ("ä" * 3000, TOO_LONG)]
)
async def test_a_reason_that_cannot_be_kept_is_shown_again_with_what_is_wrong_with_it(
    licensed: PagesWorld, reason: str, said: str
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.press(await asked(visitor, "suspend"), "Suspend the license", {"reason": reason})
        after = await visitor.press(page, "Suspend the license", {"reason": "ä" * 1000})

    assert (page.status, said in page.text) == (400, True)
    assert f">{reason}</textarea>" in page.html
    assert "is suspended" in after.text


async def test_a_license_that_somebody_else_has_suspended_meanwhile_is_shown_as_it_stands(
    licensed: PagesWorld,
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await asked(visitor, "suspend")
        await licensed.cluster.suspend()
        after = await visitor.press(page, "Suspend the license")

    assert after.status == 409
    assert NOT_DONE in after.text
    assert "A license that stands so cannot be changed in this way." in after.text


async def test_a_form_of_another_license_or_step_suspends_nothing(licensed: PagesWorld) -> None:
    await licensed.cluster.license("other")

    async with licensed.operator() as (visitor, _):
        form = (await asked(visitor, "suspend")).form("Suspend the license")
        targets = ["/licenses/other/suspend", f"{ACME}/terminate"]
        sent = [await visitor.send(PageForm(target, "post"), form.fields) for target in targets]

    assert [(page.status, "FORM_STALE" in page.text) for page in sent] == [(409, True)] * 2
    assert [step for step, *_ in await steps(licensed)] == [3, 1]


async def test_a_role_that_may_not_suspend_is_told_so_and_suspends_nothing(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _), licensed.operator("fay", ["finance"]) as (other, _):
        form = (await asked(visitor, "suspend")).form("Suspend the license")
        license = await other.get(ACME)
        page = await asked(other, "suspend")
        forced = await other.send(form, form.fields)

    assert "Suspend the license" not in license.text
    assert "It is open to: admin, legal, trust." in page.text
    assert forced.status in {403, 409}
    assert (await standing(licensed)).state == 2


async def test_whoever_is_signed_out_suspends_nothing(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await asked(visitor, "suspend")
        visitor.http.cookies.clear()
        after = await visitor.press(page, "Suspend the license")

    assert after.status == 401
    assert (await standing(licensed)).state == 2


async def test_l3_what_is_used_of_each_allowance_is_told_in_numbers_and_as_a_bar(
    licensed: PagesWorld,
) -> None:
    await released(licensed.cluster)

    async with licensed.operator() as (visitor, _):
        listed = await visitor.get("/licenses")
        page = await visitor.get(ACME)
    licensed.cluster.clock.advance(DAY_US)
    async with licensed.operator() as (visitor, _):
        later = await visitor.get(ACME)

    for each in (listed, page):
        assert "Under this license in any 24 hours 3 of 4 posts (75 %)" in each.text
        assert (
            "By the licensee and those counted with it in the whole term 3 of 1,000 posts (0 %)" in each.text
        )
        assert '<meter min="0" max="4"' in each.html
    assert "0 of 4 posts (0 %)" in later.text
    assert "3 of 1,000 posts" in later.text


async def test_a_full_window_says_so_in_words(world: PagesWorld) -> None:
    await open_to_all(world.cluster)
    await world.cluster.license(limit=3)
    await released(world.cluster)

    async with world.operator() as (visitor, _):
        page = await visitor.get("/licenses")

    assert "3 of 3 posts (100 %)" in page.text
    assert "<strong>full</strong>" in page.html


async def test_the_terms_are_told_in_words(world: PagesWorld) -> None:
    await world.cluster.license(
        languages=["en", "de"],
        author_jurisdictions=["US-CA", "DE"],
        price=a_price("EUR", "0.000125"),
    )

    async with world.operator() as (visitor, _):
        page = await visitor.get(ACME)

    for said in (
        "Training of generative AI",
        "German (de) English (en)",
        "Germany United States (CA)",
        "Within 30 days",
        "Every month, by the time of Europe/Paris Posts: 0.000125 EUR a post",
    ):
        assert said in page.text, said


async def test_a_version_that_waits_and_who_changed_what_are_shown(licensed: PagesWorld) -> None:
    await licensed.cluster.amend(limit=9, at_us=licensed.cluster.clock.now_us() + DAY_US)

    async with licensed.operator() as (visitor, _):
        page = await visitor.get(ACME)

    assert "Version 2 is in force from" in page.text
    assert "Given the time from which it is in force" in page.text
    assert "Amended: another version was drafted" in page.text


async def test_licenses_are_listed_by_state_and_by_licensee(licensed: PagesWorld) -> None:
    await a_licensee(licensed.cluster, "beta", "Beta")
    await a_draft(licensed.cluster, "beta-draft", "beta")

    async with licensed.operator() as (visitor, _):
        everything = await visitor.get("/licenses")
        active = await visitor.press(everything, "Show", {"state": "2"})
        of_beta = await visitor.press(everything, "Show", {"licensee": "beta"})
        none = await visitor.press(everything, "Show", {"state": "5"})

    assert all(each in everything.text for each in ("acme-training", "beta-draft"))
    assert ("acme-training" in active.text, "beta-draft" in active.text) == (True, False)
    assert ("acme-training" in of_beta.text, "beta-draft" in of_beta.text) == (False, True)
    assert "There is none." in none.text


@pytest.mark.parametrize("query", ["state=7", "state=x", "licensee=A%20B", "licensee=%3Cscript%3E"])
async def test_a_filter_that_says_nothing_is_pointed_out(world: PagesWorld, query: str) -> None:
    async with world.operator() as (visitor, _):
        page = await visitor.get(f"/licenses?{query}")

    assert page.status == 400
    assert 'class="fault" role="alert"' in page.html
    assert "<script>" not in page.html.partition("<main")[2]


@pytest.mark.parametrize(
    "path",
    ["nobody", "NOT-AN-ID", "%00", "a%20b", "x" * 100, "acme-training/nonsense", "acme-training/suspend/x"],
)
async def test_an_address_that_names_nothing_is_a_page_that_is_not_there(
    licensed: PagesWorld, path: str
) -> None:
    async with licensed.operator() as (visitor, _):
        page = await visitor.get(f"/licenses/{path}")

    assert page.status == 404
    assert "There is no such page" in page.text


async def test_a_huge_list_comes_page_by_page(world: PagesWorld) -> None:
    await a_licensee(world.cluster, "beta", "Beta")
    for number in range(51):
        await a_draft(world.cluster, f"license-{number:02}", "beta")

    async with world.operator() as (visitor, _):
        first = await visitor.get("/licenses?licensee=beta")
        following = first.html.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        last = await visitor.get(following.replace("&amp;", "&"))
        nonsense = await visitor.get("/licenses?page=nonsense")

    assert ("license-49" in first.text, "license-50" in first.text) == (True, False)
    assert ("license-49" in last.text, "license-50" in last.text) == (False, True)
    assert "Back to the first page" in last.text
    assert nonsense.status == 400


async def test_while_metering_is_down_a_license_is_shown_and_can_be_stopped(licensed: PagesWorld) -> None:
    async with a_console(licensed, without=["metering"]) as (visitor, _):
        listed = await visitor.get("/licenses")
        page = await visitor.get(ACME)
        after = await visitor.press(await asked(visitor, "suspend"), "Suspend the license")

    assert [each.status for each in (listed, page)] == [200, 200]
    assert "This part cannot be reached at the moment." in listed.text
    assert "posts (" not in page.text
    assert "is suspended" in after.text


async def test_while_licensing_is_down_the_page_says_so_and_changes_nothing(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        page = await asked(visitor, "suspend")
        await licensed.cluster.licensing.drain()
        read = await visitor.get(ACME)
        sent = await visitor.press(page, "Suspend the license")

    assert read.status == sent.status == 503
    assert "A service cannot be reached at the moment" in read.text


async def test_a_name_with_script_in_it_is_text(world: PagesWorld) -> None:
    await a_licensee(world.cluster, "beta", SCRIPT)
    await a_draft(world.cluster, "beta-draft", "beta")

    async with world.operator() as (visitor, _):
        pages = [
            await visitor.get(path)
            for path in ("/licenses", "/licenses/beta-draft", "/licensees", "/licensees/beta")
        ]

    assert all(SCRIPT in page.text for page in pages)
    assert all("<script>alert" not in page.html for page in pages)


async def test_numbers_and_words_are_in_the_readers_form(licensed: PagesWorld) -> None:
    async with licensed.operator(language="de-DE") as (visitor, _):
        page = await visitor.get(ACME)

    assert "1.000" in page.text
    assert "Deutschland" not in page.text
    assert "01.01.1970" in page.text


async def test_a_licensees_token_opens_no_page_of_the_console(licensed: PagesWorld) -> None:
    token = licensed.cluster.licensing.token(PrincipalKind.LICENSEE, "acme")

    async with Visitor(licensed.console) as visitor:
        page = await visitor.sign_in(licensed.links.make(token))
        after = await visitor.get(ACME)

    assert page.status == 403
    assert "/sign-in" in after.url


async def test_a_forged_form_is_not_carried_out(licensed: PagesWorld) -> None:
    async with licensed.operator() as (visitor, _):
        form = (await asked(visitor, "suspend")).form("Suspend the license")
        forged = {**form.fields, "form": form.fields["form"][:-4] + "AAAA"}
        page = await visitor.send(form, forged)

    assert page.status == 409
    assert "FORM_STALE" in page.text
    assert (await standing(licensed)).state == 2
