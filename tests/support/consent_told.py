"""Subjects and posts that were told about, word by word."""

from collections.abc import Iterator

from services.consent.domain.posts import Post
from services.consent.domain.state_changes import (
    ChangeKind,
    StateChange,
    post_after,
    subject_after,
    subject_described,
)
from services.consent.domain.subjects import Facts, State, Subject
from tests.support.clock import NOON_US
from tests.support.consent import a_change, some_facts
from tests.support.consent_truth import Told

SETS = {
    State.MINOR: ChangeKind.MINOR,
    State.DEACTIVATED: ChangeKind.DEACTIVATE,
    State.SUSPENDED: ChangeKind.SUSPEND,
    State.DELETED: ChangeKind.DELETE,
}
"""The change that sets a state on its own."""


def told_to_subject(subject: Subject, told: Told, now_us: int = NOON_US) -> Subject:
    """The subject after it, also where it changes nothing."""
    if isinstance(told.said, Facts):
        return subject_described(subject, told.said, told.at_us, now_us) or subject
    return subject_after(subject, told.said, now_us) or subject


def told_to_post(post: Post, told: Told, now_us: int = NOON_US) -> Post:
    """The post after it, also where it changes nothing."""
    assert isinstance(told.said, StateChange)
    return post_after(post, told.said, now_us) or post


def a_subject(*told: Told, facts: Facts | None = None, at: int = 0) -> Subject:
    """Known since long ago, and then told about."""
    subject = subject_described(Subject(), facts or some_facts(), at, NOON_US)
    assert subject is not None
    for each in told:
        subject = told_to_subject(subject, each)
    return subject


def said(kind: ChangeKind, at: int, *countries: str) -> Told:
    """A single change."""
    return Told(at, a_change(kind, at, countries=countries))


def states_of(subject: Subject) -> State:
    """Of somebody of whom something is on record."""
    assert subject.facts is not None
    return subject.facts.states


def what_denies(said: Facts, withheld: frozenset[str], now_us: int) -> Iterator[Told]:
    """What is taken of a description from the future: each state, and the countries beside those so far."""
    for state in said.states:
        yield Told(now_us, StateChange(SETS[state], now_us))
    if said.withheld:
        yield Told(now_us, StateChange(ChangeKind.WITHHELD, now_us, said.withheld | withheld))
