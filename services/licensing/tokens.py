"""The token desk: an API key becomes a token, and anyone may have the keys that tokens are checked with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.clock import Clock
from services.chassis.identity import Principal, PrincipalKind
from services.chassis.jwks import PublicKey
from services.chassis.minting import IssuedToken
from services.licensing.api_keys import Shown
from services.licensing.domain.api_keys import Holder

KEEP_KEYS_US = 5 * 60 * 1_000_000
"""How long published keys may be kept: a key that is taken away counts elsewhere for so long at most."""


class Keys(Protocol):
    """Who knows API keys."""

    async def shown(self, text: str) -> Shown: ...


class Minter(Protocol):
    """Who signs tokens."""

    def issue(self, principal: Principal, until_us: int | None = None) -> IssuedToken: ...


class KeySet(Protocol):
    """The public keys that tokens are checked with, as they are now."""

    def refresh(self) -> bool: ...
    def published(self, now_us: int) -> Sequence[PublicKey]: ...


@dataclass(frozen=True)
class Exchanged:
    """What a key was good for."""

    holder: Holder
    token: IssuedToken
    valid_for_us: int
    """Counted from when the call arrived, which is no earlier than when it was sent."""


@dataclass(frozen=True)
class Published:
    """The public keys, and until when they may be kept."""

    keys: Sequence[PublicKey]
    keep_until_us: int


class TokenDesk:
    """Gives tokens for API keys."""

    def __init__(self, keys: Keys, minter: Minter, key_set: KeySet, clock: Clock) -> None:
        self._keys = keys
        self._minter = minter
        self._key_set = key_set
        self._clock = clock

    async def exchange(self, api_key: str) -> Exchanged:
        """A token for the holder of a key, which ends no later than the key.

        Raises Refusal: API_KEY_INVALID (unauthenticated), KEYS_UNAVAILABLE.
        """
        arrived_at_us = self._clock.now_us()
        shown = await self._keys.shown(api_key)
        holder = shown.holder
        principal = Principal(
            PrincipalKind(holder.kind.value), holder.party, frozenset(), sandbox=holder.sandbox
        )
        token = self._minter.issue(principal, shown.until_us)
        return Exchanged(holder, token, max(0, token.expires_us - arrived_at_us))

    def published(self) -> Published:
        """The public keys that count now. Raises Refusal KEYS_UNAVAILABLE."""
        now_us = self._clock.now_us()
        self._key_set.refresh()
        keys = self._key_set.published(now_us)
        ends = [key.until_us for key in keys if key.until_us is not None]
        return Published(keys, min([now_us + KEEP_KEYS_US, *ends]))
