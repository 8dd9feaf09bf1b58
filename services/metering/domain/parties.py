"""Which group a party belongs to, and when (M6).

Memberships have a time from which they hold, and arrive in any order: at a time the one holds that begins
latest before it, and of several that begin together the one that was recorded last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from services.chassis.refusals import Refusal, invalid, not_found
from services.metering.domain.windows import ROLLING_DAY_US

NO_GROUP = ""
FOREVER_US = 2**63 - 1


@dataclass(frozen=True, order=True, slots=True)
class Membership:
    """From when a party belongs to a group."""

    since_us: int
    number: int
    """The number it got from the head: of two for the same time the higher one holds."""
    group_id: str
    """NO_GROUP: it belongs to none."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, [since, until), in one group."""

    since_us: int
    until_us: int
    group_id: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The memberships of one party, in order."""

    memberships: tuple[Membership, ...] = field(default=())

    @classmethod
    def of(cls, memberships: Iterable[Membership]) -> "Timeline":
        """Puts them in order and leaves out those that another one for the same time replaced."""
        last = {each.since_us: each for each in sorted(memberships)}
        return cls(tuple(last[since_us] for since_us in sorted(last)))

    def group_at(self, at_us: int) -> str:
        """The group at a time; NO_GROUP where there is none."""
        held = [each.group_id for each in self.memberships if each.since_us <= at_us]
        return held[-1] if held else NO_GROUP

    def groups_since(self, at_us: int) -> set[str]:
        """The groups at that time and at all later ones."""
        later = {each.group_id for each in self.memberships if each.since_us > at_us}
        return (later | {self.group_at(at_us)}) - {NO_GROUP}

    def changes_in(self, since_us: int, until_us: int) -> bool:
        """Whether the group changes after a time and up to another."""
        times = [
            since_us,
            *(each.since_us for each in self.memberships if since_us < each.since_us <= until_us),
        ]
        return len({self.group_at(at_us) for at_us in times}) > 1

    def spans(self) -> tuple[Span, ...]:
        """All of time, cut where the group changes; without the stretches in no group."""
        ends = [*(each.since_us for each in self.memberships), FOREVER_US][1:]
        spans: list[Span] = []
        for membership, until_us in zip(self.memberships, ends, strict=True):
            if spans and (spans[-1].group_id, spans[-1].until_us) == (
                membership.group_id,
                membership.since_us,
            ):
                spans[-1] = Span(spans[-1].since_us, until_us, membership.group_id)
            else:
                spans.append(Span(membership.since_us, until_us, membership.group_id))
        return tuple(span for span in spans if span.group_id != NO_GROUP)


@dataclass(frozen=True, slots=True)
class Party:
    """Who somebody is whose accesses are counted."""

    party_id: str
    display_name: str = ""
    vetted_research: bool = False
    affiliates: tuple[str, ...] = ()
    """Parties that belong with it; counted as one only where a group says so."""


@dataclass(frozen=True, slots=True)
class Described:
    """From when a party is as it is described."""

    since_us: int
    number: int
    party: Party


@dataclass(frozen=True, slots=True)
class Known:
    """All that was ever said of a party."""

    descriptions: tuple[Described, ...]
    timeline: Timeline

    @classmethod
    def nothing(cls) -> "Known":
        """Of a party that nobody has spoken of."""
        return cls((), Timeline())

    def at(self, party_id: str, at_us: int) -> Party:
        """The party at a time; its id alone where nobody had said more."""
        said = [each for each in self.descriptions if each.since_us <= at_us]
        return max(said, key=lambda each: (each.since_us, each.number)).party if said else Party(party_id)


FURTHEST_AHEAD_US = 366 * ROLLING_DAY_US
"""A change may be announced a year ahead; beyond that a time is more likely mistyped."""


def effective_us(asked_us: int | None, now_us: int) -> int:
    """From when a change holds; raises Refusal (invalid, EFFECTIVE_TIME_INVALID)."""
    if asked_us is None:
        return now_us
    if not 0 <= asked_us <= now_us + FURTHEST_AHEAD_US:
        raise invalid(
            "EFFECTIVE_TIME_INVALID", "a change holds from 1970 to a year ahead", field="effective_at"
        )
    return asked_us


def party_unknown() -> Refusal:
    """The refusal of what is asked about a party that nobody has said anything of."""
    return not_found("PARTY_UNKNOWN", "there is no party with this id")
