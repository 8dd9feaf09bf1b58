"""Builders for prices, and hypothesis strategies of prices that do not contradict themselves."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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


def a_price(*charges: Charge | Model, **changes: Any) -> Price:
    """Months of New York in dollars; models become charges that are named by their order."""
    named = tuple(
        charge if isinstance(charge, Charge) else Charge(f"charge {number}", charge)
        for number, charge in enumerate(charges or (PerUnit(Decimal("0.001")),), 1)
    )
    price = Price("USD", 2, BillingPeriod.MONTH, "America/New_York", named)
    return replace(price, **changes)


def tiers(*rows: tuple[int | None, str] | tuple[int | None, str, str]) -> tuple[Tier, ...]:
    """Tiers as (up to, price of a post, and perhaps a flat amount)."""
    return tuple(Tier(up_to, Decimal(price), *map(Decimal, flat)) for up_to, price, *flat in rows)


unit_prices = st.decimals(0, 1_000, places=6).map(lambda value: abs(value.normalize()))
amounts = st.decimals(0, 100_000, places=2).map(lambda value: abs(value.normalize()))


@st.composite
def some_tiers(draw: st.DrawFn) -> tuple[Tier, ...]:
    """Up to five tiers, the last without an end."""
    ends = sorted(draw(st.sets(st.integers(1, 5_000), max_size=4)))
    return tuple(Tier(end, draw(unit_prices), draw(amounts)) for end in [*ends, None])


models: st.SearchStrategy[Model] = st.one_of(
    st.builds(Flat, amounts),
    st.builds(PerUnit, unit_prices, st.integers(1, 1_000)),
    st.builds(Package, amounts, st.integers(1, 1_000)),
    st.builds(Graduated, some_tiers()),
    st.builds(Volume, some_tiers()),
)


@st.composite
def prices(draw: st.DrawFn) -> Price:
    """Any price that passes its own check."""
    drawn = draw(st.lists(models, min_size=1, max_size=4))
    charges = tuple(
        Charge(f"charge {number}", model, 0 if isinstance(model, Flat) else draw(st.integers(0, 3_000)))
        for number, model in enumerate(drawn)
    )
    minimum = draw(st.none() | amounts)
    maximum = draw(st.none() | amounts.map(lambda value: value + (minimum or 0)))
    return Price(
        currency=draw(st.sampled_from(["USD", "EUR"])),
        decimals=2,
        period=draw(st.sampled_from(BillingPeriod)),
        time_zone=draw(st.sampled_from(["America/New_York", "Europe/Paris", "Asia/Kathmandu", "UTC"])),
        charges=charges,
        minimum=minimum,
        maximum=maximum,
    )
