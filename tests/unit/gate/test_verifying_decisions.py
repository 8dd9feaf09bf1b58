"""Whole decisions, offline (R3): an answer says what its receipt says, about the posts asked for."""

from collections.abc import Callable
from typing import Any

import pytest

from sluice.licensing.v1.release_service_pb2 import Decision
from sluice_gate.errors import VerificationError
from sluice_gate.posts import Post
from sluice_gate.verifying.claims import signed_claims
from sluice_gate.verifying.decisions import verify_decision
from sluice_gate.verifying.keys import parse_keys
from sluice_gate.verifying.requests import posts_of
from tests.support.gate import PERMIT_US, FakeReleases, jwks, sign
from tests.support.release_jobs import a_request
from tests.unit.gate.test_verifying import claims_of, some_evidence

KEYS = parse_keys(jwks())
REQUEST = a_request(3)


def a_decision() -> Decision:
    """As licensing answers it, whole."""
    decision = FakeReleases().conclude(REQUEST).decision
    claims = signed_claims(decision.receipt, KEYS).claims
    decision.policy_version = claims.policy_version or 0
    decision.consent_revision.epoch = claims.consent_epoch or 0
    decision.consent_revision.number = claims.consent_revision or 0
    decision.reservation_id = claims.reservation_id or ""
    decision.counted_at.CopyFrom(decision.decided_at)
    decision.not_after.FromMicroseconds(decision.decided_at.ToMicroseconds() + PERMIT_US)
    return decision


def test_a_decision_is_verified_with_its_request_or_with_its_posts_R3() -> None:  # noqa: N802
    by_request = verify_decision(REQUEST, a_decision(), KEYS)
    by_posts = verify_decision(posts_of(REQUEST), a_decision(), KEYS)

    assert by_request == by_posts
    assert by_request.released == (True, False, True)


def test_a_denial_is_verified_too() -> None:
    decision = FakeReleases(denies=lambda author: True).conclude(REQUEST).decision
    decision.policy_version = decision.consent_revision.epoch = 1
    decision.consent_revision.number = 7

    assert verify_decision(REQUEST, decision, KEYS).released == (False, False, False)


@pytest.mark.parametrize(
    "change",
    [
        {"decision_id": "another"},
        {"request_id": "another"},
        {"license_id": "another"},
        {"license_version": 2},
        {"outcome": "OUTCOME_RELEASED"},
        {"outcome": 77},
        {"receipt_number": 2},
        {"policy_version": 2},
        {"policy_version": 0},
        {"reservation_id": ""},
        {"trace_id": "0" * 32},
        {"consent_revision": {"epoch": 2, "number": 7}},
        {"consent_revision": {}},
        {"decided_at": {"seconds": 1}},
        {"counted_at": None},
        {"not_after": None},
        {"not_after": {"seconds": 2**60}},
        {"verdicts": b"\1\1\1"},
        {"salt": bytes(32)},
        {"sandbox": True},
    ],
    ids=str,
)
def test_an_answer_that_says_other_than_its_receipt_is_rejected_R3(change: dict[str, Any]) -> None:  # noqa: N802
    decision = a_decision()
    for name, value in change.items():
        decision.ClearField(name)
        decision.MergeFrom(Decision(**({} if value is None else {name: value})))

    for asked in (REQUEST, posts_of(REQUEST)):
        with pytest.raises(VerificationError):
            verify_decision(asked, decision, KEYS)


@pytest.mark.parametrize(
    "changed",
    [
        lambda posts: posts[1:],
        lambda posts: [],
        lambda posts: posts[::-1],
        lambda posts: [Post(7, 1, 1, 0, "en", 0, ()), *posts[1:]],
        lambda posts: [Post(7, 1, 256, 0, "en", 0, ()), *posts[1:]],
        lambda posts: [Post(2**64, 1, 1, 0, "en", 0, ()), *posts[1:]],
        lambda posts: [Post(number, 1, 1, 0, f"x{number}", 0, ()) for number in range(300)],
    ],
)
def test_a_decision_about_other_posts_is_rejected_R3(  # noqa: N802
    changed: Callable[[list[Post]], list[Post]],
) -> None:
    with pytest.raises(VerificationError):
        verify_decision(changed(posts_of(REQUEST)), a_decision(), KEYS)


@pytest.mark.parametrize("purpose", ["search_index", "99", "no_such_purpose", ""])
def test_the_purpose_in_the_receipt_is_the_one_that_the_posts_were_asked_for(purpose: str) -> None:
    decision = a_decision()
    decision.receipt = sign(claims_of(some_evidence()) | {"purpose": purpose})

    with pytest.raises(VerificationError):
        verify_decision(posts_of(REQUEST), decision, KEYS)
