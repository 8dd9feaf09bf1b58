"""The catalogues have what the sources say, all of it translated, and nothing else."""

import re
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message

from services.console.web import catalogues
from services.console.web.reading import LANGUAGES, msgid, reader_of
from tests.support.untranslated import forms

TRANSLATED = LANGUAGES[1:]
_NAMED = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module")
def sources() -> Catalog:
    """What the sources say."""
    return catalogues.extracted()


def entries(language: str) -> Iterator[Message]:
    """Those of a catalogue, but for its head."""
    return (each for each in catalogues.read(language) if each.id)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_what_make_words_would_write(language: str, sources: Catalog) -> None:
    file = catalogues.catalogue_file(language)

    assert file.read_bytes() == catalogues.written(language, catalogues.updated(language, sources))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_has_every_text_of_the_sources_and_no_other(language: str, sources: Catalog) -> None:
    said = {forms(each.id) for each in sources if each.id}

    assert len(said) > 700
    assert {forms(each.id) for each in entries(language)} == said


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_and_none_by_guess(language: str) -> None:
    missing = [each.id for each in entries(language) if each.fuzzy or not all(forms(each.string))]

    assert missing == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_of_a_number_has_all_forms_that_its_catalogue_counts(language: str) -> None:
    plurals = [each for each in entries(language) if each.pluralizable]

    assert plurals
    assert {len(forms(each.string)) for each in plurals} == {catalogues.read(language).num_plurals}


@pytest.mark.parametrize(
    ("tag", "said"), [("de", ["1 Beitrag", "0 Beiträge"]), ("es", ["1 publicación", "0 publicaciones"])]
)
def test_a_text_of_a_number_agrees_with_it(tag: str, said: list[str]) -> None:
    translations = reader_of(tag).translations

    assert [translations.ngettext("%(n)s post", "%(n)s posts", n) % {"n": n} for n in (1, 0)] == said


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_what_its_text_does(language: str) -> None:
    catalogue = catalogues.read(language)

    assert [fault for each in catalogue for fault in each.check(catalogue)] == []
    for each in entries(language):
        for text, translated in zip(forms(each.id), forms(each.string), strict=True):
            assert sorted(_NAMED.findall(translated)) == sorted(_NAMED.findall(text)), text
            assert _NAMED.sub("", translated).count("%") == _NAMED.sub("", text).count("%"), text


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_has_nothing_that_means_something_in_html(language: str) -> None:
    # Templates take translations as HTML that is safe, also within attributes.
    said = [text for each in entries(language) for text in forms(each.string)]

    assert [text for text in said if set('<>&"') & set(text)] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_begins_and_ends_as_its_text_does(language: str) -> None:
    # Pages put a value after a colon and another sentence after a point.
    for each in entries(language):
        for text, translated in zip(forms(each.id), forms(each.string), strict=True):
            assert translated == translated.strip(), text
            assert (text[-1] == ".") == (translated[-1] == "."), text
            assert (text[-1] == "?") == (translated[-1] == "?"), text
            assert translated[-1] == ":" or text[-1] != ":", text


def test_a_reader_is_spoken_to_in_their_language() -> None:
    said = [reader_of(tag).say("Your posts may not be used to train AI.") for tag in ("en-GB", "de-AT", "es")]

    assert said == [
        "Your posts may not be used to train AI.",
        "Ihre Beiträge dürfen nicht zum Training von KI verwendet werden.",
        "Sus publicaciones no pueden usarse para entrenar IA.",
    ]


def test_what_no_catalogue_has_is_said_in_english() -> None:
    assert reader_of("de").say("A sentence of nobody's.") == "A sentence of nobody's."


def test_the_mark_of_a_text_is_the_text() -> None:
    assert msgid("Overview") == "Overview"
