"""What is known of a subject beside their choices: jurisdiction, account states, notices served (C4)."""

import enum
import re
from dataclasses import dataclass

from services.chassis.refusals import invalid
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

_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


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
    """Country, or country and subdivision: "DE", "US-CA"."""
    states: State = NO_STATES
    notices: frozenset[bytes] = frozenset()
    """SHA-256 digests of the notices served."""


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

    def with_choice(self, choice: Choice) -> "Subject":
        """After one more choice, whose revision is above those before."""
        last_us = (
            choice.stated_us if self.last_stated_us is None else max(self.last_stated_us, choice.stated_us)
        )
        return Subject(self.facts, still_standing((*self.choices, choice)), last_us)

    def with_facts(self, facts: Facts) -> "Subject":
        """As now known."""
        return Subject(facts, self.choices, self.last_stated_us)

    def profile(self) -> Profile:
        """What decides."""
        return Profile(self.facts, standing_of(self.choices) if self.choices else NOTHING_SAID)


def check_facts(facts: Facts) -> None:
    """Raises Refusal JURISDICTION_INVALID, NOTICE_DIGEST_INVALID, TOO_MANY_NOTICES."""
    if not _JURISDICTION.fullmatch(facts.jurisdiction):
        raise invalid("JURISDICTION_INVALID", "the jurisdiction is a code such as DE or US-CA")
    if any(len(notice) != DIGEST_BYTES for notice in facts.notices):
        raise invalid("NOTICE_DIGEST_INVALID", "a notice is named by its SHA-256 digest, 32 bytes")
    if len(facts.notices) > MOST_NOTICES:
        raise invalid("TOO_MANY_NOTICES", f"at most {MOST_NOTICES} notices are kept for a subject")
