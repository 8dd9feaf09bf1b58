"""The price of a license as values (B1); one that contradicts itself is refused before anything is billed."""

import enum
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from services.chassis.refusals import Refusal, invalid

LARGEST_AMOUNT = Decimal(10) ** 15
"""Units of a currency in one amount of a price."""
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""Names of the tz database, or beside it, that are no place."""


class BillingPeriod(enum.IntEnum):
    """How long a billing period is; the numbers of `sluice.licensing.v1.BillingPeriod`."""

    DAY = 1
    MONTH = 2
    QUARTER = 3
    YEAR = 4


@dataclass(frozen=True)
class Flat:
    """The same in each period, whatever is used."""

    amount: Decimal


@dataclass(frozen=True)
class PerUnit:
    """Every post at one price."""

    unit_price: Decimal
    """Of `per` posts; part of them costs its part."""
    per: int = 1


@dataclass(frozen=True)
class Package:
    """Every started package at its price."""

    price: Decimal
    size: int
    """Posts."""


@dataclass(frozen=True)
class Tier:
    """One tier; it begins after the last post of the one before."""

    up_to: int | None
    """The last post in it, counted from 1; None in the last tier."""
    unit_price: Decimal
    flat: Decimal = Decimal(0)
    """Charged besides as soon as one post lies in it."""


@dataclass(frozen=True)
class Graduated:
    """Every post at the price of the tier that it lies in."""

    tiers: tuple[Tier, ...]


@dataclass(frozen=True)
class Volume:
    """All posts at the price of the tier that their number lies in."""

    tiers: tuple[Tier, ...]


Model = Flat | PerUnit | Package | Graduated | Volume


@dataclass(frozen=True)
class Charge:
    """One thing that is charged in each period."""

    name: str
    model: Model
    included: int = 0
    """Posts of each period that are not charged; the first ones."""


@dataclass(frozen=True)
class Price:
    """What a license costs. Amounts are decimals of the one currency's unit."""

    currency: str
    """ISO 4217."""
    decimals: int
    """Of the currency, to which amounts are rounded: 2 where it has cents."""
    period: BillingPeriod
    time_zone: str
    """A name in the tz database (B4)."""
    charges: tuple[Charge, ...]
    minimum: Decimal | None = None
    """What a period comes to at least."""
    maximum: Decimal | None = None

    def check(self) -> None:
        """Raises Refusal (invalid) for a price that contradicts itself, named as in the contract:

        TIME_ZONE_UNKNOWN, CHARGE_NAME_TWICE, INCLUDED_WITH_FLAT, TIERS_OVERLAP, TIERS_OPEN,
        MINIMUM_ABOVE_MAXIMUM, PRICE_OUT_OF_RANGE.
        """
        if not is_time_zone(self.time_zone):
            raise _fault("TIME_ZONE_UNKNOWN", f"the tz database has no {self.time_zone}", "time_zone")
        names = set[str]()
        for index, charge in enumerate(self.charges):
            here = f"charges[{index}]"
            if charge.name in names:
                raise _fault("CHARGE_NAME_TWICE", f"there are two charges {charge.name}", f"{here}.name")
            names.add(charge.name)
            _check_charge(charge, here)
        for name, amount in (("minimum", self.minimum), ("maximum", self.maximum)):
            if amount is not None:
                _check_amount(amount, name)
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise _fault("MINIMUM_ABOVE_MAXIMUM", "the minimum is more than the maximum", "maximum")


def is_time_zone(name: str) -> bool:
    """Whether the tz database knows a place by this name."""
    return name not in _NO_ZONES and name in _zones()


@cache
def _zones() -> frozenset[str]:
    # Finding them out looks into some 600 files, each time: too much for every price that is read.
    return frozenset(zoneinfo.available_timezones())


def _check_charge(charge: Charge, here: str) -> None:
    if isinstance(charge.model, Flat) and charge.included:
        raise _fault("INCLUDED_WITH_FLAT", "a flat amount includes no posts", f"{here}.included")
    for path, amount in _amounts(charge.model):
        _check_amount(amount, f"{here}.{path}")
    match charge.model:
        case Graduated(tiers):
            _check_tiers(tiers, f"{here}.graduated")
        case Volume(tiers):
            _check_tiers(tiers, f"{here}.volume")


def _amounts(model: Model) -> Iterator[tuple[str, Decimal]]:
    match model:
        case Flat(amount):
            yield "flat", amount
        case PerUnit(unit_price, _):
            yield "per_unit.unit_price", unit_price
        case Package(price, _):
            yield "package.price", price
        case Graduated(tiers) | Volume(tiers):
            kind = "graduated" if isinstance(model, Graduated) else "volume"
            for index, tier in enumerate(tiers):
                yield f"{kind}.tiers[{index}].unit_price", tier.unit_price
                yield f"{kind}.tiers[{index}].flat", tier.flat


def _check_tiers(tiers: Sequence[Tier], here: str) -> None:
    ended = 0
    for index, tier in enumerate(tiers):
        place, is_last = f"{here}.tiers[{index}].up_to", index == len(tiers) - 1
        if is_last != (tier.up_to is None):
            what = "the last tier has no end" if is_last else "only the last tier has no end"
            raise _fault("TIERS_OPEN", what, place)
        if tier.up_to is not None and tier.up_to <= ended:
            raise _fault("TIERS_OVERLAP", f"the tier before goes up to post {ended} already", place)
        ended = tier.up_to or ended


def _check_amount(amount: Decimal, path: str) -> None:
    # Also what is no number at all, which compares as false.
    if not (amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT):
        raise _fault("PRICE_OUT_OF_RANGE", f"at least 0 and at most {LARGEST_AMOUNT:,}", path)


def _fault(reason: str, message: str, path: str) -> Refusal:
    return invalid(reason, message, field=f"terms.price.{path}")
