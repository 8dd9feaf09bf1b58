"""Which decisions somebody wants to see, as the address of the page says it.

Time is in whole stretches, as counts are: what stands under a time is of that time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from services.console import moments
from services.console.operations.charts import MOST_STRETCHES
from services.console.operations.counting import LENGTHS_US
from services.console.stats import By
from services.console.web.reading import msgid
from sluice.licensing.v1 import release_service_pb2 as pb

USUAL = {By.MINUTE: 60, By.HOUR: 24, By.DAY: 30}
"""Stretches that are shown where no time is said."""
PAGE = 50
CLOCKS_US = 1_000_000
"""So far may clocks of services differ: what was decided just now may lie ahead of ours."""
LATEST_US = 253_402_300_800_000_000 - 1
"""The last microsecond of the year 9999, after which a time has no form."""

NO_TIME = msgid("A time is written like 2026-01-31T12:00, in UTC.")
NO_STRETCH = msgid("Counts are by minute, hour or day.")
NO_ID = msgid("Ids of licensees and licenses are of small letters, digits, points, hyphens and underscores.")
NO_OUTCOME = msgid("There is no such outcome.")
NO_ORDER = msgid("The beginning does not lie before the end.")
TOO_LONG = msgid("That are more bars than a chart can show: choose longer stretches, or less time.")
_ID = re.compile(r"([a-z0-9][a-z0-9._-]{0,62})?")
_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_OUTCOMES = {str(number) for number in pb.Outcome.values() if number}


@dataclass(frozen=True)
class Wish:
    """What is wanted. Times are microseconds UTC."""

    by: By
    since_us: int
    """The beginning of a stretch, as `until_us` is."""
    until_us: int
    licensee_id: str = ""
    license_id: str = ""
    outcome: int = 0
    """0: any."""

    def query(self, **more: str) -> str:
        """The same wish in an address, of the same time whenever it is followed."""
        said = {
            "by": str(self.by),
            "since": moments.written(moments.from_us(self.since_us)),
            "until": moments.written(moments.from_us(self.until_us)),
            "licensee": self.licensee_id,
            "license": self.license_id,
            "outcome": str(self.outcome) if self.outcome else "",
            **more,
        }
        return urlencode({name: value for name, value in said.items() if value})

    def request(self, page_token: str) -> pb.ListDecisionsRequest:
        """What licensing is asked for."""
        return pb.ListDecisionsRequest(
            licensee_id=self.licensee_id,
            license_id=self.license_id,
            outcome=self.outcome,  # type: ignore[arg-type]  # an open enum: any number can be sent
            since=moments.from_us(self.since_us),
            until=moments.from_us(self.until_us),
            page_size=PAGE,
            page_token=page_token,
        )


@dataclass(frozen=True)
class Sought:
    """What somebody looks for: one of these."""

    id: str = ""
    """Of a decision or a request."""
    receipt_number: int = 0


def read_wish(given: Mapping[str, str], now_us: int) -> tuple[Wish, list[str]]:
    """What an address says, and a sentence for each thing in it that says nothing, which is left out then."""
    faults = list[str]()
    by = _by(given.get("by", ""), faults)
    length_us = LENGTHS_US[by]
    said_until_us = _time(given.get("until", ""), now_us + CLOCKS_US, faults)
    until_us = -(-said_until_us // length_us) * length_us
    said_since_us = _time(given.get("since", ""), until_us - USUAL[by] * length_us, faults)
    since_us = said_since_us // length_us * length_us
    if until_us > LATEST_US:
        faults.append(NO_TIME)
    elif said_since_us >= said_until_us:
        faults.append(NO_ORDER)
    elif until_us - since_us > MOST_STRETCHES * length_us:
        faults.append(TOO_LONG)
    ids = {name: _id(given.get(name, ""), faults) for name in ("licensee", "license")}
    outcome = given.get("outcome", "")
    if outcome and outcome not in _OUTCOMES:
        faults.append(NO_OUTCOME)
    number = int(outcome) if outcome in _OUTCOMES else 0
    return Wish(by, since_us, until_us, ids["licensee"], ids["license"], number), list(dict.fromkeys(faults))


def sought(text: str) -> Sought | None:
    """What somebody looks for; None where the text is neither an id nor a number."""
    text = text.strip().lower()
    if _NUMBER.fullmatch(text) and int(text) < 2**63:
        return Sought(receipt_number=int(text))
    return Sought(id=text) if is_id(text) else None


def is_id(text: str) -> bool:
    """Whether it has the form of the ids of decisions and requests."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _by(text: str, faults: list[str]) -> By:
    try:
        return By(text or By.HOUR)
    except ValueError:
        faults.append(NO_STRETCH)
        return By.HOUR


def _time(text: str, otherwise_us: int, faults: list[str]) -> int:
    try:
        return moments.read(text).ToMicroseconds() if text else otherwise_us
    except ValueError:
        faults.append(NO_TIME)
        return otherwise_us


def _id(text: str, faults: list[str]) -> str:
    if _ID.fullmatch(text.strip()):
        return text.strip()
    faults.append(NO_ID)
    return ""
