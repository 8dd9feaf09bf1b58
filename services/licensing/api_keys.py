"""The key desk: API keys from their creation to their end, and the tokens that they are good for.

The text of a key passes through here once and is kept nowhere, not in stored answers either. Every write
locks the head row first, so that a third key cannot slip past two that are created at the same time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.chassis.clock import Clock
from services.chassis.ids import check_request_id
from services.chassis.refusals import not_found, precondition
from services.chassis.replays import ReplayKey
from services.licensing.domain.api_keys import (
    ApiKey,
    Holder,
    HolderKind,
    NewKey,
    check_new,
    holder_of,
    key_id_of,
)
from services.licensing.domain.licenses import Licensee

T = TypeVar("T")


class Rows(Protocol):
    """Keys inside one transaction."""

    def lock_head(self) -> int: ...
    def once(self, key: ReplayKey, at_us: int, produce: Callable[[], bytes]) -> bytes: ...
    def licensee(self, licensee_id: str) -> Licensee | None: ...
    def api_key(self, key_id: str) -> ApiKey | None: ...
    def api_keys_of(self, holder: Holder) -> Sequence[ApiKey]: ...
    def api_keys(self, licensee_id: str | None, after: str, limit: int) -> Sequence[ApiKey]: ...
    def add_api_key(self, key: ApiKey) -> None: ...
    def revoke_api_key(self, key: ApiKey) -> None: ...


class Store(Protocol):
    """Where the rows are."""

    async def write(self, unit: Callable[[Rows], T]) -> T: ...
    async def read(self, query: Callable[[Rows], T]) -> T: ...


@dataclass(frozen=True)
class Wish:
    """What a new key is to be."""

    holder: Holder
    label: str
    expires_at_us: int | None
    """Microseconds since the epoch; None for no end."""


@dataclass(frozen=True)
class Shown:
    """Who has shown a key, and for how long it is good."""

    holder: Holder
    until_us: int | None
    """No token that it gets may outlive it; None where it has no end."""


class KeyDesk:
    """Keeps API keys.

    Each write takes a `replay`, whose request and principal it is, and `render`, which turns the description
    of the key into the answer that is stored and given again. All raise Refusal REQUEST_ID_MALFORMED,
    REQUEST_ID_TOO_OLD, REQUEST_ID_IN_FUTURE and REQUEST_ID_REUSED.
    """

    def __init__(self, store: Store, clock: Clock, new_key: Callable[[bool], NewKey]) -> None:
        """`new_key` makes a key of chance, of the sandbox (true) or not."""
        self._store = store
        self._clock = clock
        self._new_key = new_key

    async def create(
        self, wish: Wish, replay: ReplayKey, render: Callable[[ApiKey], bytes]
    ) -> tuple[bytes, str]:
        """The description of a new key, and its text; of a request that was done before, no text ("").

        Raises Refusal LICENSEE_UNKNOWN, TOO_MANY_KEYS, EXPIRY_IN_PAST.
        """
        check_request_id(replay.request_id, self._clock.now_us())
        fresh = self._new_key(wish.holder.sandbox)

        def unit(rows: Rows) -> tuple[bytes, str]:
            rows.lock_head()
            now_us = self._clock.now_us()
            created: list[str] = []

            def produce() -> bytes:
                key = _created(rows, wish, fresh, replay.principal, now_us)
                created.append(fresh.text)
                return render(key)

            return rows.once(replay, now_us, produce), "".join(created)

        return await self._store.write(unit)

    async def revoke(self, key_id: str, replay: ReplayKey, render: Callable[[ApiKey], bytes]) -> bytes:
        """Ends a key from the answer on. Raises Refusal API_KEY_UNKNOWN."""
        check_request_id(replay.request_id, self._clock.now_us())

        def unit(rows: Rows) -> bytes:
            rows.lock_head()
            now_us = self._clock.now_us()
            return rows.once(replay, now_us, lambda: render(_revoked(rows, key_id, replay.principal, now_us)))

        return await self._store.write(unit)

    async def page(self, licensee_id: str | None, after: str, limit: int) -> Sequence[ApiKey]:
        """At most `limit` keys with ids above `after`, by id; of one licensee, or all (None)."""
        return await self._store.read(lambda rows: rows.api_keys(licensee_id, after, limit))

    async def shown(self, text: str) -> Shown:
        """Who shows `text`. Raises Refusal (unauthenticated, API_KEY_INVALID)."""
        # Read for what is no key too: how long the answer takes must not say what was wrong.
        key = await self._store.read(lambda rows: rows.api_key(key_id_of(text)))
        holder = holder_of(text, key, self._clock.now_us())
        return Shown(holder, key.expires_at_us if key else None)


def _created(rows: Rows, wish: Wish, fresh: NewKey, by: str, now_us: int) -> ApiKey:
    holder = wish.holder
    if holder.kind is HolderKind.LICENSEE and rows.licensee(holder.party) is None:
        raise precondition("LICENSEE_UNKNOWN", f"there is no licensee {holder.party}")
    check_new(holder, rows.api_keys_of(holder), wish.expires_at_us, now_us)
    key = ApiKey(fresh.key_id, fresh.digest, holder, wish.label, by, now_us, wish.expires_at_us)
    rows.add_api_key(key)
    return key


def _revoked(rows: Rows, key_id: str, by: str, now_us: int) -> ApiKey:
    key = rows.api_key(key_id)
    if key is None:
        raise not_found("API_KEY_UNKNOWN", "there is no such key")
    revoked = key.revoked(now_us, by)
    rows.revoke_api_key(revoked)
    return revoked
