"""Every page speaks the language of its reader, and nothing else: found by following links."""

import contextlib
import gettext
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from services.console.web.reading import reader_of
from sluice.consent.v1 import choice_pb2, policy_pb2
from tests.support.choosing_pages import a_policy, an_informed, say
from tests.support.cluster import DAY_US, a_post
from tests.support.crawling import pages_from
from tests.support.oversight import Recalls, an_assessment, disputed, propose, resolve
from tests.support.pages import Seen, Visitor
from tests.support.pages_licensing import a_draft, a_licensee, a_price, invoiced
from tests.support.pages_world import PagesWorld
from tests.support.untranslated import Texts, untranslated

LANGUAGES = ["de-DE", "es-ES"]
ME = 7
OF_SUBJECT = ["/received", "/data/kantara", "/nowhere", "/?page=x", "/history?page=x", "/sign-in"]
"""Pages that no link leads to, and some that cannot be made."""
OF_AGENT = ["/agent?page=x"]
OF_OPERATOR = [
    *(
        "/decisions?since=x",
        "/decisions?license=%20x&outcome=9",
        "/decisions/find?q=x",
        "/decisions/find?q=1",
    ),
    *("/licenses?state=9", "/licensees?page=x", "/revenue?from=x", "/revenue?from=2026-02&to=2026-01"),
    *("/halts?show=all", "/halts/order", "/halts/order?kind=everything&recall=yes"),
    *("/halts/order?kind=purpose&purpose=2", "/halts/order?kind=jurisdiction&jurisdiction=US-CA"),
    *("/halts/order?kind=licensee&licensee=nobody", "/halts/order?kind=jurisdiction&jurisdiction=x"),
    *("/wall/raise", "/wall/raise?hours=24&tier=1&tier=3", "/wall/lower"),
    *("/log/consistency?first=1&second=2", "/log/consistency?first=x", "/log/consistency?first=9&second=2"),
    *("/recalls?which=soon", "/recalls?which=all", "/recalls?which=x", "/recalls/gaps"),
    *("/damages?kind=group&id=x", "/actions?operator=ada", "/actions?since=x", "/nowhere"),
]


class Lacking(gettext.NullTranslations):
    """Takes down every text that a page says and its catalogue does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()

    def gettext(self, message: str) -> str:
        self.texts.add(message)
        return message

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        self.texts.add(singular)
        return singular if n == 1 else plural


@pytest.fixture
def lacking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lacking:
    """What the catalogue of the test's language lacks."""
    found = Lacking()
    language: str = request.getfixturevalue("language")
    # `add_fallback` is for good, and the catalogue is one for all tests.
    monkeypatch.setattr(reader_of(language).translations, "_fallback", found)
    return found


async def on_record(world: PagesWorld) -> None:
    """Choices, licenses, releases, halts and the wall."""
    cluster = world.cluster
    await cluster.license()
    await a_policy(cluster, policy_pb2.REGIME_OPT_OUT, {5: policy_pb2.REGIME_OPT_IN})
    await an_informed(cluster, ME)
    await cluster.license("in-euro", price=a_price())
    await cluster.decide([a_post(101, ME), a_post(102, ME), a_post(103, 8)])
    await invoiced(cluster, "in-euro")
    await a_licensee(cluster, "birch", "Birch")
    await a_draft(cluster, "birch-draft", "birch")
    await cluster.suspend("in-euro")
    await say(cluster, choice_pb2.STANCE_DENY, licensee_id="birch")
    await a_policy(cluster, policy_pb2.REGIME_PROHIBITED, in_us=DAY_US)
    async with world.operator() as (visitor, _):
        page = await visitor.get("/halts/order?kind=jurisdiction&jurisdiction=US-CA&recall=yes")
        await visitor.press(page, "Order the halt", {"cause": "-"})
        page = await visitor.get("/wall/raise?hours=24&tier=1&tier=2")
        await visitor.press(page, "Raise the wall", {"reason": "-"})


async def overseen(world: PagesWorld) -> None:
    """Recalls and damages."""
    recalls = await Recalls.begin(world.cluster)
    ended = [recalls.issue(days) for days in (20, 2, -3, 10)][-1]
    await resolve(world.cluster, ended, "Done.", outcome=4)
    await propose(world.cluster, await disputed(world.cluster), kind=4)
    await an_assessment(world.cluster, "beta", jurisdiction="DE")


async def seen_by(come_in: Any, more: Sequence[str]) -> AsyncIterator[Seen]:
    """Every page that somebody can come to, and those at these addresses."""
    visitor: Visitor
    async with come_in as (visitor, first):
        async for page in pages_from(visitor, first):
            yield page
        for path in more:
            yield await visitor.get(path)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["subject", "agent", "operator", "overseer"])
async def test_a_page_says_nothing_in_another_language_than_its_readers(
    world: PagesWorld, lacking: Lacking, language: str, who: str
) -> None:
    await (overseen if who == "overseer" else on_record)(world)
    coming = {
        "subject": (world.subject(ME, language), OF_SUBJECT),
        "agent": (world.agent(ME, 8, language=language), OF_AGENT),
        "operator": (world.operator(language=language), OF_OPERATOR),
        "overseer": (world.operator("kim", language=language), OF_OPERATOR),
    }
    english: dict[str, list[str]] = {}
    languages = set[str]()

    async with contextlib.aclosing(seen_by(*coming[who])) as pages:
        async for page in pages:
            languages.add(Texts(page).language)
            if found := untranslated(page, language[:2]):
                english[page.url] = found

    assert english == {}
    assert lacking.texts == set()
    assert languages == {language}


async def test_what_is_not_translated_is_noticed(world: PagesWorld) -> None:
    async with world.operator(language="en-GB") as (visitor, first):
        halts = await visitor.get("/halts")

    assert {"Overview", "Sign out"} <= set(untranslated(first, "de"))
    assert "A halt stops releases whatever anybody chose." in untranslated(halts, "es")
