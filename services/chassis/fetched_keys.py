"""The public keys of an issuer elsewhere: fetched beside the calls, and never waited for by one.

A set is used for as long as its issuer says, within bounds, and for some time beyond where no other is to be
had; then nobody of that issuer is let in. It is fetched again before it gets old, and at once when a token
names a key that is not in it, but never twice in ten seconds whatever tokens say.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.fetching import Fetched, FetchError
from services.chassis.jwks import VerificationKey, usable_keys
from services.chassis.refusals import Refusal, unavailable

SECOND_US = 1_000_000
SHORTEST_AGE_SECONDS = 60
LONGEST_AGE_SECONDS = 24 * 60 * 60
USUAL_AGE_SECONDS = 60 * 60
"""Where the issuer does not say."""
PAUSE_SECONDS = 10.0
"""Between two fetches at the least."""

_log = structlog.get_logger(__name__)


class Fetch(Protocol):
    """Where the document comes from."""

    async def fetch(self) -> Fetched:
        """The document as it is now; raises FetchError."""
        ...


@dataclass(frozen=True)
class _KeySet:
    """Keys as they were fetched once. Times are microseconds since the epoch."""

    keys: Mapping[str, VerificationKey]
    fetched_us: int
    fresh_until_us: int


class FetchedKeys:
    """The keys of one issuer, by kid; empty-handed until the first fetch."""

    def __init__(
        self, issuer: str, fetch: Fetch, clock: Clock, *, kept_us: int, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        """`kept_us`: for how long beyond its age a set is used while no other comes, in microseconds."""
        self.name = f"keys of {issuer}"
        self._fetch = fetch
        self._clock = clock
        self._kept_us = kept_us
        self._pause_seconds = pause_seconds
        self._set: _KeySet | None = None
        self._is_changed = False
        self._wanted = asyncio.Event()
        self._log = _log.bind(issuer=issuer)

    def refresh(self) -> bool:
        """Whether the keys are others than at the last call.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) where there are none, or they are too old.
        """
        self._usable()
        is_changed, self._is_changed = self._is_changed, False
        return is_changed

    def get(self, kid: str) -> VerificationKey | None:
        """The key of that id; None where the issuer had none a moment ago.

        Raises Refusal (unavailable, KEYS_UNAVAILABLE) where it may have one by now, and has it looked for.
        """
        usable = self._usable()
        found = usable.keys.get(kid)
        if found is None and self._clock.now_us() - usable.fetched_us >= self._pause_seconds * SECOND_US:
            self._wanted.set()
            raise self._unavailable()
        return found

    async def run(self) -> None:
        """Keeps a set at hand until it is cancelled."""
        while True:
            self._wanted.clear()
            await self.renew()
            await asyncio.sleep(self._pause_seconds)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.rest_seconds()):
                    await self._wanted.wait()

    async def renew(self) -> None:
        """Fetches once; what does not come, or is no set of keys, leaves the last good one as it is."""
        try:
            fetched = await self._fetch.fetch()
            # Some hundred keys take a while to read, in which others are to be answered.
            keys = await asyncio.to_thread(usable_keys, fetched.content)
        except (FetchError, ValueError) as error:
            self._log.warning("keys_not_fetched", why=str(error))
            return
        now_us = self._clock.now_us()
        if self._set is None or _words(self._set.keys) != _words(keys):
            self._is_changed = True
            self._log.info("keys_fetched", kids=sorted(keys))
        self._set = _KeySet(keys, now_us, now_us + _age_seconds(fetched) * SECOND_US)

    def rest_seconds(self) -> float:
        """Until the next fetch, if no token asks for one before: at four fifths of the set's age."""
        if self._set is None:
            return 0.0
        age_us = self._set.fresh_until_us - self._set.fetched_us
        return max(0, self._set.fetched_us + age_us * 4 // 5 - self._clock.now_us()) / SECOND_US

    def _usable(self) -> _KeySet:
        if self._set is None or self._clock.now_us() >= self._set.fresh_until_us + self._kept_us:
            self._wanted.set()
            raise self._unavailable()
        return self._set

    def _unavailable(self) -> Refusal:
        message = "the keys of the token's issuer are not at hand"
        return unavailable("KEYS_UNAVAILABLE", message, retry_after_us=int(self._pause_seconds * SECOND_US))


def _age_seconds(fetched: Fetched) -> int:
    if fetched.max_age_seconds is None:
        return USUAL_AGE_SECONDS
    return min(max(fetched.max_age_seconds, SHORTEST_AGE_SECONDS), LONGEST_AGE_SECONDS)


def _words(keys: Mapping[str, VerificationKey]) -> Mapping[str, Mapping[str, object]]:
    return {kid: key.jwk for kid, key in keys.items()}
