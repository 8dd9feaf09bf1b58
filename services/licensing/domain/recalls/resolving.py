"""What a licensee says to a recall: that they have it, and how it ended (W3). The first word stands."""

from dataclasses import dataclass, replace

from services.chassis.refusals import already_exists
from services.licensing.domain.recalls.recalls import RESOLVED, Attestation, Recall, RecallState, Resolution


@dataclass(frozen=True)
class Ending:
    """How a licensee says that a recall ended."""

    outcome: RecallState
    """One of RESOLVED."""
    attestation: Attestation


def acknowledged(recall: Recall, now_us: int) -> Recall:
    """An issued recall once its licensee has said that they have it.

    What is overdue stays so, and of what is resolved nothing changes: how it ended says more.
    """
    if recall.acknowledged_at_us is not None or recall.resolution is not None:
        return recall
    is_new = recall.state is RecallState.ISSUED
    return replace(
        recall,
        state=RecallState.ACKNOWLEDGED if is_new else recall.state,
        acknowledged_at_us=_not_before_issue(recall, now_us),
    )


def resolved(recall: Recall, ending: Ending, by: str, now_us: int) -> Recall:
    """An issued recall once it ended; one that is overdue can still be.

    `by` is kind and party of the principal. Raises Refusal RECALL_RESOLVED_OTHERWISE.
    """
    assert ending.outcome in RESOLVED, "the contract has no other outcomes"
    if (first := recall.resolution) is not None:
        if (first.outcome, first.attestation) == (ending.outcome, ending.attestation):
            return recall
        message = "the recall was resolved in another way; the first resolution stands"
        raise already_exists("RECALL_RESOLVED_OTHERWISE", message)
    at_us = _not_before_issue(recall, now_us)
    overdue_at_us = recall.overdue_at_us
    if overdue_at_us is None and recall.due_at_us is not None and at_us >= recall.due_at_us:
        # It came too late, though nobody had noticed yet: a slow look must not make it timely.
        overdue_at_us = at_us
    resolution = Resolution(ending.outcome, ending.attestation, at_us, by)
    return replace(recall, state=ending.outcome, overdue_at_us=overdue_at_us, resolution=resolution)


def _not_before_issue(recall: Recall, now_us: int) -> int:
    """Now, but not before what happened earlier, whatever the clock does."""
    assert recall.issued_at_us is not None, "nobody answers what was not issued"
    return max(now_us, recall.issued_at_us, recall.acknowledged_at_us or 0, recall.overdue_at_us or 0)
