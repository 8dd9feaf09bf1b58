"""Prices in the canonical form in which terms are stored and digested, and back.

Numbers of money are texts without an exponent and without zeros at the end, so that each value has one form.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

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

# The forms of the contract.
_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")
_CHARGE_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


def price_fields(price: Price) -> dict[str, object]:
    """The members of a price."""
    return {
        "currency": price.currency,
        "decimals": price.decimals,
        "period": price.period.name.lower(),
        "time_zone": price.time_zone,
        "charges": [
            {"name": charge.name, "included": charge.included, **_model_fields(charge.model)}
            for charge in price.charges
        ],
        "minimum": None if price.minimum is None else decimal_text(price.minimum),
        "maximum": None if price.maximum is None else decimal_text(price.maximum),
    }


def price_of(fields: Mapping[str, Any]) -> Price:
    """The price that `price_fields` wrote, whose own check is still to be passed.

    Raises KeyError, TypeError, ValueError or AttributeError for a value of another type or form.
    """
    return Price(
        currency=_word(fields["currency"], _CURRENCY),
        decimals=whole_number(fields["decimals"]),
        period=BillingPeriod[fields["period"].upper()],
        time_zone=_word(fields["time_zone"], _TIME_ZONE),
        charges=tuple(map(_charge_of, fields["charges"])),
        minimum=None if fields["minimum"] is None else read_decimal(fields["minimum"]),
        maximum=None if fields["maximum"] is None else read_decimal(fields["maximum"]),
    )


def decimal_text(value: Decimal) -> str:
    """The one text of a finite decimal number."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_decimal(text: str) -> Decimal:
    """A number as people write it, without sign or exponent; raises ValueError or TypeError."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number")
    return Decimal(text)


def _model_fields(model: Model) -> dict[str, object]:
    match model:
        case Flat(amount):
            return {"model": "flat", "amount": decimal_text(amount)}
        case PerUnit(unit_price, per):
            return {"model": "per_unit", "unit_price": decimal_text(unit_price), "per": per}
        case Package(price, size):
            return {"model": "package", "price": decimal_text(price), "size": size}
        case Graduated(tiers):
            return {"model": "graduated", "tiers": _tier_fields(tiers)}
        case Volume(tiers):
            return {"model": "volume", "tiers": _tier_fields(tiers)}


def _charge_of(fields: Mapping[str, Any]) -> Charge:
    name = _word(fields["name"], _CHARGE_NAME)
    return Charge(name, _model_of(fields), whole_number(fields["included"]))


def _model_of(fields: Mapping[str, Any]) -> Model:
    match fields["model"]:
        case "flat":
            return Flat(read_decimal(fields["amount"]))
        case "per_unit":
            return PerUnit(read_decimal(fields["unit_price"]), _count(fields["per"]))
        case "package":
            return Package(read_decimal(fields["price"]), _count(fields["size"]))
        case "graduated":
            return Graduated(tuple(map(_tier_of, fields["tiers"])))
        case "volume":
            return Volume(tuple(map(_tier_of, fields["tiers"])))
    raise ValueError("no model that is known")


def _tier_fields(tiers: Sequence[Tier]) -> list[dict[str, object]]:
    return [
        {"up_to": tier.up_to, "unit_price": decimal_text(tier.unit_price), "flat": decimal_text(tier.flat)}
        for tier in tiers
    ]


def _tier_of(fields: Mapping[str, Any]) -> Tier:
    up_to = fields["up_to"]
    return Tier(
        None if up_to is None else whole_number(up_to),
        read_decimal(fields["unit_price"]),
        read_decimal(fields["flat"]),
    )


def _word(value: object, form: re.Pattern[str]) -> str:
    if type(value) is not str or not form.fullmatch(value):
        raise ValueError("not a word of this form")
    return value


def _count(value: object) -> int:
    """Posts that something is divided by."""
    if whole_number(value) == 0:
        raise ValueError("no posts")
    return whole_number(value)


def whole_number(value: object) -> int:
    """A number of a document that counts something; raises ValueError for anything else, truth included."""
    if type(value) is not int or value < 0:
        raise ValueError("not a whole number")
    return value
