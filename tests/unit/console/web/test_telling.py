"""Sentences about what was done, as pages show them."""

from datetime import UTC, datetime

from services.console.web.reading import reader_of
from services.console.web.telling import as_told, moment_in

MOMENT = datetime(2026, 11, 26, 15, 39, 48, tzinfo=UTC)


def test_a_time_in_a_sentence_is_shown_as_all_others_of_the_page() -> None:
    told = as_told(reader_of("de-DE"), f"In Kraft ab {moment_in(MOMENT)}.")

    assert told == (
        'In Kraft ab <time datetime="2026-11-26T15:39:48+00:00" data-precise>26.11.2026, 15:39:48 UTC</time>.'
    )


def test_everything_else_in_it_is_text() -> None:
    assert as_told(reader_of("en"), "To <b>Acme</b> & Co") == "To &lt;b&gt;Acme&lt;/b&gt; &amp; Co"
