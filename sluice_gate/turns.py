"""The turns of a job: each batch with the rounds in which it was asked for.

A round that delivered nothing is confirmed as such before the next one is asked, so that licensing never
counts a batch twice. A job that was interrupted walks the same rounds again and finds in them what it had
left behind.
"""

import asyncio
from dataclasses import dataclass, field

from sluice.licensing.v1.post_pb2 import PostColumns
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice_gate.answers import Answer
from sluice_gate.asking import Asking
from sluice_gate.batching import Batch
from sluice_gate.clocks import Clock
from sluice_gate.errors import AnswerInvalid, CallRefused
from sluice_gate.request_ids import batch_request_id

CONFIRMED_OTHERWISE = "CONFIRMED_OTHERWISE"
MAX_LOST_PERMITS = 5
"""Fresh permits of one batch that may end unused before a job gives up: the meter counts each of them."""


@dataclass
class Turn:
    """One batch on its way through the gate."""

    batch: Batch
    columns: PostColumns
    round: int = 0
    """The round that is asked, or will be asked next."""
    spent: list[Answer] = field(default_factory=list)
    """The answers of the rounds before, on none of which anything is delivered."""
    waits: int = 0
    """Times that it waited for room."""
    alone: bool = False
    """It had no room: no later batch may ask, and take the room again, before this one is through."""
    begun: bool = False
    """Its delivery has begun: what was released may be on disk, and be read as delivered on resuming."""
    lost: int = 0
    """Fresh permits that ended unused."""
    asked: asyncio.Task[Answer] | None = None
    """The asking under way or done; None where there is nothing to ask or it is not time to."""


class Rounds:
    """Asks for batches, round after round."""

    def __init__(self, run: str, license_id: str, purpose: int, asking: Asking, clock: Clock) -> None:
        self._run = run
        self._license_id = license_id
        self._purpose = purpose
        self._asking = asking
        self._clock = clock

    async def answer(self, turn: Turn) -> Answer:
        """Asks from the turn's round on, until an answer counts. Raises CallRefused and AnswerInvalid."""
        while True:
            answer = await self._asking.decide(self._request(turn))
            if self._counts(answer):
                return answer
            await self.give_up(turn, answer)

    async def give_up(self, turn: Turn, answer: Answer) -> None:
        """Delivers nothing on an answer, and says so; next round. Raises CallRefused and AnswerInvalid."""
        if answer.posts_released:
            await self.confirm_nothing(answer)
        turn.lost += bool(answer.posts_released and not answer.decision.replayed)
        turn.spent.append(answer)
        turn.round += 1
        if turn.lost >= MAX_LOST_PERMITS:
            raise AnswerInvalid(
                "PERMITS_TOO_SHORT", f"{turn.lost} permits ended before anything could be written"
            )

    async def confirm_nothing(self, answer: Answer) -> None:
        """Says that nothing was delivered on an answer. Raises CallRefused and AnswerInvalid."""
        try:
            await self._asking.confirm(answer.decision.decision_id, answer.nothing())
        except CallRefused as refusal:
            if refusal.reason != CONFIRMED_OTHERWISE:
                raise
            # Someone delivered on it. To ask in another round would deliver, and bill, the same posts twice.
            raise AnswerInvalid(
                "DELIVERED_ELSEWHERE",
                f"decision {answer.decision.decision_id} was confirmed as delivered, but not by this journal",
            ) from refusal

    def _counts(self, answer: Answer) -> bool:
        if answer.posts_released:
            return self._clock.elapsed_us() < answer.deliver_before_us
        # A want of room that is told again may long be over.
        return not (answer.lacks_room and answer.decision.replayed)

    def _request(self, turn: Turn) -> DecideRequest:
        return DecideRequest(
            request_id=batch_request_id(self._run, turn.batch.ordinal, turn.round),
            license_id=self._license_id,
            purpose=self._purpose,  # type: ignore[arg-type]  # an open enum: any number can be sent
            columns=turn.columns,
        )
