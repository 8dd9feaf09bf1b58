"""Licenses: where they stand (L1) and what they cover (L2)."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.licenses import RECORDED_AS, License, LicenseState, NextVersion, Step, draft
from services.licensing.domain.reasons import Reason
from services.licensing.domain.terms import ContentKind, Purpose, Terms, digest_of
from tests.support.clock import NOON_US
from tests.support.licensing import (
    DAY_US,
    Post,
    a_batch,
    a_license,
    a_post,
    any_posts,
    batches_of_posts,
    some_terms,
)

STATES = (LicenseState.DRAFT, LicenseState.ACTIVE, LicenseState.SUSPENDED, LicenseState.TERMINATED)
TERM_END_US = NOON_US + 180 * DAY_US


def reasons(license: License, *posts: Post, purpose: int = 2, now_us: int = NOON_US) -> list[int]:
    return list(map(int, license.covers(a_batch(*posts, purpose=purpose), now_us)))


def test_l1_a_new_license_is_a_draft_of_version_1_that_names_its_exact_terms() -> None:
    license = draft("license-1", some_terms(), NOON_US)

    assert (license.version, license.state) == (1, LicenseState.DRAFT)
    assert license.terms_digest == digest_of(some_terms().document())
    assert not license.in_force(NOON_US)


@pytest.mark.parametrize("state", STATES)
def test_l1_only_an_active_license_permits_anything(state: LicenseState) -> None:
    expected = 0 if state is LicenseState.ACTIVE else Reason.LICENSE_NOT_ACTIVE

    assert reasons(a_license(state), a_post(1), a_post(2)) == [expected, expected]


def test_l1_a_license_permits_from_the_first_instant_of_its_term_until_before_its_end() -> None:
    license = a_license(term_from_us=NOON_US, term_until_us=NOON_US + 2)

    in_force = [license.in_force(NOON_US + offset_us) for offset_us in (-1, 0, 1, 2)]

    assert in_force == [False, True, True, False]


def test_l1_a_license_whose_term_is_over_has_expired_unless_it_was_ended_before() -> None:
    at_end = [a_license(state).effective_state(TERM_END_US) for state in STATES]
    just_before = [a_license(state).effective_state(TERM_END_US - 1) for state in STATES]

    assert at_end == [LicenseState.EXPIRED] * 3 + [LicenseState.TERMINATED]
    assert just_before == list(STATES)


@pytest.mark.parametrize("recorded", [each for each in LicenseState if each is not LicenseState.EXPIRED])
def test_l1_wherever_a_license_stands_it_is_looked_for_among_those_that_can_stand_so(
    recorded: LicenseState,
) -> None:
    license = a_license(recorded)
    following = NextVersion(2, license.terms, license.terms_digest, NOON_US + 1)

    for each in (license, replace(license, next=following)):
        for now_us in (NOON_US, NOON_US + 1, TERM_END_US):
            assert recorded in RECORDED_AS[each.effective_state(now_us)]


def test_l1_what_a_license_permits_ends_with_its_term_or_at_the_hour_of_its_next_version() -> None:
    following = NextVersion(2, some_terms(), digest_of(some_terms().document()), NOON_US + 5)
    license = replace(a_license(), next=following)
    drafted = replace(license, next=replace(following, effective_from_us=None))
    beyond = replace(license, next=replace(following, effective_from_us=TERM_END_US + 5))

    assert license.permits_until_us(NOON_US) == NOON_US + 5
    assert license.permits_until_us(NOON_US + 5) == TERM_END_US
    assert [each.permits_until_us(NOON_US) for each in (drafted, beyond)] == [TERM_END_US] * 2


ALLOWED_STEPS = {
    (LicenseState.DRAFT, Step.TERMINATE): LicenseState.TERMINATED,
    (LicenseState.ACTIVE, Step.SUSPEND): LicenseState.SUSPENDED,
    (LicenseState.ACTIVE, Step.TERMINATE): LicenseState.TERMINATED,
    (LicenseState.SUSPENDED, Step.RESUME): LicenseState.ACTIVE,
    (LicenseState.SUSPENDED, Step.TERMINATE): LicenseState.TERMINATED,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(STATES, Step)))
def test_l1_a_step_leads_where_the_rules_say_or_is_refused(state: LicenseState, step: Step) -> None:
    license = a_license(state)

    if (state, step) in ALLOWED_STEPS:
        after = license.after(step, NOON_US, "because")

        assert (after.state, after.state_reason) == (ALLOWED_STEPS[state, step], "because")
        assert after.state_changed_at_us == NOON_US
    else:
        with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
            license.after(step, NOON_US, "because")


@pytest.mark.parametrize("step", [Step.SUSPEND, Step.RESUME])
def test_l1_an_expired_license_can_only_be_ended(step: Step) -> None:
    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
        a_license(LicenseState.SUSPENDED).after(step, TERM_END_US, "")

    ended = a_license().after(Step.TERMINATE, TERM_END_US, "")
    assert ended.state is LicenseState.TERMINATED


def test_a_change_is_never_dated_before_the_one_before() -> None:
    license = a_license()

    after = license.after(Step.SUSPEND, license.state_changed_at_us - 5, "")

    assert after.state_changed_at_us == license.state_changed_at_us


def test_l2_terms_that_are_not_understood_permit_nothing_but_can_be_ended() -> None:
    license = License(
        license_id="license-1",
        version=1,
        state=LicenseState.ACTIVE,
        terms=Terms.nothing("licensee-1"),
        terms_digest=b"",
        created_at_us=NOON_US,
        state_changed_at_us=NOON_US,
        state_reason="",
    )

    assert reasons(license, a_post(1), a_post(2)) == [Reason.LICENSE_NOT_ACTIVE] * 2
    assert license.effective_state(NOON_US) is LicenseState.ACTIVE
    assert license.after(Step.TERMINATE, NOON_US, "").state is LicenseState.TERMINATED


@pytest.mark.parametrize("purpose", [1, 3, 8, 9, 99, -1])
def test_l2_a_purpose_that_is_not_listed_is_not_licensed(purpose: int) -> None:
    assert reasons(a_license(), a_post(1), a_post(2), purpose=purpose) == [Reason.PURPOSE_NOT_LICENSED] * 2


def test_l2_kinds_languages_and_times_that_are_not_listed_are_not_licensed() -> None:
    license = a_license(
        kinds=frozenset({ContentKind.POST, ContentKind.QUOTE}),
        languages=frozenset({"en"}),
        posted_from_us=NOON_US - 10,
        posted_before_us=NOON_US,
    )

    answer = reasons(
        license,
        a_post(1, posted_at_us=NOON_US - 10),
        a_post(2, posted_at_us=NOON_US - 1, kind=3, language="en-GB"),
        a_post(3, posted_at_us=NOON_US - 1, kind=4),
        a_post(4, posted_at_us=NOON_US - 1, language="de"),
        a_post(5, posted_at_us=NOON_US - 1, language=""),
        a_post(6, posted_at_us=NOON_US - 11),
        a_post(7, posted_at_us=NOON_US),
        a_post(8, posted_at_us=NOON_US, kind=4, language="de"),
        a_post(9, posted_at_us=NOON_US, language="de"),
    )

    assert answer == [
        0,
        0,
        Reason.KIND_NOT_LICENSED,
        Reason.LANGUAGE_NOT_LICENSED,
        Reason.LANGUAGE_NOT_LICENSED,
        Reason.TIME_NOT_LICENSED,
        Reason.TIME_NOT_LICENSED,
        Reason.KIND_NOT_LICENSED,
        Reason.LANGUAGE_NOT_LICENSED,
    ]


restrictions = st.fixed_dictionaries(
    {
        "kinds": st.frozensets(st.sampled_from(ContentKind)),
        "languages": st.sampled_from([frozenset({"*"}), frozenset({"en"}), frozenset({"de", "zh"})]),
        "posted_from_us": st.sampled_from([None, NOON_US]),
        "posted_before_us": st.sampled_from([None, NOON_US]),
        "purposes": st.frozensets(st.sampled_from(Purpose), min_size=6),
    }
)


@given(restrictions, batches_of_posts)
def test_l2_a_batch_is_covered_as_its_posts_are_one_by_one(
    restriction: dict[str, Any], posts: Sequence[Post]
) -> None:
    license = a_license(**restriction)

    assert reasons(license, *posts) == [reasons(license, post)[0] for post in posts]


@given(restrictions, any_posts())
def test_l2_a_post_is_covered_only_if_every_restriction_is_met(
    restriction: dict[str, Any], post: Post
) -> None:
    license = a_license(**restriction)
    terms = license.terms

    covered = (
        Purpose.AI_TRAINING_GENERATIVE in terms.purposes
        and post.kind in {int(kind) for kind in terms.kinds}
        and ("*" in terms.languages or post.language.split("-")[0].lower() in terms.languages)
        and (terms.posted_from_us is None or post.posted_at_us >= terms.posted_from_us)
        and (terms.posted_before_us is None or post.posted_at_us < terms.posted_before_us)
    )
    assert (reasons(license, post) == [0]) is covered
