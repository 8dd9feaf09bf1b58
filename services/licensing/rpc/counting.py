"""The figures of decisions: how many are under way, how they came out, and the calls that ask for them.

Counted where the answer is given, so that what was not answered is in the figures of calls alone.
"""

import contextlib
from collections.abc import Iterator

import grpc
import numpy as np

from services.chassis.metrics import CALLS, CALLS_OVERLOADED
from services.licensing.domain.reasons import Verdict
from services.licensing.ledger import Concluded
from services.licensing.metrics import DECIDED_POSTS, DECISIONS, DECISIONS_IN_FLIGHT
from services.licensing.rpc.streams import EACH

SERVICE = "sluice.licensing.v1.ReleaseService"
ASKING = (f"{SERVICE}/Decide", EACH, f"{SERVICE}/RequestRelease")
"""What asks for a decision, as it is counted."""
FAULTS = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
)
"""Codes of a request that was in order and not decided."""

_BY_VERDICT = tuple((verdict, DECIDED_POSTS.labels(verdict.name.lower())) for verdict in Verdict if verdict)


def begin() -> None:
    """Shows what has not failed yet as 0: rate() misses the first count of a series that begins with it."""
    for method in ASKING:
        CALLS_OVERLOADED.labels(method)
        for code in (grpc.StatusCode.OK, *FAULTS):
            CALLS.labels(method, code.name)


@contextlib.contextmanager
def under_way() -> Iterator[None]:
    """One request more, until it has its answer or is refused."""
    DECISIONS_IN_FLIGHT.inc()
    try:
        yield
    finally:
        DECISIONS_IN_FLIGHT.dec()


def count(concluded: Concluded) -> None:
    """An answer; of one that was given before the posts are not counted again."""
    if concluded.replayed:
        DECISIONS.labels("replayed").inc()
        return
    decision = concluded.decision
    DECISIONS.labels(decision.outcome.name.lower()).inc()
    posts = np.bincount(decision.verdicts, minlength=len(Verdict))
    for verdict, counter in _BY_VERDICT:
        if posts[verdict]:
            counter.inc(int(posts[verdict]))
