"""C12: what a halt stops, and which orders there are."""

import pytest

from services.chassis.refusals import Kind, Refusal
from services.consent.domain.choices import standing_of
from services.consent.domain.halts import Halt, HaltKind, HaltOrder, HaltScope, check_lift, check_order
from services.consent.domain.policies import Regime
from services.consent.domain.purposes import PURPOSES, Purpose
from services.consent.domain.subjects import Profile, State
from services.consent.domain.verdicts import Reason, reason_of
from tests.support.clock import NOON_US
from tests.support.consent import (
    EVERYTHING,
    GENERATIVE,
    SHARING,
    a_halt_order,
    a_policy,
    a_question,
    an_allow,
    some_facts,
)

OF_ACME = HaltScope(HaltKind.LICENSEE, "acme")


def of_purpose(purpose: Purpose) -> HaltScope:
    return HaltScope(HaltKind.PURPOSE, str(int(purpose)))


def of_jurisdiction(jurisdiction: str) -> HaltScope:
    return HaltScope(HaltKind.JURISDICTION, jurisdiction)


def reason(*halts: HaltScope, purpose: Purpose = GENERATIVE, jurisdiction: str = "US-CA") -> Reason:
    """Of someone who allowed everything."""
    profile = Profile(some_facts(jurisdiction), standing_of([an_allow(1, 1)]))
    question = a_question(purpose=purpose)
    return reason_of(profile, question, a_policy(Regime.OPT_IN), frozenset(halts))


@pytest.mark.parametrize("halt", [EVERYTHING, OF_ACME, of_purpose(GENERATIVE), of_jurisdiction("US")])
def test_c12_a_halt_beats_any_allow(halt: HaltScope) -> None:
    assert reason() is Reason.ALLOWED
    assert reason(halt) is Reason.HALTED


def test_c12_a_halt_of_everything_stops_every_purpose() -> None:
    assert {reason(EVERYTHING, purpose=purpose) for purpose in Purpose} == {Reason.HALTED}


def test_c12_a_halt_of_a_licensee_stops_no_other() -> None:
    assert OF_ACME.stops("acme", GENERATIVE)
    assert not OF_ACME.stops("acme-two", GENERATIVE)


def test_c12_a_halt_of_a_purpose_stops_no_other_purpose() -> None:
    assert reason(of_purpose(Purpose.SEARCH_INDEX)) is Reason.ALLOWED


def test_c12_c7_a_halt_of_a_purpose_stops_those_that_need_it() -> None:
    stopped = {purpose for purpose in Purpose if of_purpose(SHARING).stops("acme", purpose)}

    assert stopped == {purpose for purpose in Purpose if PURPOSES[purpose].choosable}
    assert Purpose.VETTED_RESEARCH not in stopped


def test_c12_vetted_research_can_be_halted() -> None:
    assert reason(purpose=Purpose.VETTED_RESEARCH) is Reason.ALLOWED
    assert reason(of_purpose(Purpose.VETTED_RESEARCH), purpose=Purpose.VETTED_RESEARCH) is Reason.HALTED
    assert reason(of_jurisdiction("US-CA"), purpose=Purpose.VETTED_RESEARCH) is Reason.HALTED


@pytest.mark.parametrize(
    ("halted", "jurisdiction", "covered"),
    [
        ("US", "US", True),
        ("US", "US-CA", True),
        ("US-CA", "US-CA", True),
        ("US-CA", "US", False),
        ("US-CA", "US-NY", False),
        ("DE", "US", False),
    ],
)
def test_c12_a_halt_of_a_country_covers_its_subdivisions(
    halted: str, jurisdiction: str, covered: bool
) -> None:
    assert of_jurisdiction(halted).covers(jurisdiction) is covered
    assert not of_jurisdiction(halted).stops("acme", GENERATIVE)


def test_c12_a_halt_of_all_is_named_before_anything_about_the_subject() -> None:
    minor = Profile(some_facts(states=State.MINOR))
    halts = frozenset({OF_ACME, of_jurisdiction("US")})

    assert reason_of(minor, a_question(), None, halts) is Reason.HALTED
    assert reason_of(Profile(None), a_question(), None, halts) is Reason.HALTED


def test_c12_a_state_of_the_account_is_named_before_a_halt_of_its_jurisdiction() -> None:
    minor = Profile(some_facts(states=State.MINOR))

    assert reason_of(minor, a_question(), None, frozenset({of_jurisdiction("US")})) is Reason.SUBJECT_MINOR


def test_c12_a_halt_of_a_purpose_outside_the_table_is_refused() -> None:
    check_order(a_halt_order(of_purpose(GENERATIVE)))

    with pytest.raises(Refusal) as refused:
        check_order(HaltOrder(HaltScope(HaltKind.PURPOSE, "99"), "a test", recall=False))

    assert refused.value.reason == "PURPOSE_UNKNOWN"


def test_c12_a_halt_ends_once_and_only_if_there_is_one() -> None:
    halt = Halt(3, a_halt_order(), NOON_US, "operator:ada")
    ended = Halt(3, a_halt_order(), NOON_US, "operator:ada", NOON_US + 1, "operator:ben")
    check_lift(halt)

    with pytest.raises(Refusal) as again:
        check_lift(ended)
    with pytest.raises(Refusal) as unknown:
        check_lift(None)

    assert (again.value.kind, again.value.reason) == (Kind.PRECONDITION, "HALT_ENDED")
    assert (unknown.value.kind, unknown.value.reason) == (Kind.NOT_FOUND, "HALT_UNKNOWN")
