"""The announcer: tells licensees at their webhooks that there is a recall to read, at least once each.

What waits is in the database: whoever sends it takes a lease of the webhook first, by moving the time of its
next try, and says afterwards what became of it. Where a process dies in between, another sends it again when
the lease is over; the message has the same id then.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.public_addresses import Target
from services.chassis.refusals import Refusal
from services.licensing.domain.webhooks.signatures import signed_headers
from services.licensing.domain.webhooks.webhooks import (
    Failure,
    Fault,
    Leased,
    Outcome,
    announcement_of,
    next_try_us,
)
from services.licensing.recalls import log_fault
from services.licensing.webhooks import webhook_target

AT_ONCE = 8
"""Messages that are on their way together, each of another licensee."""
PAUSE_SECONDS = 5.0
"""Between looks when there is nothing to send; a recall has collected for a minute by then (W2)."""


class Announcements(Protocol):
    """What waits to be announced."""

    async def lease(self, now_us: int, limit: int) -> Sequence[Leased]: ...
    async def conclude(self, outcomes: Sequence[Outcome]) -> Sequence[int]: ...


class Post(Protocol):
    """Who sends a message."""

    async def post(
        self, target: Target, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Failure | None: ...


class Announcer:
    """Announces until it is cancelled."""

    name = "announcer"

    def __init__(
        self,
        announcements: Announcements,
        post: Post,
        clock: Clock,
        chance: Callable[[], float],
        *,
        allow_private: bool,
        count: Callable[[Outcome], None],
    ) -> None:
        """`chance` is in [0, 1); `count` is told of each outcome, for the figures of the service."""
        self._announcements = announcements
        self._post = post
        self._clock = clock
        self._chance = chance
        self._allow_private = allow_private
        self._count = count
        self._log = structlog.get_logger(self.name)

    async def run(self) -> None:
        """Announces, and looks again."""
        while True:
            try:
                more = await self.announce()
            except Exception as error:
                log_fault(self._log, "recalls cannot be announced", error)
                more = False
            if not more:
                await asyncio.sleep(PAUSE_SECONDS)

    async def announce(self) -> bool:
        """Sends what is due, once; whether there was any.

        Raises Refusal (unavailable) when licensing's database cannot be reached: what was sent is sent again.
        """
        leased = await self._announcements.lease(self._clock.now_us(), AT_ONCE)
        outcomes = await asyncio.gather(*map(self._try, leased))
        given_up = await self._announcements.conclude(outcomes) if outcomes else ()
        for outcome, announcements in zip(outcomes, given_up, strict=True):
            self._count(outcome)
            if announcements:
                self._report(outcome, announcements)
        return bool(outcomes)

    async def _try(self, leased: Leased) -> Outcome:
        failure = await self._send(leased)
        now_us = self._clock.now_us()
        if failure is None:
            return Outcome(leased, now_us, None, now_us)
        return Outcome(leased, now_us, failure, next_try_us(leased.webhook.tries, now_us, self._chance()))

    async def _send(self, leased: Leased) -> Failure | None:
        announcement, now_us = announcement_of(leased.recall), self._clock.now_us()
        try:
            # Once more: it may have been taken by a process with other settings.
            target = webhook_target(leased.webhook.url, allow_private=self._allow_private)
        except Refusal:
            return Failure(Fault.ADDRESS_NOT_PUBLIC)
        headers = signed_headers(announcement, leased.webhook.signs_with(now_us), now_us)
        return await self._post.post(target, headers, announcement.body)

    def _report(self, outcome: Outcome, announcements: int) -> None:
        recall = outcome.leased.recall
        self._log.error(
            "announcement_given_up",
            licensee_id=recall.licensee_id,
            announcements=announcements,
            oldest_recall_id=recall.recall_id,
        )
