"""Whose accesses an assessment is of, and when (M6, D3, D4)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.chassis.refusals import invalid, not_found
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.parties import FOREVER_US, Described, Known
from services.metering.domain.seen import FURTHEST_AHEAD_US


@dataclass(frozen=True, order=True, slots=True)
class PartyStretch:
    """One party in [since, until)."""

    party_id: str
    since_us: int
    until_us: int

    def within(self, since_us: int, until_us: int) -> "PartyStretch":
        """The part of it in [since, until), which may be empty."""
        return PartyStretch(self.party_id, max(self.since_us, since_us), min(self.until_us, until_us))

    @property
    def is_empty(self) -> bool:
        """Whether there is no time in it."""
        return self.since_us >= self.until_us


@dataclass(frozen=True, order=True, slots=True)
class Assistant:
    """Somebody who only assisted: liable, and not counted."""

    party_id: str
    how: str


@dataclass(frozen=True, slots=True)
class AssessmentScope:
    """What is to be assessed."""

    of: Account
    """A party (LICENSEE) or a group."""
    since_us: int
    until_us: int
    policy_version: int
    """0: the latest."""
    jurisdiction: str
    """"" where it is not said."""
    assisted: tuple[Assistant, ...]
    """Sorted."""

    def check(self, now_us: int) -> None:
        """Raises Refusal STRETCH_EMPTY, UNTIL_IN_THE_FUTURE, SCOPE_INVALID; `now_us` in microseconds UTC."""
        if self.since_us >= self.until_us:
            raise invalid("STRETCH_EMPTY", "since lies before until", field="scope.since")
        # What is yet to come would be assessed as nothing, and could not be assessed again beside it.
        if self.until_us > now_us + FURTHEST_AHEAD_US:
            raise invalid("UNTIL_IN_THE_FUTURE", "it lies over 5 minutes ahead", field="scope.until")
        if self.of.scope not in {Scope.LICENSEE, Scope.GROUP}:
            raise invalid("SCOPE_INVALID", "a party or a group is assessed", field="scope.of")
        ids = [each.party_id for each in self.assisted]
        if len(set(ids)) < len(ids):
            raise invalid("SCOPE_INVALID", "somebody is named twice", field="scope.assisted")


def belonging(
    scope: AssessmentScope, known: Mapping[str, Known]
) -> tuple[list[PartyStretch], list[PartyStretch]]:
    """The stretches that are assessed, and those that are exempt as vetted research; sorted.

    Raises Refusal PARTY_UNKNOWN, GROUP_UNKNOWN, ASSISTANT_IS_MEMBER.
    """
    if not known:
        if scope.of.scope is Scope.GROUP:
            raise not_found("GROUP_UNKNOWN", "nobody ever belonged to this group")
        raise not_found("PARTY_UNKNOWN", "nothing was ever counted or said of this party")
    whole = [each for party_id, theirs in known.items() for each in _belongs(scope, party_id, theirs)]
    vetted = [each for party_id, theirs in known.items() for each in _vetted(party_id, theirs.descriptions)]
    exempt = [part for each in whole for other in vetted if (part := _both(each, other))]
    members = [part for each in whole for part in _without(each, exempt)]
    for assistant in scope.assisted:
        if assistant.party_id in {each.party_id for each in members}:
            raise invalid(
                "ASSISTANT_IS_MEMBER",
                f"{assistant.party_id} is counted itself in this stretch",
                field="scope.assisted",
            )
    return sorted(members), sorted(exempt)


def _belongs(scope: AssessmentScope, party_id: str, known: Known) -> Iterator[PartyStretch]:
    whole = PartyStretch(party_id, scope.since_us, scope.until_us)
    if scope.of.scope is Scope.LICENSEE:
        yield whole
        return
    for span in known.timeline.spans():
        part = whole.within(span.since_us, span.until_us)
        if span.group_id == scope.of.id and not part.is_empty:
            yield part


def _vetted(party_id: str, descriptions: Iterable[Described]) -> Iterator[PartyStretch]:
    last = {
        each.since_us: each for each in sorted(descriptions, key=lambda each: (each.since_us, each.number))
    }
    times = sorted(last)
    for since_us, until_us in zip(times, [*times[1:], FOREVER_US][: len(times)], strict=True):
        if last[since_us].party.vetted_research:
            yield PartyStretch(party_id, since_us, until_us)


def _both(one: PartyStretch, other: PartyStretch) -> PartyStretch | None:
    part = one.within(other.since_us, other.until_us)
    return None if one.party_id != other.party_id or part.is_empty else part


def _without(whole: PartyStretch, exempt: Iterable[PartyStretch]) -> Iterator[PartyStretch]:
    since_us = whole.since_us
    for each in sorted(exempt):
        if _both(whole, each):
            part = PartyStretch(whole.party_id, since_us, each.since_us)
            if not part.is_empty:
                yield part
            since_us = each.until_us
    if since_us < whole.until_us:
        yield PartyStretch(whole.party_id, since_us, whole.until_us)
