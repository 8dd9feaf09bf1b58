"""Decisions on a stream: each request as on Decide, several side by side, and a refusal is of one alone."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from services.chassis.deadlines import DEFAULT_DEADLINE_US, remaining_us, within
from services.chassis.interceptors import contained
from services.chassis.refusals import Refusal
from services.chassis.side_by_side import side_by_side
from services.chassis.statuses import to_status
from services.chassis.tracing import server_span
from services.chassis.validation import read_message
from services.chassis.wire import content_of
from sluice.licensing.v1 import release_service_pb2 as pb

METHOD = "sluice.licensing.v1.ReleaseService/DecideStream"
IN_FLIGHT_EACH = 32
"""Requests of one stream that are under way or whose answers are not taken; then it is not read further."""
IN_FLIGHT_OF_ALL = 256
"""Decisions of all streams that are worked on at once, as many as single calls by default; others wait."""
LONGEST_SECONDS = 900.0
"""How long a stream is read: who opened it shows a token again after that, and may find another process."""

MOST_PARTS = 16
"""Fields around a request. There is one; a parser would merge several, which nobody sends."""

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
        self._places = asyncio.Semaphore(IN_FLIGHT_OF_ALL)

    def answers(self, payloads: AsyncIterator[bytes]) -> AsyncGenerator[pb.DecideStreamResponse]:
        """An answer for each request, as they conclude; to be closed."""
        return side_by_side(
            _numbered(payloads), self._answer, at_once=IN_FLIGHT_EACH, seconds=self._longest_seconds
        )

    async def _answer(self, sent: _Sent) -> pb.DecideStreamResponse:
        answer = pb.DecideStreamResponse(number=sent.number)
        left_us = remaining_us()
        try:
            # A trace, a deadline and a worst case of its own, as a call has them.
            async with self._places:
                with (
                    server_span(METHOD, {}),
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
        answer.request_id = request.request_id
        return request

    return parse


async def _numbered(payloads: AsyncIterator[bytes]) -> AsyncIterator[_Sent]:
    number = 0
    async for payload in payloads:
        number += 1
        yield _Sent(number, payload)
