"""Sentences about what was done, as pages show them."""

from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from services.console.web.reading import reader_of
from services.console.web.sessions import Seal
from services.console.web.telling import as_told, kept, moment_in

MOMENT = datetime(2026, 11, 26, 15, 39, 48, tzinfo=UTC)


def test_a_time_in_a_sentence_is_shown_as_all_others_of_the_page() -> None:
    told = as_told(reader_of("de-DE"), f"In Kraft ab {moment_in(MOMENT)}.")

    assert told == (
        'In Kraft ab <time datetime="2026-11-26T15:39:48+00:00" data-precise>26.11.2026, 15:39:48 UTC</time>.'
    )


def test_everything_else_in_it_is_text() -> None:
    assert as_told(reader_of("en"), "To <b>Acme</b> & Co") == "To &lt;b&gt;Acme&lt;/b&gt; &amp; Co"


@pytest.mark.parametrize("letter", ["a", "\u00e9", "\u65e5", "\U0001f600", '"', "\x02"])
def test_what_is_told_is_no_more_than_a_browser_keeps(letter: str) -> None:
    seal = Seal([Fernet.generate_key()])

    sealed = seal.seal("told", ["a" * 22, kept(letter * 4_000)])

    assert len("__Host-sluice-settings-told") + len(sealed) <= 4_096


def test_what_a_browser_keeps_is_told_whole() -> None:
    assert kept("") == ""
    assert kept("\u00e9" * 1_450) == "\u00e9" * 1_450


def test_half_a_time_is_not_told() -> None:
    before = "a" * 2_870

    told = kept(f"{before}{moment_in(MOMENT)}.")

    assert told == f"{before}\u2026"
