"""Everything on record about one subject, as of one revision, and the words in which it is told (C11).

What a subject consents to is worked out from the choices that still matter by the rules that decide releases
(C2, C7), never by looking for the latest choice. All times are microseconds UTC.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.consent.domain.choices import (
    ALL_PURPOSES,
    EVERYONE,
    Choice,
    Says,
    Scope,
    Stance,
    standing_of,
)
from services.consent.domain.policies import Policy
from services.consent.domain.purposes import PURPOSES, Purpose, Signal
from services.consent.domain.subjects import State
from services.consent.domain.verdicts import purposes_of
from services.consent.domain.withdrawals import Recorded

OTHERS = "*"
"""Stands for every licensee that no choice names; none can be called that."""

TITLES: Mapping[int, str] = {
    ALL_PURPOSES: "Every purpose to which choices apply",
    Purpose.THIRD_PARTY_SHARING: "Sharing with third parties",
    Purpose.AI_TRAINING_GENERATIVE: "Training of generative AI",
    Purpose.AI_TRAINING_OTHER: "Training of other AI",
    Purpose.AI_INPUT: "Input to AI: retrieval and grounding",
    Purpose.AI_INDEX: "Index for AI: embeddings",
    Purpose.SEARCH_INDEX: "Search index",
    Purpose.DATA_MINING: "Data mining",
    Purpose.VETTED_RESEARCH: "Vetted research",
}
"""What people call a purpose."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST_US = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
_LATEST_US = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)


class ChoiceMethod(enum.IntEnum):
    """Numbers of `sluice.consent.v1.ChoiceMethod`."""

    UNSPECIFIED = 0
    SETTINGS = 1
    OPERATOR = 2
    IMPORT = 3
    SIGNAL_GPC = 4
    SIGNAL_AIPREF = 5
    AGENT = 6


@dataclass(frozen=True)
class ChoiceRecord:
    """A choice with everything that was recorded of it."""

    revision: int
    stance: Stance
    licensee: str
    """Empty for everyone."""
    purpose: int
    """0 for all."""
    method: int
    """A `ChoiceMethod`."""
    notice_digest: bytes
    """SHA-256 of the notice shown; empty where there was none."""
    claimed_us: int | None
    """When the source says it was stated; None if live, or where it did not say."""
    stated_us: int
    recorded_us: int
    recorded_by: str
    """Kind and party, such as "operator:ada"."""

    @property
    def scope(self) -> Scope:
        """For whom and for what it was made."""
        return Scope(self.licensee, self.purpose)

    @property
    def choice(self) -> Choice:
        """The part of it that decides."""
        return Choice(self.stance, self.scope, self.stated_us, self.revision)


@dataclass(frozen=True)
class FactsRecord:
    """What was known of the subject from one revision on."""

    revision: int
    jurisdiction: str
    """Empty while nobody had said who they are."""
    states: State
    notices: frozenset[bytes]
    """SHA-256 digests of the notices served."""
    withheld: frozenset[str]
    """Countries in which all that they post is withheld."""
    occurred_us: int
    recorded_us: int
    recorded_by: str
    kind: int = 0
    """The `ChangeKind` of what was told; 0 for a description of the whole subject."""


@dataclass(frozen=True)
class SignalRecord:
    """A source has sent an objection; what it sends again is not recorded."""

    revision: int
    """Of the first deny that it led to."""
    source: str
    """The browser or site."""
    signal: Signal


@dataclass(frozen=True)
class Controller:
    """Whose platform it is, as a subject may address them."""

    name: str
    address: str
    email: str
    phone: str
    contact: str
    """The person or office to write to."""
    policy_url: str
    withdrawal_url: str
    """Where a subject takes a consent back."""
    country: str
    """ISO 3166-1, where they are and keep what they store."""
    language: str = "en"


@dataclass(frozen=True)
class Dossier:
    """One subject's records. The exports put them in order of revisions, in whichever they come."""

    subject_id: int
    epoch: int
    revision: int
    """As of which; nothing in it is later."""
    taken_us: int
    choices: tuple[ChoiceRecord, ...]
    facts: tuple[FactsRecord, ...]
    standing: tuple[int, ...]
    """Revisions of the choices that still matter (`choices.still_standing`)."""
    policies: tuple[Policy, ...]
    erased_us: int | None
    """None unless they were erased; then only a deny is left."""
    signals: tuple[SignalRecord, ...] = ()
    withdrawals: tuple[Recorded, ...] = ()
    """What the records took back of earlier releases."""

    def in_order(self) -> tuple[ChoiceRecord, ...]:
        """All choices by revision."""
        return tuple(sorted(self.choices, key=lambda choice: choice.revision))

    def still_mattering(self) -> tuple[ChoiceRecord, ...]:
        """The choices that still decide, by revision."""
        revisions = frozenset(self.standing)
        return tuple(choice for choice in self.in_order() if choice.revision in revisions)

    def consents(self) -> frozenset[Scope]:
        """Each single licensee and purpose that an allow covers and no deny that holds (C2, C7).

        Licensees are those named in choices that still matter, and `OTHERS`. Regimes and states of the
        account are not looked at: this is what the subject said, not what may be released.
        """
        mattering = self.still_mattering()
        standing = standing_of(record.choice for record in mattering)
        licensees = {record.licensee for record in mattering} - {EVERYONE} | {OTHERS}
        return frozenset(
            Scope(licensee, purpose)
            for purpose in choosable()
            for licensee in licensees
            if all(
                standing.says(licensee, needed, asked) is Says.ALLOWS
                for needed, asked in purposes_of(purpose)
            )
        )

    def jurisdiction_at(self, revision: int) -> str:
        """The subject's jurisdiction as it was known at a revision; empty if it was not."""
        known = [record for record in self.facts if record.jurisdiction and record.revision <= revision]
        return max(known, key=lambda record: record.revision).jurisdiction if known else ""


def choosable() -> tuple[int, ...]:
    """The purposes that a choice for all of them covers, ascending."""
    return tuple(sorted(purpose for purpose, traits in PURPOSES.items() if traits.choosable))


def purpose_word(purpose: int) -> str:
    """A purpose as written in exports: "all", "ai_input"."""
    return "all" if purpose == ALL_PURPOSES else Purpose(purpose).name.lower()


def method_word(method: int) -> str:
    """A method as written in exports: "settings"."""
    return ChoiceMethod(method).name.lower()


def rfc3339(time_us: int) -> str:
    """A time in UTC with six digits of a second.

    RFC 3339 has no years before 1 or after 9999; a source that claims such a time must not make its subject's
    records unreadable, so the nearest time that can be written stands for it.
    """
    within_us = min(max(time_us, _EARLIEST_US), _LATEST_US)
    moment = (_EPOCH + timedelta(microseconds=within_us)).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds") + "Z"
