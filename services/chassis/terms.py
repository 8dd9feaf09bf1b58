"""How long a stream goes on for its caller: no longer than what they proved themselves with is good.

A call is short, and who makes the next one is asked again. A stream may stay open for days: at the end of its
caller's token nothing more is read of it and nothing more is told by one that would go on for ever. What was
read is answered first, and what has an end of its own is told to that.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from services.chassis.clock import Clock
from services.chassis.ending import Ending
from services.chassis.identity import NEVER_US, known_until_us
from services.chassis.refusals import Kind, Refusal

SECOND_US = 1_000_000
GO_ON_US = 1_000
"""Not a wait but a word: a refusal at the opening has no such time, for the same token helps nobody."""

Item = TypeVar("Item")


class Term:
    """The term of one stream, from its beginning; for the task that serves it."""

    def __init__(self, ending: Ending, clock: Clock) -> None:
        """`ending` is that of the process."""
        self.ending = ending
        self._seconds: float | None = None
        if (until_us := known_until_us()) != NEVER_US:
            self._seconds = max(0, until_us - clock.now_us()) / SECOND_US
        self._has_run_out = False

    def until(self, items: AsyncIterator[Item]) -> AsyncGenerator[Item]:
        """The items up to the end of the process or of the term; what is awaited then is cancelled."""
        return self.ending.until(items, self._seconds, self._note)

    def whole(self, items: AsyncIterator[Item]) -> AsyncGenerator[Item]:
        """All of the items, for what makes one answer of them; raises Refusal as `check` in their place."""
        return Ending().until(items, self._seconds, self._refuse)

    def check(self) -> None:
        """Raises Refusal (unauthenticated, TOKEN_EXPIRED) where something was cut off by the term."""
        if self._has_run_out:
            message = "what the stream was opened with has expired; open it again with a new token, and go on"
            raise Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", message, retry_after_us=GO_ON_US)

    def _note(self) -> None:
        self._has_run_out = True

    def _refuse(self) -> None:
        self._note()
        self.check()


def has_run_out(refusal: Refusal) -> bool:
    """Whether a stream has come to the end of its caller's token, and goes on under a new one.

    Not where the token was refused at the opening: then the same again is refused again.
    """
    return refusal.reason == "TOKEN_EXPIRED" and refusal.retry_after_us is not None
