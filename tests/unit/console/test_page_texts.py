"""The texts of a platform are known by the digest of their bytes, and shown in the reader's language."""

import hashlib
from pathlib import Path

import pytest

from services.chassis.refusals import Refusal
from services.console.settings_page.texts import LARGEST_BYTES, Texts


def some(folder: Path, **texts: str) -> Texts:
    """A folder of notices, by language; "plain" says none."""
    for language, content in texts.items():
        ending = ".txt" if language == "plain" else f".{language}.txt"
        (folder / f"notice{ending}").write_text(content)
    return Texts.read(folder)


def digests(*contents: str) -> list[bytes]:
    return [hashlib.sha256(content.encode()).digest() for content in contents]


def test_a_text_is_found_by_the_digest_of_its_bytes(tmp_path: Path) -> None:
    texts = some(tmp_path, de="Ja\r\nund nein\r\n\r\nEnde\n")

    found = texts.find(hashlib.sha256((tmp_path / "notice.de.txt").read_bytes()).digest())

    assert found is not None
    assert (found.name, found.language) == ("notice", "de")
    assert found.paragraphs == ("Ja\nund nein", "Ende")
    assert texts.find(bytes(32)) is None


def test_of_the_notices_that_are_accepted_the_readers_language_is_shown(tmp_path: Path) -> None:
    texts = some(tmp_path, en="Hello", de="Hallo")

    accepted = texts.notice(digests("Hello", "Hallo"), "de")

    assert accepted is not None
    assert accepted.content == "Hallo"


def test_a_notice_that_the_policy_does_not_accept_is_not_shown_in_any_language(tmp_path: Path) -> None:
    texts = some(tmp_path, en="Hello", de="Hallo")

    shown = texts.notice(digests("Hello"), "de")

    assert shown is not None
    assert shown.language == "en"
    assert texts.notice(digests("Hola"), "de") is None
    assert texts.notice([], "en") is None


def test_a_reader_of_another_language_is_shown_english_and_else_what_there_is(tmp_path: Path) -> None:
    texts = some(tmp_path, plain="Bonjour", de="Hallo", en="Hello")

    english = texts.notice(digests("Hallo", "Bonjour", "Hello"), "es")
    first = texts.notice(digests("Bonjour", "Hallo"), "es")

    assert english is not None
    assert english.content == "Hello"
    assert first is not None
    assert (first.content, first.language) == ("Bonjour", "")


def test_what_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "notice.en.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(Refusal, match=r"TEXT_UNREADABLE: .*notice\.en\.txt is not in UTF-8"):
        Texts.read(tmp_path)

    (tmp_path / "notice.en.txt").write_bytes(b"a" * (LARGEST_BYTES + 1))
    with pytest.raises(Refusal, match="TEXT_UNREADABLE"):
        Texts.read(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="TEXTS_MISSING"):
        Texts.read(tmp_path / "nowhere")
