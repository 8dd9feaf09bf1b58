"""Decisions on a stream: each request as on Decide, several side by side, and a refusal is of one alone."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from services.chassis.channels import LARGEST_REQUEST_BYTES
from services.chassis.claims import SECOND_US
from services.chassis.deadlines import DEFAULT_DEADLINE_US, remaining_us, within
from services.chassis.ending import Ending
from services.chassis.identity import NEVER_US
from services.chassis.interceptors import contained, observed_beside
from services.chassis.refusals import Refusal
from services.chassis.room import Room
from services.chassis.side_by_side import Shares, side_by_side
from services.chassis.statuses import to_status
from services.chassis.validation import read_message
from services.chassis.wire import content_of
from sluice.licensing.v1 import release_service_pb2 as pb

METHOD = "sluice.licensing.v1.ReleaseService/DecideStream"
EACH = f"{METHOD}Request"
"""What each of its requests is counted, timed and traced as."""
IN_FLIGHT_EACH = 32
"""Requests of one stream that are under way or whose answers are not taken; then it is not read further."""
BYTES_EACH = LARGEST_REQUEST_BYTES
"""Likewise, of the requests as they came; a batch of 1,000 posts has 31 KB, the largest in columns 1.9 MB."""
IN_FLIGHT_OF_ALL = 256
"""Decisions of all streams that are worked on at once, as many as single calls by default; others wait."""
BYTES_OF_ALL = 2 * LARGEST_REQUEST_BYTES
"""Likewise: what a request takes of memory and of everybody's time goes by its size."""
LONGEST_SECONDS = 900.0
"""How long a stream is read at most: who opened it may find another process after that."""
MOST_PARTS = 16
"""Fields around a request. There is one; a parser would merge several, which nobody sends."""
LONGEST_ID = 36
"""Characters of a request's id that are said again; what is longer is none."""

Decide = Callable[[pb.DecideRequest], Awaitable[pb.Decision]]


class _Sent(NamedTuple):
    """One request as it came."""

    number: int
    """From 1."""
    payload: bytes


class DecisionStreams:
    """Answers what comes in on streams, of all callers."""

    def __init__(self, decide: Decide, *, longest_seconds: float = LONGEST_SECONDS) -> None:
        """`decide` is what a single call does with its request."""
        self._decide = decide
        self._longest_seconds = longest_seconds
        # With a least weight, the bound of bytes is one of numbers too.
        self._least = BYTES_OF_ALL // IN_FLIGHT_OF_ALL
        self._shares = Shares(self._weigh, own=BYTES_EACH, of_all=Room(BYTES_OF_ALL))

    def answers(
        self, payloads: AsyncIterator[bytes], expires_in_us: int = NEVER_US
    ) -> AsyncGenerator[pb.DecideStreamResponse]:
        """An answer for each request, as they conclude; to be closed.

        Nothing is read any more after `expires_in_us` microseconds, when the caller's token would be refused.
        """
        read = Ending().until(payloads, min(self._longest_seconds, expires_in_us / SECOND_US))
        return side_by_side(_numbered(read), self._answer, at_once=IN_FLIGHT_EACH, shares=self._shares)

    def _weigh(self, sent: _Sent) -> int:
        return max(len(sent.payload), self._least)

    async def _answer(self, sent: _Sent) -> pb.DecideStreamResponse:
        answer = pb.DecideStreamResponse(number=sent.number)
        # Looked at now that there is room: what was waited for it is gone from the stream's deadline.
        left_us = remaining_us()
        try:
            # A trace, a deadline and a worst case of its own, as a call has them.
            with (
                observed_beside(EACH),
                contained(METHOD, None),
                within(DEFAULT_DEADLINE_US if left_us is None else min(left_us, DEFAULT_DEADLINE_US)),
            ):
                answer.decision.CopyFrom(await self._decided(sent.payload, answer))
        except Refusal as refusal:
            answer.refusal.CopyFrom(to_status(refusal))
        return answer

    async def _decided(self, payload: bytes, answer: pb.DecideStreamResponse) -> pb.Decision:
        # Taken out first and read alone, so that a fault has the reason and the field that Decide tells.
        request = read_message(content_of(payload, 1, MOST_PARTS), _parse_naming(answer))
        return await self._decide(request)


def _parse_naming(answer: pb.DecideStreamResponse) -> Callable[[bytes], pb.DecideRequest]:
    """A parser that puts the request's id into the answer, before the rules of the contract are looked at."""

    def parse(payload: bytes) -> pb.DecideRequest:
        request = pb.DecideRequest.FromString(payload)
        if len(request.request_id) <= LONGEST_ID:
            answer.request_id = request.request_id
        return request

    return parse


async def _numbered(payloads: AsyncIterator[bytes]) -> AsyncIterator[_Sent]:
    number = 0
    async for payload in payloads:
        number += 1
        yield _Sent(number, payload)
