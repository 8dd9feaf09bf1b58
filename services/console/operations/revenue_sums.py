"""Revenue by month and licensee, one currency at a time: amounts of two are never added (B1)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from babel.dates import format_skeleton
from google.type.money_pb2 import Money

from services.console.money import NANO_DIGITS, in_nanos, of_nanos
from services.console.operations.charts import MOST_SERIES, Series, StackedBars
from services.console.web.reading import Reader
from sluice.licensing.v1.invoice_pb2 import Revenue


@dataclass(frozen=True)
class OfCurrency:
    """What was billed in one currency."""

    currency: str
    decimals: int
    """As many as the currency has."""
    rows: Sequence[Revenue]
    """The newest month first, then by licensee."""

    @property
    def net(self) -> Money:
        """All of it."""
        return of_nanos(sum(in_nanos(each.net) for each in self.rows), self.currency)

    @property
    def months(self) -> list[str]:
        """Every month from the first to the last, such as 2026-11, also those in which nothing was billed."""
        found = {each.month for each in self.rows}
        return months(min(found), max(found))


def by_currency(rows: Sequence[Revenue]) -> list[OfCurrency]:
    """By the currency's code; the rows stay in their order."""
    found: dict[str, list[Revenue]] = defaultdict(list)
    for row in rows:
        found[row.net.currency_code].append(row)
    return [OfCurrency(currency, found[currency][0].decimals, found[currency]) for currency in sorted(found)]


def months(first: str, last: str) -> list[str]:
    """Every month from one to the other."""
    (year, month), found = map(int, first.split("-")), list[str]()
    while (label := f"{year:04d}-{month:02d}") <= last:
        found.append(label)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def month_before(month: str, count: int) -> str:
    """The month that lies so many before another; no earlier than the first of the year 1."""
    year, of_year = map(int, month.split("-"))
    year, of_year = divmod(max(12, year * 12 + of_year - 1 - count), 12)
    return f"{year:04d}-{of_year + 1:02d}"


def month_of(time_us: int) -> str:
    """The month of a time in microseconds, in UTC."""
    return datetime.fromtimestamp(time_us / 1_000_000, UTC).strftime("%Y-%m")


def month_name(reader: Reader, month: str) -> str:
    """ "Nov 2026" for 2026-11."""
    return format_skeleton("yMMM", datetime.strptime(month, "%Y-%m"), locale=reader.locale)


def chart(reader: Reader, of: OfCurrency) -> StackedBars:
    """By licensee and month: the largest licensees first, those beyond the colours as one."""
    nanos: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in of.rows:
        nanos[each.licensee_id][each.month] += in_nanos(each.net)
    ranked = sorted(nanos, key=lambda licensee_id: (-sum(nanos[licensee_id].values()), licensee_id))
    named = ranked if len(ranked) <= MOST_SERIES else ranked[: MOST_SERIES - 1]
    series = [Series(each, [_drawn(nanos[each][month]) for month in of.months]) for each in named]
    if others := ranked[len(named) :]:
        rest = [_drawn(sum(nanos[each][month] for each in others)) for month in of.months]
        series.append(Series(reader.say("All other licensees"), rest))
    return StackedBars(
        title=reader.say("Revenue in %(currency)s by licensee and month", currency=of.currency),
        x_label=reader.say("months, in the time zone of each license"),
        y_label=of.currency,
        bars=[month_name(reader, month) for month in of.months],
        series=series,
        nothing=reader.say("Nothing was billed."),
        number=reader.number,
    )


def _drawn(nanos: int) -> float:
    """The height of a bar: a picture is no place for the last digit."""
    return float(Decimal(nanos).scaleb(-NANO_DIGITS))
