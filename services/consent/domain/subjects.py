"""What is known of a subject beside their choices: jurisdiction, account states, notices served (C4)."""

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.chassis.refusals import invalid, precondition
from services.consent.domain.choices import (
    DIGEST_BYTES,
    NOTHING_SAID,
    Choice,
    Standing,
    standing_of,
    still_standing,
)

MOST_NOTICES = 64
"""Notices that one subject can have been served; the limit of the contract."""

MOST_COUNTRIES = 300
"""Countries that something can be withheld in; the limit of the contract."""

_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_COUNTRY = re.compile(r"[A-Z]{2}")


class State(enum.IntFlag):
    """States that deny every release; bit n-1 is value n of `sluice.consent.v1.SubjectState`."""

    MINOR = 1
    DEACTIVATED = 2
    SUSPENDED = 4
    DELETED = 8
    PROTECTED = 16


NO_STATES = State(0)


@dataclass(frozen=True)
class Facts:
    """A subject as of one point in time."""

    jurisdiction: str
    """Country, or country and subdivision: "DE", "US-CA". Empty while only changes of state have been told of
    a subject: until someone says who they are, they are not known."""
    states: State = NO_STATES
    notices: frozenset[bytes] = frozenset()
    """SHA-256 digests of the notices served."""
    withheld: frozenset[str] = frozenset()
    """Countries in which the platform withholds all that they post."""


@dataclass(frozen=True)
class Profile:
    """Everything about a subject that can decide; subjects who share it are answered alike."""

    facts: Facts | None
    """None: not known, though they may have choices on record."""
    standing: Standing = NOTHING_SAID


UNKNOWN = Profile(facts=None)


@dataclass(frozen=True)
class Subject:
    """What the history of one subject comes to; enough to take the next choice or fact without reading it."""

    facts: Facts | None = None
    """None: not known."""
    choices: tuple[Choice, ...] = ()
    """Those that still matter (`still_standing`)."""
    last_stated_us: int | None = None
    """The latest stated time of all their choices, microseconds UTC."""
    seen_us: int | None = None
    """As of when, by the platform's clock, they were last described as a whole."""
    times_us: Mapping[int, int] = field(default_factory=dict)
    """When single states were set or cleared last, by the source's clock; see `state_changes`."""
    erased: bool = False
    """What was known of them was erased (C11); nothing is taken in any more."""

    @property
    def known(self) -> bool:
        """Whether somebody has said who they are."""
        return self.facts is not None and self.facts.jurisdiction != ""

    def with_choice(self, choice: Choice) -> "Subject":
        """After one more choice, whose revision is above those before."""
        last_us = (
            choice.stated_us if self.last_stated_us is None else max(self.last_stated_us, choice.stated_us)
        )
        return replace(self, choices=still_standing((*self.choices, choice)), last_stated_us=last_us)

    def profile(self) -> Profile:
        """What decides."""
        return Profile(self.facts, standing_of(self.choices) if self.choices else NOTHING_SAID)


def check_not_erased(subject: Subject) -> None:
    """Raises Refusal SUBJECT_ERASED: what was erased does not come back by an import (C11)."""
    if subject.erased:
        raise precondition("SUBJECT_ERASED", "the subject's records were erased, and none are taken any more")


def check_facts(facts: Facts) -> None:
    """Raises Refusal JURISDICTION_INVALID, NOTICE_DIGEST_INVALID, TOO_MANY_NOTICES, COUNTRY_INVALID."""
    if not _JURISDICTION.fullmatch(facts.jurisdiction):
        raise invalid("JURISDICTION_INVALID", "the jurisdiction is a code such as DE or US-CA")
    if any(len(notice) != DIGEST_BYTES for notice in facts.notices):
        raise invalid("NOTICE_DIGEST_INVALID", "a notice is named by its SHA-256 digest, 32 bytes")
    if len(facts.notices) > MOST_NOTICES:
        raise invalid("TOO_MANY_NOTICES", f"at most {MOST_NOTICES} notices are kept for a subject")
    check_countries(facts.withheld)


def check_countries(countries: frozenset[str]) -> None:
    """Raises Refusal COUNTRY_INVALID."""
    if len(countries) > MOST_COUNTRIES or not all(map(_COUNTRY.fullmatch, countries)):
        raise invalid("COUNTRY_INVALID", "a country is a code of two capital letters, such as DE")
