"""Decisions and posts over time as charts, and the same said in a sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from babel.dates import format_skeleton

from services.console import moments
from services.console.operations.charts import MOST_SERIES, Series, StackedBars
from services.console.operations.counting import Stretch
from services.console.operations.words_decisions import OUTCOMES, REASONS
from services.console.stats import By
from services.console.web.reading import Reader, instant, msgid
from services.console.web.words import word

OUTCOMES_TITLE = msgid("Decisions by outcome")
REASONS_TITLE = msgid("Posts that were denied, by reason")
# CLDR's names of forms: which parts of a time are written, in the reader's order.
_FORMS = {By.MINUTE: ("Hm",), By.HOUR: ("MMMd", "Hm"), By.DAY: ("MMMd",)}
_UNITS = {By.MINUTE: msgid("minutes, UTC"), By.HOUR: msgid("hours, UTC"), By.DAY: msgid("days, UTC")}


def outcomes_chart(reader: Reader, found: Sequence[Stretch], by: By) -> StackedBars:
    """Decisions by outcome."""
    columns = {1: [s.released for s in found], 2: [s.partial for s in found], 3: [s.denied for s in found]}
    series = [Series(word(reader, OUTCOMES, number), values) for number, values in columns.items()]
    drawn = series if any(any(each.values) for each in series) else []
    return replace(_frame(reader, found, by), title=reader.say(OUTCOMES_TITLE), series=drawn)


def reasons_chart(reader: Reader, found: Sequence[Stretch], by: By) -> StackedBars:
    """Posts that were denied, by exact reason: the commonest first, those beyond the colours as one."""
    ranked = [reason for reason, _ in reasons_of(found).most_common()]
    named = ranked if len(ranked) <= MOST_SERIES else ranked[: MOST_SERIES - 1]
    series = [
        Series(word(reader, REASONS, reason), [s.posts_denied[reason] for s in found]) for reason in named
    ]
    if others := set(ranked) - set(named):
        rest = [sum(s.posts_denied[reason] for reason in others) for s in found]
        series.append(Series(reader.say("All other reasons"), rest))
    frame = _frame(reader, found, by)
    return replace(frame, title=reader.say(REASONS_TITLE), y_label=reader.say("posts"), series=series)


def reasons_of(found: Sequence[Stretch]) -> Counter[int]:
    """Denied posts by exact Reason, all stretches together."""
    return sum((stretch.posts_denied for stretch in found), Counter[int]())


def label(reader: Reader, by: By, since_us: int) -> str:
    """What a stretch is called: "26 Nov, 14:00"."""
    moment = instant(moments.from_us(since_us))
    return ", ".join(format_skeleton(form, moment, locale=reader.locale) for form in _FORMS[by])


def _frame(reader: Reader, found: Sequence[Stretch], by: By) -> StackedBars:
    """A chart of decisions that has no title and no series yet."""
    return StackedBars(
        title="",
        x_label=reader.say(_UNITS[by]),
        y_label=reader.say("decisions"),
        bars=[label(reader, by, stretch.since_us) for stretch in found],
        series=[],
        nothing=reader.say("There is none in this time."),
        number=reader.number,
    )
