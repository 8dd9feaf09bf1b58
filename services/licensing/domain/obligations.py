"""What a licensee owes after a release, and its form in the stored terms.

Members that came later are left out where they say nothing: older documents keep their digests, and a program
that does not know them understands no document that has them (L2).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.chassis.refusals import Refusal, invalid
from services.licensing.domain.countries import is_jurisdiction
from services.licensing.domain.pricing.documents import whole_number
from services.licensing.domain.pricing.prices import is_time_zone

# The forms of the contract.
_CALENDAR = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_TIME_ZONE = re.compile(r"[A-Za-z0-9_+/-]{1,64}")


@dataclass(frozen=True)
class Obligations:
    """What the licensee owes after a release."""

    recall_deadline_days: int
    """0: as many as the platform gives everybody."""
    no_reidentification: bool
    recall_business_days: bool = False
    """The days are business days of `recall_calendar`."""
    recall_calendar: str = ""
    """The jurisdiction whose public holidays count, such as DE-BY; empty without business days."""
    recall_time_zone: str = ""
    """A name in the tz database: when a day begins; empty for UTC."""
    suspend_when_overdue: bool = False
    """A recall that is overdue suspends the license (W3)."""

    def check(self) -> None:
        """Raises Refusal (invalid) for what contradicts itself, named as in the contract:

        RECALL_DAYS_MISSING, RECALL_CALENDAR_MISSING, RECALL_CALENDAR_UNUSED, RECALL_CALENDAR_UNKNOWN,
        TIME_ZONE_UNKNOWN.
        """
        if self.recall_business_days and not self.recall_deadline_days:
            raise _fault("RECALL_DAYS_MISSING", "how many business days?", "recall_deadline_days")
        if self.recall_business_days and not self.recall_calendar:
            raise _fault("RECALL_CALENDAR_MISSING", "business days of which calendar?", "recall_calendar")
        if self.recall_calendar and not self.recall_business_days:
            unused = "holidays count with business days alone"
            raise _fault("RECALL_CALENDAR_UNUSED", unused, "recall_calendar")
        if self.recall_calendar and not is_jurisdiction(self.recall_calendar):
            unknown = f"{self.recall_calendar} is in no country of ISO 3166-1"
            raise _fault("RECALL_CALENDAR_UNKNOWN", unknown, "recall_calendar")
        if self.recall_time_zone and not is_time_zone(self.recall_time_zone):
            unknown = f"the tz database has no {self.recall_time_zone}"
            raise _fault("TIME_ZONE_UNKNOWN", unknown, "recall_time_zone")

    def fields(self) -> dict[str, object]:
        """The members of obligations in the stored document."""
        fields: dict[str, object] = {
            "recall_deadline_days": self.recall_deadline_days,
            "no_reidentification": self.no_reidentification,
        }
        later = {
            "recall_business_days": self.recall_business_days,
            "recall_calendar": self.recall_calendar,
            "recall_time_zone": self.recall_time_zone,
            "suspend_when_overdue": self.suspend_when_overdue,
        }
        return fields | {name: value for name, value in later.items() if value}


def obligations_of(fields: Mapping[str, Any]) -> Obligations:
    """The obligations that `Obligations.fields` wrote, whose own check is still to be passed.

    Raises KeyError, TypeError, ValueError or AttributeError for a value of another type or form.
    """
    return Obligations(
        recall_deadline_days=whole_number(fields["recall_deadline_days"]),
        no_reidentification=_truth(fields["no_reidentification"]),
        recall_business_days=_truth(fields.get("recall_business_days", False)),
        recall_calendar=_word(fields, "recall_calendar", _CALENDAR),
        recall_time_zone=_word(fields, "recall_time_zone", _TIME_ZONE),
        suspend_when_overdue=_truth(fields.get("suspend_when_overdue", False)),
    )


def _word(fields: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str:
    if name not in fields:
        return ""
    value = fields[name]
    if type(value) is not str or not form.fullmatch(value):
        raise ValueError("not a word of this form")
    return value


def _truth(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError("neither true nor false")
    return value


def _fault(reason: str, message: str, name: str) -> Refusal:
    return invalid(reason, message, field=f"terms.obligations.{name}")
