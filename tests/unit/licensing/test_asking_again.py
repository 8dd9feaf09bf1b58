"""A draft that the fence has overtaken, on a newer answer of consent (W5)."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.answers import ConsentAnswer, Hold, Revision
from services.licensing.domain.decisions import Asker, Draft, Request
from services.licensing.domain.reasons import Reason
from tests.support.clock import NOON_US
from tests.support.licensing import Post, a_batch, a_license, a_post, any_posts

UNTIL_US = NOON_US + 30_000_000
DENIALS = [Reason.FAULT_ID, Reason.KIND_NOT_LICENSED, Reason.CHOICE_DENIES, Reason.HALTED]
ANSWERS = [Reason.RELEASED, Reason.SUBJECT_DELETED, Reason.POST_DENIED]


def an_answer(*reasons: int) -> ConsentAnswer:
    return ConsentAnswer(
        np.array(reasons, np.uint8), Revision(1, 9), policy_version=4, good_until_us=UNTIL_US + 1
    )


def a_draft(*reasons: int, posts: list[Post] | None = None) -> Draft:
    posts = posts or [a_post(number, number) for number in range(1, len(reasons) + 1)]
    return Draft(
        attempt_id="attempt-1",
        decision_id="decision-1",
        salt=bytes(32),
        request=Request(Asker("firehose", "pipeline", "request-1"), a_batch(*posts), NOON_US, ""),
        license=a_license(),
        judged_at_us=NOON_US,
        reasons=np.array(reasons, np.uint8),
        consent=ConsentAnswer(np.array(reasons, np.uint8), Revision(1, 7), 3, UNTIL_US),
        hold=Hold("attempt-1", NOON_US),
        no_room=None,
    )


@pytest.mark.parametrize(
    ("fence", "behind"),
    [
        (Revision(0, 0), False),
        (Revision(1, 7), False),
        (Revision(1, 8), True),
        (Revision(2, 1), True),
        (Revision(0, 9), False),
    ],
)
def test_a_release_is_behind_a_fence_above_the_answer_it_rests_on_as_a_pair(
    fence: Revision, behind: bool
) -> None:
    assert a_draft(Reason.RELEASED, Reason.CHOICE_DENIES).is_behind(fence) is behind


def test_what_releases_nothing_is_behind_no_fence() -> None:
    assert not a_draft(Reason.CHOICE_DENIES).is_behind(Revision(9, 9))


def test_a_release_that_consent_was_never_asked_about_is_behind_every_fence() -> None:
    assert replace(a_draft(Reason.RELEASED), consent=None).is_behind(Revision(0, 0))


def test_the_newer_answer_takes_the_place_of_the_old_one() -> None:
    answer = an_answer(Reason.RELEASED, Reason.CHOICE_DENIES)

    asked = a_draft(Reason.RELEASED, Reason.FAULT_ID, Reason.RELEASED).asked_again(answer)

    assert asked.reasons.tolist() == [Reason.RELEASED, Reason.FAULT_ID, Reason.CHOICE_DENIES]
    assert asked.consent is answer
    assert asked.holds_too_much
    assert asked.counts == ((1, 0, 1),)


def test_where_nothing_is_dropped_the_hold_fits() -> None:
    draft = a_draft(Reason.RELEASED, Reason.HALTED)

    assert not draft.asked_again(an_answer(Reason.RELEASED)).holds_too_much


def test_what_was_dropped_once_is_held_too_much_however_often_consent_is_asked() -> None:
    once = a_draft(Reason.RELEASED, Reason.RELEASED).asked_again(
        an_answer(Reason.RELEASED, Reason.CHOICE_DENIES)
    )

    assert once.asked_again(an_answer(Reason.RELEASED)).holds_too_much


@pytest.mark.parametrize("answered", [0, 1, 3])
def test_one_answer_never_stands_for_another_post(answered: int) -> None:
    draft = a_draft(Reason.RELEASED, Reason.FAULT_ID, Reason.RELEASED)

    with pytest.raises(Refusal, match="PEER_ANSWER_INVALID"):
        draft.asked_again(an_answer(*[Reason.RELEASED] * answered))


@given(
    st.lists(st.tuples(any_posts(), st.sampled_from([Reason.RELEASED, *DENIALS]), st.sampled_from(ANSWERS)))
)
def test_a_post_goes_that_would_have_gone_and_may_still_and_no_other(
    rows: list[tuple[Post, Reason, Reason]],
) -> None:
    rows = rows or [(a_post(), Reason.RELEASED, Reason.RELEASED)]
    draft = a_draft(*(before for _, before, _ in rows), posts=[post for post, _, _ in rows])
    answers = [answer for _, before, answer in rows if before is Reason.RELEASED]

    asked = draft.asked_again(an_answer(*answers))

    expected = [answer if before is Reason.RELEASED else before for _, before, answer in rows]
    held = [post for post, before, _ in rows if before is Reason.RELEASED]
    going = [post for (post, _, _), reason in zip(rows, expected, strict=True) if reason is Reason.RELEASED]
    kinds = sorted({(post.kind, post.media_flags) for post in going})
    assert asked.reasons.tolist() == expected
    assert asked.holds_too_much is (len(going) < len(held))
    assert asked.counts == tuple(
        (*kind, sum((post.kind, post.media_flags) == kind for post in going)) for kind in kinds
    )
