"""What a provider of sign-ins says of itself, and its keys: fetched when somebody signs in, and kept a while.

They are fetched again when they get old, and at once for a token whose key is not among them, but never twice
in ten seconds whatever tokens say.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.jwks import VerificationKey, usable_keys
from services.console.web.provider import DISCOVERY, Endpoints, read_endpoints
from services.console.web.provider_calls import ProviderCalls, of_no_use

KEPT_US = 3_600_000_000
"""An hour, in microseconds."""
PAUSE_US = 10_000_000
"""Between two fetches at the least, in microseconds, where it is a token that asks for one."""


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
        self._fetching = asyncio.Lock()

    async def known(self) -> Known:
        """What is known; raises Refusal (unavailable, PROVIDER_UNAVAILABLE)."""
        return await self._at_most_old(KEPT_US)

    async def known_with(self, kid: object) -> Known:
        """The same, looked up anew where there is no key of that id, which it may still lack after that.

        Raises Refusal (unavailable, PROVIDER_UNAVAILABLE).
        """
        known = await self.known()
        return known if kid in known.keys else await self._at_most_old(PAUSE_US)

    async def _at_most_old(self, age_us: int) -> Known:
        # Of those who find it too old one fetches, and the others have what it got.
        async with self._fetching:
            if self._known is None or self._clock.now_us() - self._known.since_us >= age_us:
                self._known = await self._fetched()
            return self._known

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
