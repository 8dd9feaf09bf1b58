"""The control that was promised, pressed in a real browser; and what operators see of it."""

from playwright.async_api import Browser

from sluice.consent.v1.reason_pb2 import CONSENT_REASON_CHOICE_DENIES
from sluice.licensing.v1 import release_service_pb2 as releases_pb
from tests.support.browser import Watched
from tests.support.pages_fleet import LICENSEES, NOTICES, PagesFleet, license_of
from tests.support.waiting import until_told

RELEASED, DENIED = releases_pb.OUTCOME_RELEASED, releases_pb.OUTCOME_DENIED
ALL_TRAINING = "AI training, for everyone"


async def test_c9_who_opts_out_on_the_page_is_in_no_release_from_then_on(
    fleet: PagesFleet, browser: Browser
) -> None:
    before = await fleet.decide(license_of("acme"), 1)

    async with fleet.subject(browser, 1) as page:
        await page.press(ALL_TRAINING, role="switch")
        said = await page.text()
        after = [await fleet.decide(license_of(licensee), 1) for licensee in LICENSEES]
        switch = page.page.get_by_role("switch", name=ALL_TRAINING, exact=True)
        checked = await switch.get_attribute("aria-checked")

    assert before.outcome == RELEASED
    assert [each.outcome for each in after] == [DENIED] * len(LICENSEES)
    assert "may not be used to train AI" in said
    assert "It is in force from" in said
    assert checked == "false"
    assert page.faults == []


async def test_c2_a_yes_for_one_licensee_releases_to_that_one_only(
    fleet: PagesFleet, browser: Browser
) -> None:
    async with fleet.subject(browser, 2) as page:
        await page.press(ALL_TRAINING, role="switch")
        await page.press(f"AI training, for {LICENSEES['acme']}", role="switch")
        asked = await page.text()
        await page.press("Say yes to this")
        acme, beta = [await fleet.decide(license_of(each), 2) for each in ("acme", "beta")]

    assert NOTICES["en"].split("\n")[0] in asked
    assert (acme.outcome, beta.outcome) == (RELEASED, DENIED)
    assert page.faults == []


async def test_the_switch_works_by_keyboard_and_without_scripts(fleet: PagesFleet, browser: Browser) -> None:
    async with fleet.subject(browser, 3, scripts=False) as page:
        for _ in range(40):
            await page.page.keyboard.press("Tab")
            focused = page.page.locator(":focus")
            if await focused.get_attribute("role") == "switch":
                break
        async with page.page.expect_navigation():
            await page.page.keyboard.press("Enter")
        said = await page.text()
    decision = await fleet.decide(license_of("acme"), 3)

    assert "may not be used to train AI" in said
    assert decision.outcome == DENIED


async def test_the_console_shows_both_with_their_reasons_and_traces(
    fleet: PagesFleet, browser: Browser
) -> None:
    async with fleet.subject(browser, 4) as page:
        await page.press(ALL_TRAINING, role="switch")
    released, denied = await fleet.decide(license_of("acme"), 5), await fleet.decide(license_of("acme"), 4)

    async with fleet.operates(browser) as console:
        await console.open("/decisions")
        listed = await console.page.content()
        shown = [await _shown(console, decision) for decision in (released, denied)]

    assert released.decision_id in listed
    assert denied.decision_id in listed
    assert denied.reasons != released.reasons
    assert "Released" in shown[0]
    assert "Denied" in shown[1]
    assert "a contributor has said no" in shown[1].lower() or str(CONSENT_REASON_CHOICE_DENIES) in shown[1]
    for text in shown:
        assert "CheckConsent" in text
    assert console.faults == []


async def test_l4_a_license_that_is_suspended_on_the_console_shows_at_once_and_releases_nothing(
    fleet: PagesFleet, browser: Browser
) -> None:
    gamma = license_of("gamma")
    before = await fleet.decide(gamma, 6)

    async with fleet.operates(browser, "ada") as ada, fleet.operates(browser, "ben") as ben:
        await ben.open(f"/licenses/{gamma}")
        await ada.open(f"/licenses/{gamma}")
        await ada.press("Suspend the license…", role="link")
        await ada.page.get_by_role("textbox").fill("seen in an emergency")
        async with ada.page.expect_navigation(url=f"{ada.origin}/licenses/{gamma}"):
            await ada.page.locator("main form[method=post] button").click()
        after = await fleet.decide(gamma, 6)
        await ben.page.reload()
        seen = await ben.text()

    assert (before.outcome, after.outcome) == (RELEASED, DENIED)
    assert "Suspended" in seen
    assert "seen in an emergency" in seen
    assert ada.faults == ben.faults == []


async def _shown(console: Watched, decision: releases_pb.Decision) -> str:
    """Its page, once its spans are written, which is beside the answer."""

    async def whole() -> bool:
        await console.open(f"/decisions/{decision.decision_id}")
        return "CheckConsent" in await console.text()

    await until_told(whole, "the trace is there")
    return await console.text()
