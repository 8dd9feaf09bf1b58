"""C3: regimes, versions and when they take effect."""

from dataclasses import replace

import pytest

from services.chassis.refusals import Refusal
from services.consent.domain.policies import (
    Activation,
    Policy,
    PolicyBook,
    Regime,
    Retraction,
    Rule,
    check_policy,
)
from services.consent.domain.purposes import Purpose
from tests.support.clock import NOON_US
from tests.support.consent import GENERATIVE, NOTICE, OTHER_NOTICE, SHARING, a_policy, a_policy_draft

SECOND_US = 1_000_000


def test_c3_a_rule_for_a_subdivision_beats_that_of_its_country() -> None:
    policy = a_policy(
        Regime.OPT_OUT, Rule("US", SHARING, Regime.OPT_OUT), Rule("US-CA", SHARING, Regime.PROHIBITED)
    )

    assert policy.regime("US-CA", SHARING) is Regime.PROHIBITED
    assert policy.regime("US-NY", SHARING) is Regime.OPT_OUT
    assert policy.regime("US", SHARING) is Regime.OPT_OUT


def test_c3_a_rule_for_a_subdivision_says_nothing_about_its_country() -> None:
    policy = a_policy(Regime.OPT_OUT, Rule("US-CA", SHARING, Regime.OPT_OUT))

    assert policy.regime("US", SHARING) is Regime.OPT_IN


def test_c3_a_jurisdiction_that_is_not_listed_is_opt_in() -> None:
    assert a_policy().regime("FR", SHARING) is Regime.OPT_IN


def test_c3_a_purpose_without_any_rule_goes_nowhere() -> None:
    assert a_policy().regime("US", Purpose.SEARCH_INDEX) is Regime.NONE


def test_c3_a_subject_is_informed_by_any_of_the_notices_listed() -> None:
    policy = a_policy()

    assert policy.informed(frozenset({NOTICE, OTHER_NOTICE}))
    assert not policy.informed(frozenset({OTHER_NOTICE}))
    assert not policy.informed(frozenset())


def test_c3_a_version_is_due_from_its_time_on_until_it_is_activated() -> None:
    waiting = Policy(1, a_policy_draft(NOON_US))
    book = PolicyBook((waiting,))

    assert book.due(NOON_US - 1) == ()
    assert book.due(NOON_US) == (waiting,)
    assert PolicyBook((replace(waiting, activation=Activation(NOON_US, 2)),)).due(NOON_US) == ()


def test_c3_the_version_activated_last_is_in_force_and_the_next_one_is_the_next_change() -> None:
    first = Policy(1, a_policy_draft(NOON_US), Activation(NOON_US, 2))
    second = Policy(2, a_policy_draft(NOON_US + SECOND_US), Activation(NOON_US + SECOND_US, 5))
    third = Policy(3, a_policy_draft(NOON_US + 9 * SECOND_US))
    book = PolicyBook((first, second, third))

    assert book.in_force() == second
    assert book.next_change_us() == NOON_US + 9 * SECOND_US


def test_c3_a_retracted_version_is_never_due_and_holds_up_no_other() -> None:
    first = Policy(1, a_policy_draft(NOON_US), Activation(NOON_US, 2))
    second = Policy(2, a_policy_draft(NOON_US + 9 * SECOND_US), None, Retraction(NOON_US + 1, 4))
    book = PolicyBook((first, second))

    assert book.in_force() == first
    assert book.due(NOON_US + 9 * SECOND_US) == ()
    assert book.next_change_us() is None
    assert book.latest_effective_us() == NOON_US


@pytest.mark.parametrize(
    ("version", "now_us", "reason"),
    [
        (1, NOON_US, "POLICY_IN_EFFECT"),
        (2, NOON_US + 9 * SECOND_US, "POLICY_IN_EFFECT"),
        (3, NOON_US, "POLICY_RETRACTED"),
        (4, NOON_US, "POLICY_UNKNOWN"),
    ],
)
def test_c3_only_what_is_announced_and_not_yet_due_can_be_retracted(
    version: int, now_us: int, reason: str
) -> None:
    draft = a_policy_draft(NOON_US + 9 * SECOND_US)
    book = PolicyBook(
        (
            Policy(1, a_policy_draft(NOON_US), Activation(NOON_US, 2)),
            Policy(2, draft),
            Policy(3, draft, None, Retraction(NOON_US, 4)),
        )
    )

    with pytest.raises(Refusal) as refused:
        book.check_retract(version, now_us)

    assert refused.value.reason == reason
    book.check_retract(2, NOON_US + 9 * SECOND_US - 1)


def test_c3_before_the_first_activation_nothing_is_in_force() -> None:
    assert PolicyBook((Policy(1, a_policy_draft(NOON_US)),)).in_force() is None


def test_c3_a_policy_cannot_begin_in_the_past() -> None:
    with pytest.raises(Refusal) as refused:
        check_policy(a_policy_draft(NOON_US - 1), None, NOON_US)

    assert refused.value.reason == "POLICY_IN_THE_PAST"


def test_c3_a_policy_begins_within_a_leap_year_so_that_a_mistyped_one_holds_up_none() -> None:
    check_policy(a_policy_draft(NOON_US + 366 * 86_400 * SECOND_US), None, NOON_US)

    with pytest.raises(Refusal) as refused:
        check_policy(a_policy_draft(NOON_US + 366 * 86_400 * SECOND_US + 1), None, NOON_US)

    assert refused.value.reason == "POLICY_TOO_FAR_AHEAD"


def test_c3_a_policy_begins_after_every_version_before_it() -> None:
    with pytest.raises(Refusal) as refused:
        check_policy(a_policy_draft(NOON_US), NOON_US, NOON_US - 1)

    assert refused.value.reason == "POLICY_OUT_OF_ORDER"


def test_c3_two_rules_for_one_question_overlap() -> None:
    rules = Rule("US", SHARING, Regime.OPT_IN), Rule("US", SHARING, Regime.OPT_OUT)

    with pytest.raises(Refusal) as refused:
        check_policy(a_policy_draft(rules=rules), None, NOON_US)

    assert refused.value.reason == "POLICY_RULES_OVERLAP"
    assert refused.value.violations[0].field == "policy.rules[1]"


def test_c3_no_regime_can_be_set_for_vetted_research() -> None:
    rules = (Rule("US", Purpose.VETTED_RESEARCH, Regime.PROHIBITED),)

    with pytest.raises(Refusal) as refused:
        check_policy(a_policy_draft(rules=rules), None, NOON_US)

    assert refused.value.reason == "PURPOSE_WITHOUT_REGIME"


def test_a_policy_in_order_is_taken() -> None:
    rules = Rule("US", SHARING, Regime.OPT_IN), Rule("US", GENERATIVE, Regime.OPT_OUT)

    check_policy(a_policy_draft(NOON_US + 1, rules=rules), NOON_US, NOON_US)
