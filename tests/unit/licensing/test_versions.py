"""Versions of a license: drafted, activated at once or at a time, and never two in force (L1)."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.licenses import License, LicenseState, Step
from services.licensing.domain.pricing.prices import BillingPeriod, Price
from services.licensing.domain.terms import Purpose
from services.licensing.domain.versions import (
    FURTHEST_AHEAD_US,
    Activation,
    activated,
    amended,
    without_amendment,
)
from tests.support.clock import NOON_US
from tests.support.licensing import DAY_US, a_digest, a_license, put_into_force, some_terms
from tests.support.prices import a_price

NARROWER = some_terms(languages=frozenset({"en"}))


def with_amendment(
    license: License, number: int = 2, last_price: Price | None = None, **changes: Any
) -> License:
    """The license with a draft of other terms."""
    terms = some_terms(**(changes or {"languages": frozenset({"en"})}))
    return amended(license, terms, license.terms_digest, number, NOON_US, last_price=last_price)


def at(license: License, effective_at_us: int) -> License:
    """The license with its draft set to a time."""
    drafted = license.next or license
    activation = Activation(drafted.version, drafted.terms_digest, effective_at_us)
    return activated(license, activation, NOON_US, "")


def test_l1_an_amendment_changes_nothing_before_it_is_activated() -> None:
    license = with_amendment(a_license())

    later = license.as_of(NOON_US + 100 * DAY_US)

    assert (later.version, later.terms) == (1, some_terms())
    assert later.next is not None
    assert later.next.terms == NARROWER


def test_l1_an_amendment_takes_the_place_of_the_version_before_at_once() -> None:
    license = put_into_force(with_amendment(a_license()), NOON_US + 5)

    assert (license.version, license.terms, license.next) == (2, NARROWER, None)
    assert (license.state, license.effective_from_us) == (LicenseState.ACTIVE, NOON_US + 5)


def test_l1_an_amendment_with_a_time_is_in_force_from_that_instant_on() -> None:
    license = at(with_amendment(a_license()), NOON_US + 10)

    versions = [license.as_of(NOON_US + offset_us).version for offset_us in (0, 9, 10, 11)]

    assert versions == [1, 1, 2, 2]


def test_l1_a_draft_with_a_time_becomes_active_by_itself() -> None:
    license = at(a_license(LicenseState.DRAFT), NOON_US + 10)

    assert [license.in_force(NOON_US + offset_us) for offset_us in (9, 10)] == [False, True]
    assert license.as_of(NOON_US + 10).state_changed_at_us == NOON_US + 10


def test_l1_a_license_that_is_suspended_stays_so_under_its_new_version() -> None:
    license = put_into_force(with_amendment(a_license(LicenseState.SUSPENDED)))

    assert (license.version, license.state) == (2, LicenseState.SUSPENDED)


def test_l1_an_amendment_can_renew_a_license_that_has_expired() -> None:
    expired = a_license(term_until_us=NOON_US - 1)

    renewed = put_into_force(with_amendment(expired, term_until_us=NOON_US + DAY_US))

    assert [each.in_force(NOON_US) for each in (expired, renewed)] == [False, True]


def test_l1_a_license_that_was_ended_is_not_begun_again_by_a_time_that_was_set() -> None:
    license = at(with_amendment(a_license()), NOON_US + 10)

    ended = license.after(Step.TERMINATE, NOON_US + 5, "")

    assert ended.as_of(NOON_US + 10).version == 1
    assert not ended.in_force(NOON_US + 10)


@pytest.mark.parametrize("state", [LicenseState.DRAFT, LicenseState.ACTIVE, LicenseState.SUSPENDED])
def test_l1_what_is_ended_has_no_version_that_waits(state: LicenseState) -> None:
    license = a_license(state)
    waiting = at(license if state is LicenseState.DRAFT else with_amendment(license), NOON_US + 10)

    ended = waiting.after(Step.TERMINATE, NOON_US + 5, "")

    assert (ended.version, ended.next) == (1, None)


def test_l1_what_an_earlier_release_left_waiting_beside_an_ended_license_is_not_told() -> None:
    waiting = at(with_amendment(a_license()), NOON_US + 10)

    ended = replace(waiting, state=LicenseState.TERMINATED)

    assert [ended.as_of(NOON_US + offset_us).next for offset_us in (5, 15)] == [None, None]
    assert ended.as_of(NOON_US + 15).version == 1


def test_l1_a_step_after_the_time_of_an_amendment_keeps_it() -> None:
    license = at(with_amendment(a_license()), NOON_US + 10)

    suspended = license.after(Step.SUSPEND, NOON_US + 20, "")

    assert (suspended.version, suspended.state, suspended.next) == (2, LicenseState.SUSPENDED, None)


def test_l1_the_drafted_version_of_a_draft_is_replaced() -> None:
    license = with_amendment(a_license(LicenseState.DRAFT))

    assert (license.version, license.terms, license.next) == (2, NARROWER, None)
    assert license.state is LicenseState.DRAFT


def test_l1_versions_follow_one_another_in_time_whatever_the_clock_does() -> None:
    license = put_into_force(with_amendment(a_license()), NOON_US + 100)
    again = amended(license, some_terms(), license.terms_digest, 3, NOON_US, last_price=None)

    assert put_into_force(again, NOON_US).effective_from_us == NOON_US + 100


PRICED = a_license(price=a_price())


@pytest.mark.parametrize(
    ("reason", "license", "changes"),
    [
        ("LICENSE_STATE_FORBIDS", a_license(LicenseState.TERMINATED), {"languages": frozenset({"en"})}),
        ("AMENDMENT_PENDING", with_amendment(a_license()), {"languages": frozenset({"de"})}),
        ("AMENDMENT_EMPTY", a_license(), {"languages": frozenset({"*"})}),
        ("AMENDMENT_CHANGES_LICENSEE", a_license(), {"licensee_id": "licensee-2"}),
        ("AMENDMENT_CHANGES_BILLING", PRICED, {"price": a_price(currency="EUR")}),
        ("AMENDMENT_CHANGES_BILLING", PRICED, {"price": a_price(time_zone="Europe/Paris")}),
        ("AMENDMENT_CHANGES_BILLING", PRICED, {"price": a_price(period=BillingPeriod.DAY)}),
    ],
)
def test_l1_what_cannot_be_amended_is_refused(reason: str, license: License, changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match=reason):
        with_amendment(license, **changes)


def test_b4_a_version_without_a_price_does_not_open_the_way_to_other_billing_periods() -> None:
    free, in_dollars = a_license(), a_price()

    with pytest.raises(Refusal, match="AMENDMENT_CHANGES_BILLING") as refused:
        with_amendment(free, last_price=in_dollars, price=a_price(period=BillingPeriod.DAY))
    dearer = with_amendment(free, last_price=in_dollars, price=a_price(minimum=Decimal(5)))

    assert [violation.field for violation in refused.value.violations] == ["terms.price.period"]
    assert dearer.next is not None


@pytest.mark.parametrize("changes", [{"licensee_id": "licensee-2"}, {"price": a_price(currency="EUR")}])
def test_l1_a_license_that_never_was_in_force_can_be_corrected_in_every_respect(
    changes: dict[str, Any],
) -> None:
    draft = a_license(LicenseState.DRAFT, price=a_price())

    corrected = with_amendment(draft, **changes)

    assert corrected.terms == some_terms(**changes)


def test_l1_an_amendment_that_was_written_against_other_terms_is_refused() -> None:
    with pytest.raises(Refusal, match="TERMS_DIFFER"):
        amended(a_license(), NARROWER, a_digest("what stood before"), 2, NOON_US, last_price=None)


def activation_of(license: License, **changes: Any) -> Activation:
    drafted = license.next or license
    return replace(Activation(drafted.version, drafted.terms_digest, None), **changes)


DRAFTED = with_amendment(a_license())


@pytest.mark.parametrize(
    ("reason", "license", "changes"),
    [
        ("VERSION_NOT_DRAFTED", a_license(), {}),
        ("VERSION_NOT_DRAFTED", DRAFTED, {"version": 1}),
        ("VERSION_NOT_DRAFTED", DRAFTED, {"version": 3}),
        ("TERMS_DIFFER", DRAFTED, {"terms_digest": a_digest("other terms")}),
        ("TERMS_DIFFER", a_license(LicenseState.DRAFT), {"terms_digest": a_digest("other terms")}),
        ("ACTIVATION_IN_PAST", DRAFTED, {"effective_at_us": NOON_US - 1}),
        ("ACTIVATION_TOO_FAR_AHEAD", DRAFTED, {"effective_at_us": NOON_US + FURTHEST_AHEAD_US + 1}),
        ("ACTIVATION_SCHEDULED", at(DRAFTED, NOON_US + 1), {}),
        ("ACTIVATION_SCHEDULED", at(a_license(LicenseState.DRAFT), NOON_US + 1), {}),
        ("LICENSE_STATE_FORBIDS", replace(DRAFTED, state=LicenseState.TERMINATED), {}),
        ("LICENSE_STATE_FORBIDS", a_license(LicenseState.DRAFT, term_until_us=NOON_US), {}),
    ],
)
def test_l1_what_cannot_be_activated_is_refused(
    reason: str, license: License, changes: dict[str, Any]
) -> None:
    with pytest.raises(Refusal, match=reason):
        activated(license, activation_of(license, **changes), NOON_US, "")


@pytest.mark.parametrize("drafted", [DRAFTED, at(DRAFTED, NOON_US + 10)])
def test_an_amendment_that_is_not_in_force_can_be_withdrawn(drafted: License) -> None:
    assert without_amendment(drafted, 2, NOON_US) == a_license()


def test_a_draft_whose_time_is_withdrawn_is_a_draft_again() -> None:
    draft = a_license(LicenseState.DRAFT)

    assert without_amendment(at(draft, NOON_US + 10), 1, NOON_US) == draft


@pytest.mark.parametrize(
    ("license", "version"),
    [(a_license(), 1), (DRAFTED, 1), (DRAFTED, 3), (put_into_force(DRAFTED), 2)],
)
def test_what_is_in_force_or_was_never_drafted_is_not_withdrawn(license: License, version: int) -> None:
    with pytest.raises(Refusal, match="AMENDMENT_UNKNOWN"):
        without_amendment(license, version, NOON_US)


def test_an_amendment_whose_time_has_come_is_not_withdrawn() -> None:
    with pytest.raises(Refusal, match="AMENDMENT_UNKNOWN"):
        without_amendment(at(DRAFTED, NOON_US + 10), 2, NOON_US + 10)


actions = st.one_of(
    st.tuples(st.just("amend"), st.sampled_from(sorted(Purpose)[:5])),
    st.tuples(st.just("activate"), st.integers(0, 3)),
    st.tuples(st.just("withdraw"), st.just(0)),
    st.tuples(st.just("step"), st.sampled_from(list(Step))),
)


class Oracle:
    """A license as a list of what was activated, when; the last whose time has come is in force."""

    def __init__(self) -> None:
        self.license = a_license(LicenseState.DRAFT)
        self.activated: list[tuple[int, int]] = []
        self.numbers = 1

    def act(self, action: str, argument: Any, now_us: int) -> None:
        """Does it, or nothing where it is refused."""
        before = self.license
        try:
            if action == "amend":
                terms = some_terms(purposes=frozenset({argument}))
                base = before.as_of(now_us).terms_digest
                self.license = amended(before, terms, base, self.numbers + 1, now_us, last_price=None)
                self.numbers += 1
            elif action == "activate":
                drafted = before.as_of(now_us).next or before.as_of(now_us)
                when = now_us + argument if argument else None
                activation = Activation(drafted.version, drafted.terms_digest, when)
                self.license = activated(before, activation, now_us, "")
                self.activated.append((when or now_us, drafted.version))
            elif action == "withdraw":
                following = before.as_of(now_us).next
                version = following.version if following else 0
                self.license = without_amendment(before, version, now_us)
                self.activated = [each for each in self.activated if each[0] <= now_us]
            else:
                self.license = before.after(argument, now_us, "")
                if argument is Step.TERMINATE:
                    self.activated = [each for each in self.activated if each[0] <= now_us]
        except Refusal:
            assert self.license is before

    def in_force(self, now_us: int) -> int | None:
        """The version that is in force; None where none is."""
        return max((each for each in self.activated if each[0] <= now_us), default=(0, None))[1]


@given(st.lists(st.tuples(st.integers(0, 2), actions), max_size=12))
def test_l1_one_version_at_most_is_in_force_at_each_instant(
    history: list[tuple[int, tuple[str, Any]]],
) -> None:
    oracle, now_us = Oracle(), NOON_US
    for waits_us, (action, argument) in history:
        now_us += waits_us
        oracle.act(action, argument, now_us)

        for later_us in range(now_us, now_us + 6):
            license = oracle.license.as_of(later_us)
            expected = oracle.in_force(later_us)
            assert (license.version if license.effective_from_us is not None else None) == expected
