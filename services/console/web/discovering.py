"""What a provider of sign-ins says of itself, and its keys: fetched when somebody signs in, and kept a while.

They are fetched again when they get old, and at once for a token whose key is not among them, but never twice
in ten seconds whatever tokens say. Where that fails, what is known is gone on with for some hours.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.jwks import VerificationKey, usable_keys
from services.chassis.refusals import Refusal, unavailable
from services.console.web.provider import DISCOVERY, Endpoints, read_endpoints
from services.console.web.provider_calls import ProviderCalls, of_no_use

KEPT_US = 3_600_000_000
"""An hour, in microseconds."""
LONGEST_US = 6 * KEPT_US
"""So long is gone on with what is known while the provider does not say it anew, in microseconds."""
PAUSE_US = 10_000_000
"""Between two fetches at the least, in microseconds, where it is a token that asks for one."""
FAILED_US = 5_000_000
"""So long is a provider that did not answer not asked again, in microseconds."""


@dataclass(frozen=True)
class Known:
    """A provider as it was at one time."""

    endpoints: Endpoints
    keys: Mapping[str, VerificationKey]
    """By kid."""
    since_us: int


class Discovery:
    """One provider, as far as it is known."""

    def __init__(self, issuer: str, calls: ProviderCalls, clock: Clock) -> None:
        self._issuer = issuer
        self._calls = calls
        self._clock = clock
        self._known: Known | None = None
        self._fetching: asyncio.Task[Known | Refusal] | None = None
        self._failed: tuple[Refusal, int] | None = None
        """What the last fetch ended in, and when; None where it did not fail."""

    @property
    def known_already(self) -> Known | None:
        """What is known without asking anybody, however old."""
        return self._known

    async def known(self) -> Known:
        """What is known, and not too old; raises Refusal (unavailable, PROVIDER_UNAVAILABLE)."""
        try:
            return await self._at_most_old(KEPT_US)
        except Refusal:
            if self._known is None or self._age_us(self._known) >= LONGEST_US:
                raise
            return self._known

    async def known_with(self, kid: object) -> Known:
        """The same, looked up anew where there is no key of that id, which it may still lack after that.

        Raises Refusal (unavailable, PROVIDER_UNAVAILABLE).
        """
        known = await self.known()
        return known if kid in known.keys else await self._at_most_old(PAUSE_US)

    async def _at_most_old(self, age_us: int) -> Known:
        if self._known is not None and self._age_us(self._known) < age_us:
            return self._known
        outcome = await self._outcome()
        if isinstance(outcome, Refusal):
            # Each who waited gets one of their own: what is raised is changed on its way.
            raise unavailable(outcome.reason, outcome.message)
        return outcome

    async def _outcome(self) -> Known | Refusal:
        """Of one fetch for all who ask meanwhile: one after the other they would queue without an end."""
        if self._failed is not None and self._clock.now_us() - self._failed[1] < FAILED_US:
            return self._failed[0]
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._fetch())
        # It goes on for the others when one of them leaves.
        return await asyncio.shield(self._fetching)

    async def _fetch(self) -> Known | Refusal:
        try:
            self._known, self._failed = await self._fetched(), None
        except Refusal as refusal:
            self._failed = refusal, self._clock.now_us()
            return refusal
        return self._known

    def _age_us(self, known: Known) -> int:
        return self._clock.now_us() - known.since_us

    async def _fetched(self) -> Known:
        document = await self._calls.document(self._issuer.rstrip("/") + DISCOVERY)
        try:
            endpoints = read_endpoints(document, self._issuer)
            content = await self._calls.document(endpoints.keys)
            # Some hundred keys take a while to read, in which others are to be answered.
            keys = await asyncio.to_thread(usable_keys, content)
        except (ValueError, RecursionError) as error:
            raise of_no_use(str(error)) from error
        return Known(endpoints, keys, self._clock.now_us())
