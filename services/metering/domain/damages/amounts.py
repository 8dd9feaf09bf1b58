"""What periods come to in money: whole minor units of a currency, rounded once for each period (D1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.chassis.refusals import Refusal, invalid, precondition
from services.metering.domain.damages.periods import Period
from services.metering.domain.damages.tariffs import Tariff

NANO_DIGITS = 9
"""A rate is told in billionths of the currency's unit, as `google.type.Money` tells it."""
MOST_MINOR = 2**63 - 1
"""Minor units of all that is claimed: as many as records and `google.type.Money` hold."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of a unit of posts."""

    currency: str
    """Three letters, ISO 4217."""
    nanos: int
    """Billionths of the currency's unit for each unit of posts; not less than 0."""
    digits: int
    """Decimals of the currency: 2 where amounts are told in cents."""

    def minor(self, currency: str, units: int, nanos: int) -> int:
        """Money in minor units; raises Refusal (invalid, AMOUNT_INVALID)."""
        whole = units * 10**NANO_DIGITS + nanos
        if currency != self.currency:
            raise amount_invalid(f"it is told in {self.currency}")
        if whole < 0 or abs(nanos) >= 10**NANO_DIGITS or whole % 10 ** (NANO_DIGITS - self.digits):
            raise amount_invalid("a number of whole minor units, not less than nothing")
        return int(whole // 10 ** (NANO_DIGITS - self.digits))

    def amount(self, tariff: Tariff, posts: int) -> int:
        """What a period with so many posts comes to, in minor units, a half rounded up."""
        numerator = tariff.worth_of(posts) * self.nanos
        denominator = 10 ** (NANO_DIGITS - self.digits) * (1 if tariff.in_units else tariff.unit)
        return int((2 * numerator + denominator) // (2 * denominator))

    def total(self, tariff: Tariff, periods: Sequence[Period]) -> int:
        """The sum of what the periods come to, in minor units.

        Raises Refusal (precondition, AMOUNT_TOO_LARGE).
        """
        total = sum(self.amount(tariff, period.posts) for period in periods)
        if total > MOST_MINOR:
            raise precondition(
                "AMOUNT_TOO_LARGE",
                f"a reading of the clause comes to more than {MOST_MINOR:,} of the smallest coin: "
                "a lower rate, fewer decimals or a shorter time",
            )
        return total


def amount_invalid(message: str) -> Refusal:
    """The refusal of what cannot be claimed instead."""
    return invalid("AMOUNT_INVALID", message, field="amount")
