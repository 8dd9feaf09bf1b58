"""Prices between the contract and the domain: texts and Money become decimals, never a binary fraction."""

from decimal import Decimal

import iso4217
from google.type.money_pb2 import Money

from services.chassis.refusals import invalid
from services.licensing.domain.pricing.documents import decimal_text, read_decimal
from services.licensing.domain.pricing.prices import (
    BillingPeriod,
    Charge,
    Flat,
    Graduated,
    Model,
    Package,
    PerUnit,
    Price,
    Tier,
    Volume,
)
from sluice.licensing.v1 import price_pb2 as pb

NANO_DIGITS = 9
_FIELD = "terms.price"


def price_of(message: pb.Price) -> Price:
    """A price whose message has passed the rules of the contract.

    Raises Refusal (invalid): CURRENCY_UNKNOWN, MIXED_CURRENCIES, PRICE_OUT_OF_RANGE (nanos that are no part).
    """
    reading = _Reading(message.currency)
    return Price(
        currency=message.currency,
        decimals=decimals_of(message.currency),
        period=BillingPeriod(message.period),
        time_zone=message.time_zone,
        charges=tuple(
            Charge(each.name, reading.model(each, f"charges[{index}]"), each.included)
            for index, each in enumerate(message.charges)
        ),
        minimum=reading.amount(message.minimum, "minimum") if message.HasField("minimum") else None,
        maximum=reading.amount(message.maximum, "maximum") if message.HasField("maximum") else None,
    )


def decimals_of(currency: str) -> int:
    """Decimals of a currency by ISO 4217; raises Refusal (invalid, CURRENCY_UNKNOWN)."""
    try:
        exponent: int | None = iso4217.Currency(currency).exponent
    except ValueError:
        exponent = None
    # Gold and the like are in the standard too, without a smallest coin.
    if exponent is None:
        raise invalid("CURRENCY_UNKNOWN", f"{currency} is no currency with coins", field=f"{_FIELD}.currency")
    return exponent


class _Reading:
    """Amounts of one price, all in its one currency."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    def amount(self, money: Money, path: str) -> Decimal:
        field = f"{_FIELD}.{path}"
        if money.currency_code != self._currency:
            what = f"{money.currency_code or 'no currency'} in a price in {self._currency}"
            raise invalid("MIXED_CURRENCIES", what, field=field)
        if abs(money.nanos) >= 10**NANO_DIGITS or money.units * money.nanos < 0:
            raise invalid("PRICE_OUT_OF_RANGE", "units and nanos do not make one amount", field=field)
        return Decimal(money.units) + Decimal(money.nanos).scaleb(-NANO_DIGITS)

    def model(self, charge: pb.Charge, path: str) -> Model:
        match charge.WhichOneof("model"):
            case "flat":
                return Flat(self.amount(charge.flat, f"{path}.flat"))
            case "per_unit":
                return PerUnit(read_decimal(charge.per_unit.unit_price), charge.per_unit.per or 1)
            case "package":
                price = self.amount(charge.package.price, f"{path}.package.price")
                return Package(price, charge.package.size)
            case "graduated":
                return Graduated(self._tiers(charge.graduated, f"{path}.graduated"))
            case _:
                return Volume(self._tiers(charge.volume, f"{path}.volume"))

    def _tiers(self, message: pb.Tiers, path: str) -> tuple[Tier, ...]:
        return tuple(
            Tier(
                up_to=each.up_to if each.HasField("up_to") else None,
                unit_price=read_decimal(each.unit_price),
                flat=self.amount(each.flat, f"{path}.tiers[{index}].flat")
                if each.HasField("flat")
                else Decimal(0),
            )
            for index, each in enumerate(message.tiers)
        )


def price_message(price: Price) -> pb.Price:
    """A price as it is told."""

    def amount(value: Decimal) -> Money:
        return money(value, price.currency)

    return pb.Price(
        currency=price.currency,
        period=f"BILLING_PERIOD_{price.period.name}",
        time_zone=price.time_zone,
        charges=[_charge_message(charge, price.currency) for charge in price.charges],
        minimum=None if price.minimum is None else amount(price.minimum),
        maximum=None if price.maximum is None else amount(price.maximum),
    )


def money(value: Decimal, currency: str) -> Money:
    """An amount with at most nine decimals; both parts have its sign (google.type.Money)."""
    nanos = int(value.scaleb(NANO_DIGITS))
    units, rest = divmod(abs(nanos), 10**NANO_DIGITS)
    sign = -1 if nanos < 0 else 1
    return Money(currency_code=currency, units=sign * units, nanos=sign * rest)


def _charge_message(charge: Charge, currency: str) -> pb.Charge:
    message = pb.Charge(name=charge.name, included=charge.included)
    match charge.model:
        case Flat(amount):
            message.flat.CopyFrom(money(amount, currency))
        case PerUnit(unit_price, per):
            message.per_unit.CopyFrom(pb.PerUnit(unit_price=decimal_text(unit_price), per=per))
        case Package(price, size):
            message.package.CopyFrom(pb.Package(price=money(price, currency), size=size))
        case Graduated(tiers):
            message.graduated.CopyFrom(_tiers_message(tiers, currency))
        case Volume(tiers):
            message.volume.CopyFrom(_tiers_message(tiers, currency))
    return message


def _tiers_message(tiers: tuple[Tier, ...], currency: str) -> pb.Tiers:
    return pb.Tiers(
        tiers=[
            pb.Tier(
                up_to=tier.up_to,
                unit_price=decimal_text(tier.unit_price),
                flat=money(tier.flat, currency) if tier.flat else None,
            )
            for tier in tiers
        ]
    )
