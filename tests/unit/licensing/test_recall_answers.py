"""W3: what a licensee says to a recall. The first word stands, whatever comes later and in whatever order."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.licensing.domain.recalls.recalls import Attestation, Recall, RecallState
from services.licensing.domain.recalls.resolving import Ending, acknowledged, resolved
from tests.support.clock import NOON_US

DUE_US = NOON_US + 1_000
ATTESTED = Attestation("A Name", "DPO", "deleted everywhere", b"")
DELETED = Ending(RecallState.DELETED, ATTESTED)
REFUSED = Ending(RecallState.REFUSED, ATTESTED)


def issued() -> Recall:
    return Recall(
        recall_id="r",
        licensee_id="acme",
        state=RecallState.ISSUED,
        collecting_since_us=NOON_US - 60,
        withdrawals=1,
        posts=1,
        number=1,
        issued_at_us=NOON_US,
        due_at_us=DUE_US,
    )


def overdue() -> Recall:
    return replace(issued(), state=RecallState.OVERDUE, overdue_at_us=DUE_US + 5)


def test_w3_the_first_acknowledgement_stands() -> None:
    first = acknowledged(issued(), NOON_US + 1)

    assert (first.state, first.acknowledged_at_us) == (RecallState.ACKNOWLEDGED, NOON_US + 1)
    assert acknowledged(first, NOON_US + 2) == first


def test_w3_what_is_overdue_stays_so_when_it_is_acknowledged() -> None:
    late = acknowledged(overdue(), DUE_US + 9)

    assert (late.state, late.acknowledged_at_us) == (RecallState.OVERDUE, DUE_US + 9)


def test_w3_an_overdue_recall_can_be_resolved_and_it_stays_on_record_that_it_was_late() -> None:
    late = resolved(overdue(), DELETED, "licensee:acme", DUE_US + 9)

    assert (late.state, late.overdue_at_us) == (RecallState.DELETED, DUE_US + 5)


def test_w3_what_is_resolved_at_its_due_time_is_late_though_nobody_had_looked() -> None:
    assert resolved(issued(), DELETED, "licensee:acme", DUE_US).overdue_at_us == DUE_US
    assert resolved(issued(), DELETED, "licensee:acme", DUE_US - 1).overdue_at_us is None


def test_w3_the_first_resolution_stands_and_the_same_again_changes_nothing() -> None:
    first = resolved(issued(), DELETED, "licensee:acme", NOON_US + 1)

    assert resolved(first, DELETED, "licensee:acme", NOON_US + 2) == first
    assert acknowledged(first, NOON_US + 3) == first
    for other in (REFUSED, Ending(RecallState.DELETED, replace(ATTESTED, statement="deleted"))):
        with pytest.raises(Refusal, match="RECALL_RESOLVED_OTHERWISE"):
            resolved(first, other, "licensee:acme", NOON_US + 2)


def test_nothing_happens_before_what_happened_earlier_whatever_the_clock_says() -> None:
    seen = acknowledged(issued(), NOON_US - 500)
    ended = resolved(acknowledged(issued(), NOON_US + 9), DELETED, "licensee:acme", NOON_US + 3)

    assert seen.acknowledged_at_us == NOON_US
    assert ended.resolution is not None
    assert ended.resolution.resolved_at_us == NOON_US + 9


@given(st.lists(st.sampled_from(["acknowledge", "resolve", "refuse", "overdue"]), max_size=8))
def test_w3_every_order_of_words_ends_as_the_slow_reading_says(words: Sequence[str]) -> None:
    recall, now_us = issued(), NOON_US
    for word in words:
        now_us += 1
        if word == "acknowledge":
            recall = acknowledged(recall, now_us)
        elif word == "overdue" and recall.resolution is None and recall.overdue_at_us is None:
            recall = replace(recall, state=RecallState.OVERDUE, overdue_at_us=now_us)
        elif word in {"resolve", "refuse"} and recall.resolution is None:
            recall = resolved(recall, DELETED if word == "resolve" else REFUSED, "licensee:acme", now_us)

    endings = [index for index, word in enumerate(words) if word in {"resolve", "refuse"}]
    said = words[: endings[0] + 1] if endings else words
    if endings:
        state = RecallState.DELETED if said[-1] == "resolve" else RecallState.REFUSED
    elif "overdue" in said:
        state = RecallState.OVERDUE
    else:
        state = RecallState.ACKNOWLEDGED if "acknowledge" in said else RecallState.ISSUED
    assert recall.state is state
    assert (recall.acknowledged_at_us is not None) == ("acknowledge" in said)
    assert (recall.overdue_at_us is not None) == ("overdue" in said)
