"""Prices: one form, and nothing that contradicts itself (B1)."""

import zoneinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.type.money_pb2 import Money
from hypothesis import given

from services.chassis.refusals import Refusal
from services.licensing.domain.pricing.documents import decimal_text, price_fields, price_of
from services.licensing.domain.pricing.prices import (
    Charge,
    Flat,
    Graduated,
    PerUnit,
    Price,
    Volume,
    is_time_zone,
)
from services.licensing.rpc import price_messages
from sluice.licensing.v1 import price_pb2 as pb
from tests.support.prices import a_price, prices, tiers
from tests.support.zones import rules_of, write_zone


@given(prices())
def test_b1_a_price_is_read_as_it_was_written(price: Price) -> None:
    price.check()

    assert price_of(price_fields(price)) == price
    assert price_messages.price_of(price_messages.price_message(price)) == price


@pytest.mark.parametrize(
    ("written", "text"),
    [("0", "0"), ("100", "100"), ("1E+3", "1000"), ("0.0500", "0.05"), ("1E-7", "0.0000001"), ("7.0", "7")],
)
def test_b1_a_number_has_one_text(written: str, text: str) -> None:
    assert decimal_text(Decimal(written)) == text


TOO_MUCH = Decimal(10) ** 12 + 1


@pytest.mark.parametrize(
    ("reason", "field", "price"),
    [
        ("TIME_ZONE_UNKNOWN", "time_zone", a_price(time_zone="Mars/Olympus")),
        ("TIME_ZONE_UNKNOWN", "time_zone", a_price(time_zone="../../etc/passwd")),
        ("TIME_ZONE_UNKNOWN", "time_zone", a_price(time_zone="localtime")),
        (
            "CHARGE_NAME_TWICE",
            "charges[1].name",
            a_price(Charge("posts", Flat(Decimal(1))), Charge("posts", Flat(Decimal(2)))),
        ),
        ("INCLUDED_WITH_FLAT", "charges[0].included", a_price(Charge("fee", Flat(Decimal(1)), 5))),
        (
            "TIERS_OVERLAP",
            "charges[0].graduated.tiers[1].up_to",
            a_price(Graduated(tiers((10, "1"), (10, "2"), (None, "3")))),
        ),
        (
            "TIERS_OVERLAP",
            "charges[0].volume.tiers[1].up_to",
            a_price(Volume(tiers((10, "1"), (9, "2"), (None, "3")))),
        ),
        (
            "TIERS_OPEN",
            "charges[0].graduated.tiers[0].up_to",
            a_price(Graduated(tiers((None, "1"), (10, "2")))),
        ),
        ("TIERS_OPEN", "charges[0].volume.tiers[0].up_to", a_price(Volume(tiers((10, "1"))))),
        ("MINIMUM_ABOVE_MAXIMUM", "maximum", a_price(minimum=Decimal(2), maximum=Decimal(1))),
        ("PRICE_OUT_OF_RANGE", "minimum", a_price(minimum=Decimal("-0.01"))),
        ("PRICE_OUT_OF_RANGE", "charges[0].flat", a_price(Flat(TOO_MUCH))),
        ("PRICE_OUT_OF_RANGE", "charges[0].per_unit.unit_price", a_price(PerUnit(Decimal("NaN")))),
        (
            "PRICE_OUT_OF_RANGE",
            "charges[0].volume.tiers[0].flat",
            a_price(Volume(tiers((None, "0", "-1")))),
        ),
    ],
)
def test_b1_a_price_that_contradicts_itself_is_refused_with_its_field(
    reason: str, field: str, price: Price
) -> None:
    with pytest.raises(Refusal) as refused:
        price.check()

    assert refused.value.reason == reason
    assert [violation.field for violation in refused.value.violations] == [f"terms.price.{field}"]


def a_message(**changes: Any) -> pb.Price:
    flat = pb.Charge(name="fee", flat=Money(currency_code="USD", units=5))
    fields: dict[str, Any] = {"currency": "USD", "period": 2, "time_zone": "UTC", "charges": [flat]}
    return pb.Price(**{**fields, **changes})


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("CURRENCY_UNKNOWN", a_message(currency="ABC")),
        ("CURRENCY_UNKNOWN", a_message(currency="XAU")),
        ("MIXED_CURRENCIES", a_message(minimum=Money(currency_code="EUR", units=1))),
        ("MIXED_CURRENCIES", a_message(currency="JPY")),
        ("MIXED_CURRENCIES", a_message(maximum=Money(units=1))),
        ("PRICE_OUT_OF_RANGE", a_message(minimum=Money(currency_code="USD", nanos=10**9))),
        ("PRICE_OUT_OF_RANGE", a_message(minimum=Money(currency_code="USD", units=1, nanos=-1))),
    ],
)
def test_b1_amounts_are_whole_and_in_one_currency(reason: str, message: pb.Price) -> None:
    with pytest.raises(Refusal) as refused:
        price_messages.price_of(message)

    assert refused.value.reason == reason


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_b1_a_currency_has_the_decimals_of_its_standard(currency: str, decimals: int) -> None:
    assert price_messages.decimals_of(currency) == decimals


def test_b4_the_zones_of_a_release_are_found_out_once_and_those_of_the_next_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_out, times = zoneinfo.available_timezones, list[int]()

    def counted() -> set[str]:
        times.append(1)
        return find_out()

    monkeypatch.setattr(zoneinfo, "available_timezones", counted)

    for release in ("one", "other"):
        write_zone(tmp_path / release, f"Test/{release}", 0, 0, 0)
        with rules_of(tmp_path / release):
            assert [is_time_zone(f"Test/{name}") for name in ("one", "other")] == [
                release == "one",
                release == "other",
            ]
    assert len(times) == 2
