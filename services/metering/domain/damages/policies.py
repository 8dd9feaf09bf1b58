"""The clause of the terms as data, version by version (D1)."""

from collections import Counter
from dataclasses import dataclass

from services.chassis.refusals import Refusal, invalid, not_found
from services.metering.domain.damages.amounts import NANO_DIGITS, Rate
from services.metering.domain.damages.readings import Clause, Overlap, Reading
from services.metering.domain.damages.tariffs import Rounding
from services.metering.domain.reservations import Access
from services.metering.domain.windows import ROLLING_DAY_US, SECOND_US

MOST_UNITS = 10**9
"""Of a currency, in a rate."""


@dataclass(frozen=True, order=True, slots=True)
class Selection:
    """Which accesses count."""

    accesses: tuple[Access, ...]
    """Kinds, sorted."""
    licensed: bool
    """Whether what was released under a license counts too."""


GAVE_CONTENT = (Access.VIEW, Access.ACCESS)


@dataclass(frozen=True, slots=True)
class Unenforceable:
    """A jurisdiction whose law does not permit the claim (D4)."""

    jurisdiction: str
    reason: str


@dataclass(frozen=True, slots=True)
class DamagesPolicy:
    """One version."""

    title: str
    terms_digest: bytes
    """SHA-256 of the terms."""
    clause: Clause
    rate: Rate
    reading: Reading
    selection: Selection
    not_enforceable: tuple[Unenforceable, ...]
    """Sorted."""

    def selections(self) -> list[Selection]:
        """What could count: the policy's kinds of access or all, with or without licensed volume."""
        kinds = sorted({self.selection.accesses, tuple(Access)})
        return [Selection(accesses, licensed) for accesses in kinds for licensed in (False, True)]

    def is_enforceable(self, jurisdiction: str) -> bool:
        """Whether nothing is known against claiming there: neither for the place nor for its country."""
        barred = {each.jurisdiction for each in self.not_enforceable}
        return barred.isdisjoint({jurisdiction, jurisdiction.partition("-")[0]})


@dataclass(frozen=True, slots=True)
class Version:
    """A policy on record."""

    number: int
    policy: DamagesPolicy
    recorded_us: int
    recorded_by: str
    """Kind and name of the caller."""


def checked_clause(threshold: int, unit: int, window_us: int) -> Clause:
    """Raises Refusal (invalid, WINDOW_INVALID); a window of 0 is the rolling 24 hours."""
    window_us = window_us or ROLLING_DAY_US
    if window_us % SECOND_US:
        raise invalid("WINDOW_INVALID", "the window is a number of whole seconds", field="policy.window")
    return Clause(threshold, unit, window_us)


def checked_rate(currency: str, units: int, nanos: int, decimals: int) -> Rate:
    """Raises Refusal (invalid, RATE_INVALID)."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise _rate_invalid("three capital letters name the currency", "currency_code")
    if units < 0 or nanos < 0:
        raise _rate_invalid("a rate is not less than nothing", "units" if units < 0 else "nanos")
    if nanos >= 10**NANO_DIGITS or units > MOST_UNITS:
        raise _rate_invalid(f"at most {MOST_UNITS:,} and less than a unit in billionths", "units")
    return Rate(currency, units * 10**NANO_DIGITS + nanos, decimals)


def checked_places(places: list[Unenforceable]) -> tuple[Unenforceable, ...]:
    """Sorted; raises Refusal (invalid, JURISDICTION_TWICE)."""
    for jurisdiction, times in Counter(each.jurisdiction for each in places).items():
        if times > 1:
            raise invalid(
                "JURISDICTION_TWICE", f"{jurisdiction} stands there twice", field="policy.not_enforceable"
            )
    return tuple(sorted(places, key=lambda each: each.jurisdiction))


def checked_selection(accesses: list[int], licensed: bool) -> Selection:
    """The kinds sorted; those that gave content where none are named."""
    return Selection(tuple(sorted(Access(each) for each in accesses)) or GAVE_CONTENT, licensed)


def reading_of(overlap: int, rounding: int) -> Reading:
    """By the numbers of the contract."""
    return Reading(Overlap(overlap), Rounding(rounding))


def policy_unknown() -> Refusal:
    """The refusal of a version that there is not."""
    return not_found("POLICY_UNKNOWN", "there is no such version of the damages policy")


def _rate_invalid(message: str, field: str) -> Refusal:
    return invalid("RATE_INVALID", message, field=f"policy.rate.{field}")
