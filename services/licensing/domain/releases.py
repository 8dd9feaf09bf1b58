"""How the answers of license, consent and metering become one verdict a post.

A post is released only where consent said so by name and nothing else objected; of several objections the
first counts, in the order fault, license, consent, room. Every answer has one verdict a post, in order.
"""

import enum

import numpy as np

from services.chassis.refusals import unavailable
from services.licensing.domain.posts import Mask
from services.licensing.domain.reasons import Reason, Reasons, Verdict, Verdicts


class Outcome(enum.IntEnum):
    """How a batch came out; the numbers of `sluice.licensing.v1.Outcome`."""

    RELEASED = 1
    PARTIAL = 2
    DENIED = 3


def first_objection(*objections: Reasons) -> Reasons:
    """Merges columns of N bytes in order of precedence: a post's first objection that is not 0, else 0."""
    merged = np.zeros_like(objections[0])
    for column in objections:
        merged = np.where(merged == 0, column, merged)
    return merged


def still_possible(objections: Reasons) -> Mask:
    """N booleans: nothing has been objected yet, so consent must be asked."""
    return np.equal(objections, 0)


def after_consent(objections: Reasons, consent: Reasons) -> Reasons:
    """N reasons, once consent has answered for the posts that were still possible, in their order.

    Raises Refusal (unavailable, PEER_ANSWER_INVALID) unless it answered for each of them.
    """
    possible = still_possible(objections)
    asked = np.count_nonzero(possible)
    # An answer for one post would otherwise be spread over all.
    if len(consent) != asked:
        raise unavailable("PEER_ANSWER_INVALID", f"consent gave {len(consent)} reasons for {asked} posts")
    reasons = objections.copy()
    reasons[possible] = consent
    return reasons


def after_asking_again(reasons: Reasons, consent: Reasons) -> Reasons:
    """N reasons, once consent has answered anew for the posts that would go, in their order (W5).

    What was denied stays denied, and for what it was denied. Raises as `after_consent`.
    """
    return after_consent(np.where(reasons == Reason.RELEASED, 0, reasons).astype(np.uint8), consent)


def after_room(reasons: Reasons, room: int) -> Reasons:
    """N reasons, once metering has said for how many posts there is room: the first ones, in order."""
    released = np.flatnonzero(reasons == Reason.RELEASED)
    limited = reasons.copy()
    limited[released[room:]] = Reason.NO_ROOM
    return limited


def outcome_of(verdicts: Verdicts) -> Outcome:
    """How a batch came out by its verdicts; there is at least one."""
    released = np.count_nonzero(verdicts == Verdict.RELEASED)
    if released == 0:
        return Outcome.DENIED
    return Outcome.RELEASED if released == len(verdicts) else Outcome.PARTIAL


def counts_of(verdicts: Verdicts) -> dict[str, int]:
    """Posts by the name of their verdict; a verdict that no post got is left out."""
    numbers = np.bincount(verdicts, minlength=1)
    return {Verdict(number).name: int(numbers[number]) for number in np.flatnonzero(numbers).tolist()}
