"""What a reader sees as they are used to: language, dates, numbers, names of countries.

Sentences are in English in the sources and translated by catalogues in gettext's form, one a language; what a
catalogue lacks is shown in English.
"""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any

from babel import Locale, dates, numbers
from babel.core import UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from google.protobuf.timestamp_pb2 import Timestamp

LANGUAGES = ("en", "de", "es")
"""All that pages are written in; the first is that of the sources."""


@dataclass(frozen=True)
class Reader:
    """One reader: their language, and their country's form of dates and numbers where they say which."""

    locale: Locale
    translations: NullTranslations

    @property
    def language(self) -> str:
        """One of LANGUAGES, as for the `lang` of a page."""
        return str(self.locale.language)

    @property
    def tag(self) -> str:
        """The locale as a tag of BCP 47."""
        return str(self.locale).replace("_", "-")

    def say(self, text: str, **values: Any) -> str:
        """A sentence in their language, with `%(name)s` filled in."""
        said = self.translations.gettext(text)
        return said % values if values else said

    def number(self, value: int | float | Decimal) -> str:
        """A number with their separators."""
        return numbers.format_decimal(value, locale=self.locale)

    def ungrouped(self, text: str) -> str:
        """A number as `number` writes it, without their separators of thousands."""
        separators = {each for each in self.number(1_000_000) if not each.isdigit()}
        # What is copied may have another kind of space than what was shown.
        whole = "".join(text.split()) if any(map(str.isspace, separators)) else text
        return "".join(each for each in whole if each not in separators)

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount with its currency."""
        return numbers.format_currency(amount, currency, locale=self.locale)

    def date(self, moment: datetime) -> str:
        """The day, in UTC."""
        return dates.format_date(moment.astimezone(UTC), "long", locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Day and time to the second, in UTC, which it says."""
        said = dates.format_datetime(moment.astimezone(UTC), "medium", locale=self.locale)
        return f"{said} UTC"

    def country(self, code: str) -> str:
        """The name of an alpha-2 code of ISO 3166-1, or of a part of one as code; the code where unknown."""
        country, _, part = code.partition("-")
        name = self.locale.territories.get(country, country)
        return f"{name} ({part})" if part else name


def msgid(text: str) -> str:
    """The text itself: a mark, by which `make words` finds what `say` or a template shows later."""
    return text


def reader_of(accepted: str, chosen: str = "") -> Reader:
    """The reader of an Accept-Language header, or of the language they chose; English for all others."""
    tags = [chosen, *_tags(accepted)] if chosen in LANGUAGES else _tags(accepted)
    language = negotiate_locale([tag.split("-")[0].lower() for tag in tags], LANGUAGES) or LANGUAGES[0]
    found = Locale.parse(language)
    for tag in tags:
        try:
            locale = Locale.parse(tag, sep="-")
        except (ValueError, LookupError, UnknownLocaleError):
            # Anybody can write the header; what is no locale asks for nothing.
            continue
        if locale.language == language and locale.territory:
            found = locale
            break
    return Reader(found, _catalogue(language))


def instant(stamp: Timestamp) -> datetime:
    """A time of a contract, in UTC."""
    return stamp.ToDatetime(UTC)


def _tags(accepted: str) -> Sequence[str]:
    """The tags of the header, the preferred first (RFC 9110, 12.5.4)."""
    weighed = []
    for part in accepted[:1000].split(","):
        tag, _, weight = "".join(part.split()).partition(";q=")
        try:
            weighed.append((-float(weight or 1), tag.strip()))
        except ValueError:
            continue
    return [tag for weight, tag in sorted(weighed, key=lambda each: each[0]) if tag and weight < 0]


@functools.cache
def _catalogue(language: str) -> NullTranslations:
    if language == LANGUAGES[0]:
        return NullTranslations()
    source = files("services.console.web") / "wording" / f"{language}.po"
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)
