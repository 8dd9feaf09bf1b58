"""Choices and subjects as they are handed in, each row checked on its own: one bad row stops no other."""

import re
from collections.abc import Iterable
from dataclasses import replace

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal, invalid
from services.consent.domain.choices import (
    ALL_PURPOSES,
    DIGEST_BYTES,
    EVERYONE,
    Draft,
    Scope,
    Stance,
    check_content,
)
from services.consent.domain.outcomes import Rejected, rejected
from services.consent.domain.subjects import NO_STATES, Facts, State, check_facts
from services.consent.rpc.requests import bounded_us
from sluice.consent.v1 import choice_pb2, subject_pb2
from sluice.consent.v1 import consent_service_pb2 as pb

_LICENSEE = re.compile(r"(?!(?:everyone|all)\Z)[a-z0-9][a-z0-9._-]{0,62}")
"""As in the contract: a source that writes the broad scope as a name would be bound to nobody by it."""
_STATES = {number: State(1 << number - 1) for number in subject_pb2.SubjectState.values() if number}


def live_choice(given: choice_pb2.Choice, kind: PrincipalKind) -> Draft:
    """A choice that a caller of a kind makes now; what the contract asks of it has been checked.

    An agent's is on record as such: it cannot say that the subject was on our own page (C1).
    """
    draft = _draft(given, None)
    return replace(draft, method=choice_pb2.CHOICE_METHOD_AGENT) if kind is PrincipalKind.AGENT else draft


def choices(
    given: Iterable[pb.RecordChoicesRequest.Row],
) -> tuple[list[tuple[int, Draft]], tuple[Rejected, ...]]:
    """(line, choice) of the good rows, in their order, and the bad ones."""
    good, bad = [], []
    for row in given:
        try:
            draft = _imported_choice(row.choice)
            check_content(draft)
        except Refusal as refusal:
            bad.append(rejected(row.line, refusal))
        else:
            good.append((row.line, draft))
    return good, tuple(bad)


def subjects(
    given: Iterable[pb.ImportSubjectsRequest.Row],
) -> tuple[list[tuple[int, int, Facts, int | None]], tuple[Rejected, ...]]:
    """(line, subject id, facts, as of) of the good rows, in their order, and the bad ones."""
    good, bad = [], []
    for row in given:
        try:
            facts = _facts(row.subject)
            check_facts(facts)
        except Refusal as refusal:
            bad.append(rejected(row.line, refusal))
        else:
            as_of_us = bounded_us(row.subject.as_of) if row.subject.HasField("as_of") else None
            good.append((row.line, row.subject.subject_id, facts, as_of_us))
    return good, tuple(bad)


def _imported_choice(given: choice_pb2.Choice) -> Draft:
    _check_subject_id(given.subject_id)
    if given.stance not in {choice_pb2.STANCE_ALLOW, choice_pb2.STANCE_DENY}:
        raise invalid("STANCE_UNKNOWN", "a choice allows or denies")
    if not given.everyone and not _LICENSEE.fullmatch(given.licensee_id):
        raise invalid("LICENSEE_INVALID", "a choice names a licensee, or everyone")
    if not given.all_purposes and given.purpose == 0:
        raise invalid("PURPOSE_UNKNOWN", "a choice names a purpose, or all of them")
    if given.method not in choice_pb2.ChoiceMethod.values():
        raise invalid("METHOD_UNKNOWN", "the method is not one of the contract")
    claimed_us = bounded_us(given.stated_at) if given.HasField("stated_at") else None
    return _draft(given, claimed_us)


def _draft(given: choice_pb2.Choice, claimed_us: int | None) -> Draft:
    return Draft(
        given.subject_id,
        Stance(given.stance),
        Scope(
            EVERYONE if given.everyone else given.licensee_id,
            ALL_PURPOSES if given.all_purposes else given.purpose,
        ),
        given.method,
        # What is no digest says nothing; a deny is not refused for it (C1).
        given.notice_digest if len(given.notice_digest) == DIGEST_BYTES else b"",
        claimed_us,
    )


def _facts(given: subject_pb2.Subject) -> Facts:
    _check_subject_id(given.subject_id)
    states = NO_STATES
    for number in given.states:
        if number not in _STATES:
            raise invalid("STATE_UNKNOWN", "a state is not one of the contract")
        states |= _STATES[number]
    return Facts(
        given.jurisdiction, states, frozenset(given.notice_digests), frozenset(given.withheld_countries)
    )


def _check_subject_id(subject_id: int) -> None:
    if subject_id == 0:
        raise invalid("SUBJECT_ID_MISSING", "a subject has an id above 0")
