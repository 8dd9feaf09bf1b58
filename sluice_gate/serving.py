"""Serves what licensees asked for by post id: which posts may go now, and which have gone.

A post may be served only while less time has passed, on this machine's own clock, since licensing was asked
than the validity it answered with. What has been confirmed once is closed: nothing more is served on it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sluice.licensing.v1.release_service_pb2 import Delivery, DeliveryState, GetReleasedPostsResponse
from sluice_gate.clocks import Clock, SystemClock
from sluice_gate.errors import AnswerInvalid

_OPEN = DeliveryState.DELIVERY_STATE_OPEN


class Licensing(Protocol):
    """What is asked of licensing."""

    async def released(self, decision_id: str) -> GetReleasedPostsResponse:
        """What a decision released. Raises CallRefused."""
        ...

    async def confirm(self, decision_id: str, delivered: bytes) -> Delivery:
        """Says which posts were delivered, as a bitmap. Raises CallRefused."""
        ...


@dataclass(frozen=True)
class Servable:
    """What may be served on one decision, for as long as it may."""

    decision_id: str
    licensee_id: str
    purpose: int
    """The number of a Purpose."""
    serve_before_us: int
    """By `Clock.elapsed_us`; at or after it, nothing."""
    places: dict[int, int]
    """Of each post by its id: where in the request it stands, from 0."""
    posts_asked: int
    elapsed_us: Callable[[], int]

    @property
    def ids(self) -> tuple[int, ...]:
        """The posts, in the order of the request."""
        return tuple(self.places)

    def may_serve(self) -> bool:
        """Whether they may be served at this moment: to be asked before each post, not once for all."""
        return self.elapsed_us() < self.serve_before_us


class PostServing:
    """Looks up what may be served, and confirms what was."""

    def __init__(self, licensing: Licensing, clock: Clock | None = None) -> None:
        self._licensing = licensing
        self._clock = clock or SystemClock()

    async def open(self, decision_id: str, licensee_id: str) -> Servable:
        """What may be served to a licensee who shows a decision's id; nothing where its time is over.

        `licensee_id` is who shows it, as their token says. Raises CallRefused, and AnswerInvalid where the
        decision is not theirs (DECISION_OF_ANOTHER) or the answer does not fit together (ANSWER_CONTRADICTS).
        """
        sent_us = self._clock.elapsed_us()
        answer = await self._licensing.released(decision_id)
        if answer.licensee_id != licensee_id:
            raise AnswerInvalid("DECISION_OF_ANOTHER", "the decision is for another licensee")
        is_open = answer.delivery.state == _OPEN and not answer.is_void
        valid_for_us = max(0, answer.valid_for.ToMicroseconds()) if is_open else 0
        return Servable(
            decision_id=decision_id,
            licensee_id=answer.licensee_id,
            purpose=answer.purpose,
            serve_before_us=sent_us + valid_for_us,
            places=_places(answer) if valid_for_us else {},
            posts_asked=answer.posts_asked,
            elapsed_us=self._clock.elapsed_us,
        )

    async def confirm(self, servable: Servable, served: Iterable[int]) -> Delivery:
        """Says which posts have gone, by their ids; to be said once, when no more will go.

        Raises CallRefused, and KeyError for a post that was not to be served.
        """
        delivered = np.zeros(servable.posts_asked, np.bool_)
        delivered[[servable.places[id] for id in served]] = True
        bitmap = np.packbits(delivered, bitorder="little").tobytes()
        return await self._licensing.confirm(servable.decision_id, bitmap)


def _places(answer: GetReleasedPostsResponse) -> dict[int, int]:
    places = dict(zip(answer.post_ids, answer.positions, strict=False))
    positions = list(answer.positions)
    fits = len(places) == len(positions) == len(answer.post_ids) and positions == sorted(set(positions))
    if not fits or (positions and positions[-1] >= answer.posts_asked):
        raise AnswerInvalid("ANSWER_CONTRADICTS", "the released posts do not fit the request")
    return places
