"""Which billing periods a license has, and the version whose price each of them has (B4, L1).

The periods follow one another without gap or overlap from the start of the term to its end, whatever the
versions say about the length of a period. A period has the price of the version in force at its first instant
or, where none was, of the first one put in force inside it. So an amendment of a price, and its removal,
count from the next period on. A period at whose first instant a version without a price was in force begins
with the first priced one put in force inside it, if there is one; else it is not billed.

The rules of a time zone may change after a period was invoiced. It keeps the first instant that it was
invoiced with, and its neighbours meet it there: what was billed is not billed again under other times (B3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.chassis.refusals import Refusal, invalid, precondition
from services.licensing.domain.pricing.periods import Period, period_at, period_of
from services.licensing.domain.pricing.prices import Price

_DAY_US = 86_400_000_000
"""Rules move the beginning of a date by less than that, or they move the date."""


@dataclass(frozen=True)
class PricedVersion:
    """What billing knows of one version of a license."""

    number: int
    effective_from_us: int
    """Since when it is in force."""
    terms_digest: bytes
    term_from_us: int
    term_until_us: int
    price: Price | None
    """None: no period has its price."""


@dataclass(frozen=True)
class Licensed:
    """What billing knows of a license, as of a cut-off."""

    license_id: str
    licensee_id: str
    licensee_name: str
    terminated_at_us: int | None
    versions: tuple[PricedVersion, ...]
    """Those that are in force or were, by the time since when; none for a license that never was in force."""

    @property
    def until_us(self) -> int:
        """The end of its term, or when it was terminated."""
        until_us = self.versions[-1].term_until_us
        return until_us if self.terminated_at_us is None else min(until_us, self.terminated_at_us)

    def version_for(self, time_us: int) -> PricedVersion | None:
        """The one in force at a time, or the first one that is put in force later; None where there is none.

        Nothing is in force between the end of a term and the amendment that renews it.
        """
        before = [each for each in self.versions if each.effective_from_us <= time_us]
        if before and time_us < before[-1].term_until_us:
            return before[-1]
        return next((each for each in self.versions if each.effective_from_us > time_us), None)

    def priced_after(self, time_us: int) -> PricedVersion | None:
        """The first version with a price that is put in force later than a time."""
        later = (each for each in self.versions if each.effective_from_us > time_us)
        return next((each for each in later if each.price is not None), None)


@dataclass(frozen=True)
class BillablePeriod:
    """A billing period of a license with what it is billed under."""

    period: Period
    version: PricedVersion
    price: Price
    counted_from_us: int | None
    """Posts counted at this instant or later are billed in it; None: however early."""
    counted_until_us: int | None
    """Posts counted before this instant are; None: however late."""


def billable_periods(
    licensed: Licensed, before_us: int, invoiced: Sequence[Period] = ()
) -> list[BillablePeriod]:
    """The periods that begin before a time, in order.

    `invoiced` are those of final invoices. Raises Refusal (precondition, CALENDAR_CHANGED) where one of them
    that began before that time and in the term is not among the periods by the rules of today.
    """
    until_us = min(licensed.until_us, before_us) if licensed.versions else before_us
    return _as_invoiced(
        _by_rules(licensed, before_us), [period for period in invoiced if period.start_us < until_us]
    )


def _by_rules(licensed: Licensed, before_us: int) -> list[BillablePeriod]:
    """The periods as the rules of time zones are now.

    Where a term begins and ends, metering's clock and licensing's may differ: what one of them counted a
    moment outside belongs to the nearest period before, or to the first one, so that nothing is released for
    nothing.
    """
    if not licensed.versions:
        return []
    periods = list[BillablePeriod]()
    at_us, until_us = licensed.versions[0].term_from_us, licensed.until_us
    is_first = True
    while at_us < min(until_us, before_us) and (version := licensed.version_for(at_us)) is not None:
        if version.price is None:
            _close(periods, at_us)
            following = licensed.priced_after(max(at_us, version.effective_from_us))
            if following is None:
                return periods
            at_us, is_first = following.effective_from_us, False
            continue
        whole = period_at(
            max(at_us, version.effective_from_us), version.price.period, version.price.time_zone
        )
        period = Period(whole.label, max(whole.start_us, at_us), min(whole.end_us, until_us))
        _close(periods, period.start_us)
        if period.start_us >= min(until_us, before_us):
            return periods
        from_us = None if is_first else period.start_us
        periods.append(BillablePeriod(period, version, version.price, from_us, counted_until_us=None))
        at_us, is_first = period.end_us, False
    if at_us < until_us and licensed.version_for(at_us) is not None:
        _close(periods, at_us)
    return periods


def _close(periods: list[BillablePeriod], at_us: int) -> None:
    """Has the last period end with what was counted before a time, if that is open yet."""
    if periods and periods[-1].counted_until_us is None:
        periods[-1] = replace(periods[-1], counted_until_us=at_us)


def _as_invoiced(periods: Sequence[BillablePeriod], invoiced: Sequence[Period]) -> list[BillablePeriod]:
    """The periods with the first instants that they were invoiced with; raises as `billable_periods`."""
    first_instants = _first_instants(periods, invoiced)
    kept = list[BillablePeriod]()
    for ordinal, each in enumerate(periods):
        kept.append(_begun_at(first_instants.get(ordinal, each.period.start_us), each, kept))
    there = {each.period.start_us for each in kept if each.period.start_us < each.period.end_us}
    lost = [period for period in invoiced if period.start_us not in there]
    if lost or len(there) < len(kept):
        raise _calendar_changed((*lost, *invoiced)[0])
    return kept


def _first_instants(periods: Sequence[BillablePeriod], invoiced: Sequence[Period]) -> dict[int, int]:
    """By the ordinal of each period that was invoiced, the first instant that it was invoiced with.

    Two periods may have one label, as after a change of time zone: those that have not moved come first.
    """
    ordinals = {(each.period.label, each.period.start_us): n for n, each in enumerate(periods)}
    labelled = dict[str, list[int]]()
    for (label, _), ordinal in ordinals.items():
        labelled.setdefault(label, []).append(ordinal)
    places = [(ordinals.get((was.label, was.start_us)), was) for was in invoiced]
    found = {ordinal: was.start_us for ordinal, was in places if ordinal is not None}
    for was in (was for ordinal, was in places if ordinal is None):
        left = (ordinal for ordinal in labelled.get(was.label, ()) if ordinal not in found)
        distances = ((abs(periods[ordinal].period.start_us - was.start_us), ordinal) for ordinal in left)
        distance, nearest = min(distances, default=(_DAY_US, 0))
        if distance >= _DAY_US:
            raise _calendar_changed(was)
        found[nearest] = was.start_us
    return found


def _begun_at(start_us: int, each: BillablePeriod, before: list[BillablePeriod]) -> BillablePeriod:
    """A period with another first instant; what is `before` ends there, or goes if nothing is left of it."""
    at_us, from_us = each.period.start_us, each.counted_from_us
    if at_us == start_us:
        return each
    while before and before[-1].period.start_us >= start_us:
        gone = before.pop()
        at_us, from_us = gone.period.start_us, gone.counted_from_us
    if before:
        last = before[-1].period
        if last.end_us == at_us or last.end_us > start_us:
            before[-1] = replace(before[-1], period=replace(last, end_us=start_us))
        if before[-1].counted_until_us == at_us:
            before[-1] = replace(before[-1], counted_until_us=start_us)
    return replace(
        each,
        period=replace(each.period, start_us=start_us),
        counted_from_us=None if from_us is None else start_us,
    )


def _calendar_changed(was: Period) -> Refusal:
    what = f"{was.label} was invoiced with times that the rules of its time zone do not give any more"
    return precondition("CALENDAR_CHANGED", what)


def check_priced(licensed: Licensed) -> None:
    """Raises Refusal (precondition, LICENSE_HAS_NO_PRICE) where nothing is ever billed."""
    if all(version.price is None for version in licensed.versions):
        raise precondition(
            "LICENSE_HAS_NO_PRICE", "the license has no price, or was never in force: nothing is billed"
        )


def due_periods(licensed: Licensed, invoiced: Sequence[Period], now_us: int) -> list[BillablePeriod]:
    """The periods that are over and not invoiced, in order; raises as `billable_periods`."""
    done = {period.start_us for period in invoiced}
    return [
        each
        for each in billable_periods(licensed, now_us, invoiced)
        if each.period.end_us <= now_us and each.period.start_us not in done
    ]


def running_period(licensed: Licensed, invoiced: Sequence[Period], now_us: int) -> BillablePeriod | None:
    """The period that lies around a time, if one does; raises as `billable_periods`."""
    periods = billable_periods(licensed, now_us + 1, invoiced)
    return periods[-1] if periods and now_us < periods[-1].period.end_us else None


def asked_period(
    licensed: Licensed, asked: str | int, invoiced: Sequence[Period], cut_off_us: int
) -> BillablePeriod:
    """The period with a label, or with a first instant in microseconds, that is to be invoiced.

    `invoiced` are those that are. Of two with one label, as a change of time zone makes them, it is the first
    that is not invoiced. Raises Refusal as the contract says: LICENSE_HAS_NO_PRICE, PERIOD_INVALID,
    PERIOD_NOT_OVER, PERIOD_INVOICED, PERIOD_OUT_OF_ORDER, CALENDAR_CHANGED.
    """
    done = {period.start_us for period in invoiced}
    check_priced(licensed)
    periods = billable_periods(licensed, cut_off_us, invoiced)
    named = [each for each in periods if asked in {each.period.label, each.period.start_us}]
    if not named:
        raise _no_such_period(licensed, asked, cut_off_us)
    found = next((each for each in named if each.period.start_us not in done), None)
    if found is None:
        raise precondition(
            "PERIOD_INVOICED", "the period is invoiced: what changes now comes on the next invoice"
        )
    if found.period.end_us > cut_off_us:
        raise period_not_over()
    # A gap would be forgotten, and its corrections would be on no invoice.
    earlier = next(each.period for each in periods if each.period.start_us not in done)
    if earlier.start_us < found.period.start_us:
        raise precondition("PERIOD_OUT_OF_ORDER", f"period {earlier.label} is to be invoiced first")
    return found


def _no_such_period(licensed: Licensed, asked: str | int, cut_off_us: int) -> Refusal:
    price = next(version.price for version in reversed(licensed.versions) if version.price)
    try:
        if isinstance(asked, str):
            whole = period_of(asked, price.time_zone)
            if cut_off_us <= whole.start_us < licensed.until_us:
                return period_not_over()
    except (ValueError, OverflowError) as error:
        return invalid("PERIOD_INVALID", str(error), field="period")
    what = f"the license has no such period; it is billed by the {price.period.name.lower()}"
    return invalid("PERIOD_INVALID", what, field="period")


def period_not_over() -> Refusal:
    """It cannot be invoiced yet."""
    return precondition("PERIOD_NOT_OVER", "the period is not over at the cut-off")
