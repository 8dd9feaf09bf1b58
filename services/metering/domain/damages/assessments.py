"""What the clause comes to for somebody, under the policy and under every other reading (D1 to D3)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.metering.domain.damages.cells import Counted
from services.metering.domain.damages.liability import split
from services.metering.domain.damages.members import PartyStretch
from services.metering.domain.damages.periods import GoOn, Period
from services.metering.domain.damages.policies import DamagesPolicy, Selection
from services.metering.domain.damages.portions import posts_in
from services.metering.domain.damages.readings import EVERY_READING, Claims, Reading

Selected: TypeAlias = Callable[[Sequence[PartyStretch], Selection], Counted]
"""What was counted of these in their stretches, as far as it is selected."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one party took, and what it is suggested to pay."""

    party_id: str
    posts: int
    amount: int
    """Minor units."""


@dataclass(frozen=True, slots=True)
class ClaimedPeriod:
    """A period with what it comes to."""

    period: Period
    amount: int
    shares: tuple[Share, ...]
    """Of everyone whose stretches meet it, sorted."""


@dataclass(frozen=True, slots=True)
class Liable:
    """What a party is liable for over all periods."""

    share: Share
    liable_for: int
    """The whole of each period that it is a member of (D3)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reading comes to."""

    selection: Selection
    reading: Reading
    periods: int
    posts: int
    """In the periods."""
    amount: int


@dataclass(frozen=True, slots=True)
class Assessed:
    """What it all comes to."""

    periods: tuple[ClaimedPeriod, ...]
    posts: int
    """All that counts in the range."""
    outcomes: tuple[Outcome, ...]
    """Of every reading, sorted."""

    @property
    def amount(self) -> int:
        """What is claimed, in minor units."""
        return sum(each.amount for each in self.periods)

    def liable(self) -> list[Liable]:
        """By party, sorted."""
        theirs: dict[str, list[tuple[Share, int]]] = defaultdict(list)
        for period in self.periods:
            for share in period.shares:
                theirs[share.party_id].append((share, period.amount))
        return [
            Liable(
                Share(party_id, sum(one.posts for one, _ in shares), sum(one.amount for one, _ in shares)),
                sum(whole for _, whole in shares),
            )
            for party_id, shares in sorted(theirs.items())
        ]


def readings(policy: DamagesPolicy) -> int:
    """How many ways to read it there are."""
    return len(policy.selections()) * len(EVERY_READING)


def assess(  # noqa: PLR0917 - what is assessed, of what, and for as long as somebody waits
    policy: DamagesPolicy,
    members: Sequence[PartyStretch],
    since_us: int,
    until_us: int,
    selected: Selected,
    go_on: GoOn,
) -> Iterator[Outcome | Assessed]:
    """Each reading as it is found, and at last all of it. Raises Refusal.

    TOO_MANY_POSTS, AMOUNT_TOO_LARGE, SUMS_DIFFER.
    """
    outcomes: list[Outcome] = []
    claimed: list[Period] = []
    posts = 0
    for selection in policy.selections():
        claims = Claims(policy.clause, selected(members, selection), since_us, until_us, go_on)
        if selection == policy.selection:
            posts = claims.posts
        for reading in EVERY_READING:
            periods = claims.periods(reading)
            outcomes.append(_outcome(policy, selection, reading, periods))
            if (selection, reading) == (policy.selection, policy.reading):
                claimed = periods
            yield outcomes[-1]
    yield Assessed(_claimed(policy, members, claimed, selected, go_on), posts, tuple(outcomes))


def _outcome(
    policy: DamagesPolicy, selection: Selection, reading: Reading, periods: Sequence[Period]
) -> Outcome:
    tariff = policy.clause.tariff(reading.rounding)
    posts = sum(period.posts for period in periods)
    return Outcome(selection, reading, len(periods), posts, policy.rate.total(tariff, periods))


def _claimed(
    policy: DamagesPolicy,
    members: Sequence[PartyStretch],
    periods: Sequence[Period],
    selected: Selected,
    go_on: GoOn,
) -> tuple[ClaimedPeriod, ...]:
    theirs: dict[str, list[PartyStretch]] = defaultdict(list)
    for member in members:
        theirs[member.party_id].append(member)
    shares: list[dict[str, int]] = [{} for _ in periods]
    for party_id, stretches in sorted(theirs.items()):
        go_on()
        posts = posts_in(selected(stretches, policy.selection), periods).tolist()
        for place, period in enumerate(periods):
            parts = (each.within(period.since_us, period.until_us) for each in stretches)
            if not all(part.is_empty for part in parts):
                shares[place][party_id] = posts[place]
    return tuple(_shared(policy, *each) for each in zip(periods, shares, strict=True))


def _shared(policy: DamagesPolicy, period: Period, posts: dict[str, int]) -> ClaimedPeriod:
    amount = policy.rate.amount(policy.clause.tariff(policy.reading.rounding), period.posts)
    shares = split(amount, posts)
    return ClaimedPeriod(period, amount, tuple(Share(id, posts[id], shares[id]) for id in posts))
