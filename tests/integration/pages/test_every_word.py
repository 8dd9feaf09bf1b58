"""Every page speaks the language of its reader, and nothing else: found by following links."""

import contextlib
import gettext
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from services.console.web.reading import reader_of
from tests.support.crawling import pages_from
from tests.support.full_worlds import ME, OF_AGENT, OF_OPERATOR, OF_SUBJECT, on_record, overseen
from tests.support.pages import Seen, Visitor
from tests.support.pages_world import PagesWorld
from tests.support.untranslated import Texts, untranslated

LANGUAGES = ["de-DE", "es-ES"]


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


async def seen_by(come_in: Any, more: Sequence[str]) -> AsyncGenerator[Seen]:
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
