"""Who may receive posts, as people who choose by licensee are told of it (L1)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.licenses import License, Licensee, LicenseState, NextVersion, draft
from services.licensing.domain.recipients import Recipient, recipient_of
from services.licensing.domain.terms import Purpose, Terms
from tests.support.clock import NOON_US
from tests.support.licensing import DAY_US, a_digest, a_license, some_terms

ACME = Licensee("acme", "Acme", NOON_US)
SEARCH = some_terms(purposes=frozenset({Purpose.SEARCH_INDEX}))


def told(*licenses: License) -> tuple[tuple[Purpose, ...], bool] | None:
    """Purposes, and whether anything is in force at noon; None of no recipient."""
    recipient = recipient_of(ACME, licenses, NOON_US)
    return None if recipient is None else (recipient.purposes, recipient.is_active)


def a_draft(terms: Terms | None = None) -> License:
    return draft("license-1", terms or some_terms(), NOON_US)


def with_next(license: License, from_us: int | None, terms: Terms = SEARCH) -> License:
    """The license with another version, drafted or with its time."""
    return replace(license, next=NextVersion(license.version + 1, terms, a_digest(), from_us))


TRAINING = ((Purpose.AI_TRAINING_GENERATIVE,), True)
TRAINING_LATER = ((Purpose.AI_TRAINING_GENERATIVE,), False)
SEARCH_LATER = ((Purpose.SEARCH_INDEX,), False)
BOTH = ((Purpose.AI_TRAINING_GENERATIVE, Purpose.SEARCH_INDEX), True)
NOT_BEGUN: dict[str, Any] = {"term_from_us": NOON_US + 1, "term_until_us": NOON_US + DAY_US}
OVER: dict[str, Any] = {"term_from_us": NOON_US - DAY_US, "term_until_us": NOON_US}
CASES = {
    "one in force": (a_license(), TRAINING),
    "one suspended": (a_license(LicenseState.SUSPENDED), TRAINING_LATER),
    "one that is activated and whose term has not begun": (a_license(**NOT_BEGUN), TRAINING_LATER),
    "one whose term is over, though it says active": (a_license(**OVER), None),
    "one suspended whose term is over": (a_license(LicenseState.SUSPENDED, **OVER), None),
    "a draft": (a_draft(), None),
    "one terminated": (a_license(LicenseState.TERMINATED), None),
    "one terminated with a version that had its time": (
        with_next(a_license(LicenseState.TERMINATED), NOON_US + 1),
        None,
    ),
    "a draft that has its time": (with_next(a_draft(), NOON_US + 1), SEARCH_LATER),
    "a draft whose time has come": (with_next(a_draft(), NOON_US), ((Purpose.SEARCH_INDEX,), True)),
    "one in force with a drafted amendment": (with_next(a_license(), None), TRAINING),
    "one in force with an amendment that has its time": (with_next(a_license(), NOON_US + 1), BOTH),
    "one whose term is over, to be renewed": (with_next(a_license(**OVER), NOON_US + 1), SEARCH_LATER),
    "one with an amendment whose term ends before its time": (
        with_next(a_license(), NOON_US + DAY_US, replace(SEARCH, **NOT_BEGUN)),
        TRAINING,
    ),
    "one whose version is replaced before its term begins": (
        with_next(a_license(**NOT_BEGUN), NOON_US + 1),
        SEARCH_LATER,
    ),
    "one that is not understood": (replace(a_license(), terms=Terms.nothing("acme")), None),
}


@pytest.mark.parametrize(("license", "expected"), CASES.values(), ids=CASES)
def test_l1_a_licensee_is_told_of_while_something_is_or_will_be_in_force(
    license: License, expected: tuple[tuple[Purpose, ...], bool] | None
) -> None:
    assert told(license) == expected


def test_of_several_licenses_all_purposes_are_told_each_once_and_ascending() -> None:
    research = a_license(purposes=frozenset({Purpose.VETTED_RESEARCH, Purpose.SEARCH_INDEX}))
    licenses = [research, a_license(LicenseState.TERMINATED, purposes=frozenset({Purpose.DATA_MINING}))]

    recipient = recipient_of(ACME, [*licenses, replace(a_license(), terms=SEARCH)], NOON_US)

    purposes = tuple(sorted({Purpose.SEARCH_INDEX, Purpose.VETTED_RESEARCH}))
    assert recipient == Recipient("acme", "Acme", purposes, is_active=True)


def test_a_licensee_without_a_license_receives_nothing() -> None:
    assert told() is None


times = st.integers(-3, 3).map(lambda days: NOON_US + days * DAY_US)
spans = st.tuples(times, times).filter(lambda ends: ends[0] < ends[1])


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    term_from_us, term_until_us = draw(spans)
    purpose = draw(st.sampled_from(Purpose))
    return some_terms(purposes=frozenset({purpose}), term_from_us=term_from_us, term_until_us=term_until_us)


@st.composite
def any_license(draw: st.DrawFn) -> License:
    license = replace(draft("license-1", draw(any_terms()), NOON_US), state=draw(st.sampled_from(
        [LicenseState.DRAFT, LicenseState.ACTIVE, LicenseState.SUSPENDED, LicenseState.TERMINATED]
    )))  # fmt: skip
    return with_next(license, draw(st.none() | times), draw(any_terms())) if draw(st.booleans()) else license


@given(licenses=st.lists(any_license(), max_size=3))
def test_l1_what_is_told_is_what_is_in_force_now_or_at_an_hour_to_come_if_all_are_resumed(
    licenses: list[License],
) -> None:
    # All times are whole days from noon: what holds on any day to come holds on one of these.
    hours = [NOON_US + day * DAY_US for day in range(4)]
    resumed = [
        replace(each, state=LicenseState.ACTIVE) if each.state is LicenseState.SUSPENDED else each
        for each in licenses
    ]
    purposes = {
        purpose
        for each in resumed
        for at_us in hours
        if each.in_force(at_us)
        for purpose in each.as_of(at_us).terms.purposes
    }

    recipient = recipient_of(ACME, licenses, NOON_US)

    assert (recipient.purposes if recipient else ()) == tuple(sorted(purposes))
    assert recipient is None or recipient.is_active == any(each.in_force(NOON_US) for each in licenses)
