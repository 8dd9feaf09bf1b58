"""The pages of records and of an agent in a real browser: on phones, by night, without scripts."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload

from services.chassis.identity import PrincipalKind
from services.licensing.issuing import Issuer
from sluice_gate import load_keys
from sluice_gate.verifying.manifest_proofs import read_manifest_proof, verify_manifest_proof
from tests.integration.licensing.test_recalls import MINUTE_US, catch_up
from tests.support.browser import Watched, a_browser, watched
from tests.support.choosing_pages import OPT_OUT, SERVED, Fragile, a_licensee, a_policy, a_settings_page
from tests.support.cluster import Cluster, a_cluster, a_post
from tests.support.keys import some_keys
from tests.support.page_texts import some_texts
from tests.support.pages_world import PagesWorld, pages_over
from tests.support.served_pages import served

SUBJECT, FIRST_POST = 7, 1_861_234_567_890_123_456
LONG_NAME = "<script>Birch</script> Researchanddevelopmentofextraordinarilylongnames GmbH & Co. KG"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[PagesWorld]:
    """A subject with two releases, one recalled, and a yes afterwards."""
    async with a_cluster(tmp_path) as cluster, pages_over(cluster, tmp_path) as world:
        await a_policy(cluster, OPT_OUT)
        await cluster.know(*range(1, 41), notice_digests=[SERVED])
        await a_licensee(cluster, "acme", "Acme")
        await a_licensee(cluster, "birch", LONG_NAME)
        await _release_and_recall(cluster)
        yield world


async def _release_and_recall(cluster: Cluster) -> None:
    decision = await cluster.decide([a_post(FIRST_POST + number, SUBJECT) for number in range(30)])
    await cluster.confirm(decision.decision_id, bytes([255, 255, 3, 0]))
    await cluster.decide([a_post(1, SUBJECT), a_post(2, 8)], license_id="birch-training")
    await cluster.opt_out(SUBJECT)
    await catch_up(cluster)
    cluster.clock.advance(MINUTE_US)
    await cluster.task(Issuer).look()
    await cluster.opt_in(SUBJECT)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with a_browser() as chromium:
        yield chromium


@contextlib.asynccontextmanager
async def come_in(
    world: PagesWorld, folder: Path, browser: Browser, token: str, *, scripts: bool = True
) -> AsyncIterator[Watched]:
    services, texts = Fragile(world.cluster), some_texts(folder / "texts")
    async with (
        served(lambda origin: a_settings_page(world, services, texts, origin)) as origin,
        watched(browser, origin, scripts=scripts) as seen,
    ):
        await seen.open(f"/sign-in/link?code={world.links.make(token)}")
        await seen.press("Sign in")
        yield seen


async def test_the_pages_of_records_fit_and_can_be_used_by_everybody(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, str(SUBJECT))

    async with come_in(world, tmp_path, browser, token) as seen:
        await seen.press("Earlier choices", role="link")
        await seen.check("settings-history")
        await seen.press("Who received your posts", role="link")
        for summary in await seen.page.locator("summary").all():
            await summary.click()
        await seen.check("settings-received")
        await seen.press("Your data", role="link")
        await seen.check("settings-data")


async def test_r4_a_proof_and_all_records_are_downloaded_without_scripts(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    token = world.cluster.licensing.token(PrincipalKind.SUBJECT, str(SUBJECT))

    async with come_in(world, tmp_path, browser, token, scripts=False) as seen:
        await seen.open("/received")
        await seen.page.locator("summary").last.click()
        proof = await _downloaded(seen, "Proof of your posts in it")
        await seen.open("/data")
        records = await _downloaded(seen, "Download: All records")

    keys = load_keys(some_keys(tmp_path).receipt_jwks)
    shown = verify_manifest_proof(read_manifest_proof(proof.read_bytes()), SUBJECT, keys)
    assert shown.posts == tuple(FIRST_POST + number for number in range(30))
    assert json.loads(records.read_bytes())["subject_id"] == str(SUBJECT)
    assert records.name == "records-json-2025-10-09.json"


async def test_an_agent_says_no_for_a_list_and_yes_to_the_notice(
    world: PagesWorld, tmp_path: Path, browser: Browser
) -> None:
    subjects = [*range(1, 31), 10**18 + 7]
    token = world.cluster.licensing.token(PrincipalKind.AGENT, "helper", subjects=subjects)

    async with come_in(world, tmp_path, browser, token) as seen:
        await seen.check("agent")
        await seen.page.get_by_label("For those in this list").check()
        await seen.page.get_by_label("Their ids, one a line").fill("1\n2\nbob\n99999999999")
        file = FilePayload(name="them.csv", mimeType="text/csv", buffer=b"subject_id\n4\n5\n")
        await seen.page.locator("#file").set_input_files(file)
        await seen.press("Go on: see for whom it would be")
        await seen.check("agent-check")
        await seen.press("Say no for 4 people")
        await seen.check("agent-recorded")
        await seen.press("Back to those you act for", role="link")
        await seen.page.get_by_label("For all I act for").check()
        await seen.page.get_by_label("AI training is allowed").check()
        await seen.press("Go on: see for whom it would be")
        await seen.check("agent-notice")
        asked = await seen.text()
        await seen.page.get_by_label("Take back the no of 4").check()
        await seen.press("Say yes for 26 people, and for those ticked")
        recorded = await seen.text()

    assert "4 people have said no" in asked
    assert "For 1 person a yes can change nothing" in asked, "nobody knows the last of them"
    assert "Recorded: 27 of 27." in recorded


async def _downloaded(seen: Watched, link: str) -> Path:
    """Follows a link to a file; that, as it was called."""
    async with seen.page.expect_download() as coming:
        await seen.page.get_by_role("link", name=link).last.click()
    download = await coming.value
    kept = Path(await download.path()).with_name(download.suggested_filename)
    await download.save_as(kept)
    return kept
