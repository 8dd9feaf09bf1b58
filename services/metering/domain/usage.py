"""What was counted, for whoever looks at it."""

import enum
from dataclasses import dataclass

from services.metering.domain.allowances import Account, Posts, Scope
from services.metering.domain.parties import Span
from services.metering.domain.projections import Content


@dataclass(frozen=True, slots=True)
class Stretch:
    """An account in (since, until]."""

    account: Account
    since_us: int
    until_us: int


@dataclass(frozen=True, order=True, slots=True)
class UsageKey:
    """What a row of usage is about."""

    seen: bool
    """Reported from elsewhere, rather than reserved."""
    content: Content


Usage = dict[UsageKey, Posts]


@dataclass(frozen=True, slots=True)
class Absence:
    """What there is besides, where nothing was counted in a stretch."""

    unknown: bool
    """Whether nothing at all is on record: neither anything counted nor anything said."""
    last_us: int | None
    """When the last access counts, up to the beginning of the stretch; None where there is none."""


def of_party(party_id: str, since_us: int, until_us: int) -> list[Stretch]:
    """What it reserved, and what was seen of it elsewhere."""
    return [Stretch(Account(scope, party_id), since_us, until_us) for scope in (Scope.LICENSEE, Scope.SEEN)]


def of_member(party_id: str, span: Span, since_us: int, until_us: int) -> list[Stretch]:
    """The same for as long as a party belonged to a group: [since, until) of the span (M6)."""
    first_us, last_us = max(since_us, span.since_us - 1), min(until_us, span.until_us - 1)
    return of_party(party_id, first_us, last_us) if first_us < last_us else []


class Level(enum.IntEnum):
    """How full a window is; the numbers are those of `UsageLevel` in the contract."""

    BELOW = 1
    HIGH = 2
    FULL = 3


def level(posts: int, limit: int) -> Level:
    """HIGH from 80 % of the limit on, FULL from the limit on."""
    if posts >= limit:
        return Level.FULL
    return Level.HIGH if posts * 5 >= limit * 4 else Level.BELOW
