"""What becomes of a form whose calls were not all answered: it may be carried out, wholly or in part."""

from collections.abc import Sequence
from typing import TypeVar

from services.chassis.refusals import Refusal

T = TypeVar("T")

PARTLY_DONE = "PARTLY_DONE"
"""The reason where something of a form was carried out, and the rest was not or may not have been."""
UNKNOWN_OUTCOME = frozenset(
    {
        "PEER_UNAVAILABLE",
        "PEER_ANSWER_INVALID",
        "COMMIT_UNKNOWN",
        "INTERNAL",
        "DEADLINE_TOO_SHORT",
        # Of a gateway that may have passed the call on before it lost the answer.
        "GATEWAY_UNAVAILABLE",
        "GATEWAY_TIMEOUT",
        "GATEWAY_ANSWER_BROKEN",
        "GATEWAY_INTERNAL",
    }
)
"""Reasons after which nobody here knows whether a call was carried out."""


def all_of(answers: Sequence[T | BaseException]) -> list[T]:
    """The answers of calls that one form came to, as `asyncio.gather` returns them with its exceptions.

    Raises the first exception. It is a Refusal PARTLY_DONE, of the same kind, where another call was carried
    out: then it would not be true that nothing was changed.
    """
    done = [answer for answer in answers if not isinstance(answer, BaseException)]
    failed = next((answer for answer in answers if isinstance(answer, BaseException)), None)
    if failed is None:
        return done
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    if isinstance(failed, Refusal) and done:
        raise partly_done(failed) from failed
    # Whether the first was carried out may be known, and still not whether the others were.
    raise next((each for each in refused if each.reason in UNKNOWN_OUTCOME), failed)


def partly_done(refusal: Refusal) -> Refusal:
    """In the place of a refusal that came after something of the same form had been carried out."""
    return Refusal(
        refusal.kind,
        PARTLY_DONE,
        f"a part was carried out, and then: {refusal.reason}",
        retry_after_us=refusal.retry_after_us,
    )
