"""How long ago something was, or how long it takes, as the reader says it."""

from datetime import timedelta

from babel.dates import format_timedelta

from services.console.web.reading import Reader


def span(reader: Reader, us: int) -> str:
    """A length of time in microseconds, in one unit and never rounded up to a larger one: "90 minutes"."""
    # From two of a unit on: "1 hour" would stand for all from 31 to 89 minutes.
    return format_timedelta(timedelta(microseconds=max(0, us)), threshold=2, locale=reader.locale)
