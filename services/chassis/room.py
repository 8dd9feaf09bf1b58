"""A bound on what is worked on at once, where one thing may weigh as much as hundreds of others.

Whoever is given room has asked for it first: what is heavy is not passed by for ever by what is light.
"""

import asyncio
import contextlib
from collections import deque


class Room:
    """So much in all, in whatever measure its users share. For one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, weight: int) -> None:
        """Waits for its turn and for so much room; what weighs more than there is waits for all of it.

        Whoever is cancelled while they wait has taken nothing.
        """
        weight = min(weight, self._most)
        if not self._waiting and weight <= self._left:
            self._left -= weight
            return
        waiting = weight, asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            await waiting[1]
        except asyncio.CancelledError:
            self._give_up(waiting)
            raise

    def give_back(self, weight: int) -> None:
        """Ends what `take` has begun with the same weight."""
        self._left += min(weight, self._most)
        self._let_in()

    def _give_up(self, waiting: tuple[int, asyncio.Future[None]]) -> None:
        weight, turn = waiting
        if not turn.cancelled():
            # The turn had come, and nobody was there any more to hear of it.
            self._left += weight
        with contextlib.suppress(ValueError):
            self._waiting.remove(waiting)
        # Those behind may fit where this one did not.
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            weight, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._left -= weight
                turn.set_result(None)
