"""The reader of a header that anybody may have written, and what they are used to."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.web.reading import LANGUAGES, reader_of


@pytest.mark.parametrize(
    ("accepted", "written"),
    [
        ("en", "1,295"),
        ("de", "1.295"),
        ("es-MX", "1,295"),
        ("es-CR", "1 295"),
        ("es-CR", "1\xa0295"),
        ("es", "1295"),
    ],
)
def test_a_number_is_read_as_its_reader_writes_it(accepted: str, written: str) -> None:
    assert reader_of(accepted).ungrouped(written) == "1295"


def test_what_others_write_as_a_separator_is_left_in_a_number() -> None:
    assert reader_of("de").ungrouped("1,295") == "1,295"


PIECES = st.lists(
    st.sampled_from(
        [
            *("de", "es", "en", "fr", "-", "_", "AT", "419", "Latn", "x", "*", "root", "zh-Hant-TW", "@euro"),
            *(",", ";", "q=", ";q=", "0.5", "nan", "inf", "-1", "1e999", " ", "\t", "\u00e9", "."),
        ]
    ),
    max_size=10,
).map("".join)


@given(PIECES | st.text(max_size=60), PIECES)
def test_every_header_has_a_reader(accepted: str, chosen: str) -> None:
    reader = reader_of(accepted, chosen)

    assert reader.language in LANGUAGES
    assert reader.number(1234)


@pytest.mark.parametrize(
    ("accepted", "chosen", "tag"),
    [
        ("", "", "en"),
        ("de-AT,de;q=0.9,en;q=0.8", "", "de-AT"),
        ("en;q=0.8,es-MX;q=0.9", "", "es-MX"),
        ("fr-CA,es;q=0.1", "", "es"),
        ("de;q=0,en-GB", "", "en-GB"),
        ("de-AT", "es", "es"),
        ("de-AT,es-AR;q=0.2", "es", "es-AR"),
        ("de", "xx", "de"),
        ("de-XX,de-CH", "", "de-CH"),
        ("zz-ZZ", "", "en"),
        ("de; q=0.1, es; q=0.9", "", "es"),
    ],
)
def test_the_language_is_the_chosen_or_else_the_preferred_one(accepted: str, chosen: str, tag: str) -> None:
    assert reader_of(accepted, chosen).tag == tag


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        (
            "en-US",
            [
                *("1,234,567.5", "$15,000.50", "March 1, 2026"),
                *("Mar 1, 2026, 2:05:09\N{NARROW NO-BREAK SPACE}PM UTC", "United States (CA)"),
            ],
        ),
        (
            "en-GB",
            [
                *("1,234,567.5", "US$15,000.50", "1 March 2026"),
                *("1 Mar 2026, 14:05:09 UTC", "United States (CA)"),
            ],
        ),
        (
            "de-DE",
            [
                *("1.234.567,5", "15.000,50\N{NO-BREAK SPACE}$", "1. März 2026"),
                *("01.03.2026, 14:05:09 UTC", "Vereinigte Staaten (CA)"),
            ],
        ),
        (
            "es-ES",
            [
                *("1.234.567,5", "15.000,50\N{NO-BREAK SPACE}US$", "1 de marzo de 2026"),
                *("1 mar 2026, 14:05:09 UTC", "Estados Unidos (CA)"),
            ],
        ),
    ],
)
def test_numbers_money_times_and_countries_are_in_the_form_of_the_readers_country(
    tag: str, words: list[str]
) -> None:
    reader, afternoon = reader_of(tag), datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)

    said = [
        reader.number(1_234_567.5),
        reader.money(Decimal("15000.5"), "USD"),
        reader.date(afternoon),
        reader.moment(afternoon),
        reader.country("US-CA"),
    ]

    assert said == words
