"""How objections, consent and room become reasons and an outcome."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.reasons import COARSE, Reason, Reasons, Verdict
from services.licensing.domain.releases import (
    Outcome,
    after_consent,
    after_room,
    counts_of,
    first_objection,
    outcome_of,
    still_possible,
)


def column(*numbers: int) -> Reasons:
    return np.array(numbers, np.uint8)


def test_of_two_objections_the_fault_counts_before_the_license() -> None:
    faults = column(0, Reason.FAULT_ID, 0, Reason.DUPLICATE)
    coverage = column(0, Reason.KIND_NOT_LICENSED, Reason.TIME_NOT_LICENSED, 0)

    merged = first_objection(faults, coverage)

    assert merged.tolist() == [0, Reason.FAULT_ID, Reason.TIME_NOT_LICENSED, Reason.DUPLICATE]
    assert still_possible(merged).tolist() == [True, False, False, False]


def test_consent_is_heard_in_the_order_in_which_it_was_asked() -> None:
    objections = column(0, Reason.FAULT_ID, 0, 0)

    reasons = after_consent(objections, column(Reason.RELEASED, Reason.CHOICE_DENIES, Reason.RELEASED))

    assert reasons.tolist() == [
        Reason.RELEASED,
        Reason.FAULT_ID,
        Reason.CHOICE_DENIES,
        Reason.RELEASED,
    ]
    assert objections.tolist() == [0, Reason.FAULT_ID, 0, 0]


@pytest.mark.parametrize("answered", [0, 1, 2, 4])
def test_one_answer_of_consent_never_stands_for_another_post(answered: int) -> None:
    objections = column(0, Reason.FAULT_ID, 0, 0)

    with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
        after_consent(objections, column(*[Reason.RELEASED] * answered))


def test_a_post_that_nobody_spoke_for_is_not_released() -> None:
    verdicts = COARSE[after_consent(column(0, 0), column(0, Reason.RELEASED))]

    assert verdicts.tolist() == [Verdict.NOT_AVAILABLE, Verdict.RELEASED]


def test_without_room_nothing_is_released_and_denials_stay_what_they_are() -> None:
    reasons = column(Reason.RELEASED, Reason.CHOICE_DENIES, Reason.RELEASED)

    assert after_room(reasons, 0).tolist() == [Reason.NO_ROOM, Reason.CHOICE_DENIES, Reason.NO_ROOM]


def test_where_some_fit_the_first_ones_go() -> None:
    reasons = column(Reason.FAULT_ID, Reason.RELEASED, Reason.RELEASED, Reason.RELEASED)

    assert after_room(reasons, 2).tolist() == [
        Reason.FAULT_ID,
        Reason.RELEASED,
        Reason.RELEASED,
        Reason.NO_ROOM,
    ]


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        (column(Verdict.RELEASED, Verdict.RELEASED), Outcome.RELEASED),
        (column(Verdict.RELEASED, Verdict.NO_ROOM), Outcome.PARTIAL),
        (column(Verdict.DUPLICATE, Verdict.NO_ROOM), Outcome.DENIED),
        (column(0), Outcome.DENIED),
    ],
)
def test_a_batch_comes_out_as_its_posts_do(verdicts: Reasons, outcome: Outcome) -> None:
    assert outcome_of(verdicts) is outcome


def test_counts_name_each_verdict_that_a_post_got() -> None:
    verdicts = column(Verdict.RELEASED, Verdict.NO_ROOM, Verdict.RELEASED)

    assert counts_of(verdicts) == {"RELEASED": 2, "NO_ROOM": 1}


@given(st.lists(st.tuples(*[st.sampled_from([0, 20, 12, 46])] * 3), min_size=1, max_size=20))
def test_a_post_is_released_only_without_any_objection(posts: list[tuple[int, int, int]]) -> None:
    faults, coverage, consent = (column(*objections) for objections in zip(*posts, strict=True))
    objections = first_objection(faults, coverage)
    allowed = np.where(consent == 0, Reason.RELEASED, consent).astype(np.uint8)

    reasons = after_consent(objections, allowed[still_possible(objections)])

    assert reasons.tolist() == [
        next((objection for objection in post if objection), Reason.RELEASED) for post in posts
    ]
