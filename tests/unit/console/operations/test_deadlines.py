"""How recalls stand to their deadlines (W2, W3)."""

import pytest

from services.console.operations.deadlines import Urgency, deadline
from services.console.operations.recalls import soonest
from services.console.web.reading import reader_of
from sluice.licensing.v1.recall_pb2 import Recall, RecallResolution, RecallState

NOW_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


def a_recall(left_us: int, *, resolved_us: int | None = None, number: int = 1, state: int = 1) -> Recall:
    """One that is due after so long; resolved at a time, if one is said."""
    recall = Recall(number=number, state=state)  # type: ignore[arg-type]
    recall.due_at.FromMicroseconds(NOW_US + left_us)
    if resolved_us is not None:
        recall.resolution.CopyFrom(RecallResolution(outcome=RecallState.RECALL_STATE_DELETED))
        recall.resolution.resolved_at.FromMicroseconds(resolved_us)
    return recall


@pytest.mark.parametrize(
    ("left_us", "urgency"),
    [
        (3 * DAY_US + 1, Urgency.LATER),
        (3 * DAY_US, Urgency.SOON),
        (1, Urgency.SOON),
        (0, Urgency.OVERDUE),
        (-1, Urgency.OVERDUE),
    ],
)
def test_the_instant_at_which_a_recall_is_due_is_the_first_of_being_overdue(
    left_us: int, urgency: Urgency
) -> None:
    assert deadline(a_recall(left_us), NOW_US).urgency is urgency


@pytest.mark.parametrize(
    ("resolved_us", "urgency"),
    [(NOW_US - 1, Urgency.RESOLVED), (NOW_US, Urgency.RESOLVED_LATE), (NOW_US + 1, Urgency.RESOLVED_LATE)],
)
def test_what_is_resolved_was_so_in_time_or_not_whatever_the_time_is_now(
    resolved_us: int, urgency: Urgency
) -> None:
    recall = a_recall(0, resolved_us=resolved_us)

    assert {deadline(recall, now_us).urgency for now_us in (0, NOW_US, 2 * NOW_US)} == {urgency}


@pytest.mark.parametrize(
    ("left_us", "said"),
    [
        (20 * DAY_US, "Due in 3 weeks"),
        (3 * DAY_US, "Due in 3 days"),
        (90 * 60_000_000, "Due in 90 minutes"),
        (-2 * DAY_US, "Was due 2 days ago"),
    ],
)
def test_a_deadline_is_told_in_one_unit(left_us: int, said: str) -> None:
    assert deadline(a_recall(left_us), NOW_US).words(reader_of("en-GB")) == said


def test_the_most_urgent_come_first_and_what_is_overdue_or_later_is_left_out() -> None:
    lefts = {1: 2 * DAY_US, 2: HOUR_US, 3: 4 * DAY_US, 4: -HOUR_US, 5: 0}
    recalls = [a_recall(left_us, number=number) for number, left_us in lefts.items()]
    recalls.append(a_recall(HOUR_US, number=6, state=RecallState.RECALL_STATE_OVERDUE))

    assert [recall.number for recall in soonest(recalls, NOW_US)] == [2, 1]
