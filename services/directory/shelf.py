"""The shelf: posts are put on it and looked up by their ids; what was put last stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.chassis.clock import Clock
from services.chassis.replays import ReplayKey
from services.directory.domain.posts import Post, in_order, last_of_each, sifted


class Store(Protocol):
    """Where posts are kept."""

    async def put(self, posts: Sequence[Post], key: ReplayKey, at_us: int) -> int: ...
    async def known(self, ids: Sequence[int]) -> list[Post]: ...


@dataclass(frozen=True)
class Found:
    """What is known of the posts that were asked for."""

    posts: list[Post]
    """In the order asked; those that are not known are left out."""
    as_of_us: int
    """What was put before this moment is in it."""


@dataclass(frozen=True)
class Kept:
    """What became of posts that were put."""

    posts: int
    """Distinct ones that are kept."""
    faults: Mapping[int, str]
    """What is wrong with those that are not, by their place from 0."""


class Shelf:
    """Keeps posts."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def put(self, posts: Sequence[Post], key: ReplayKey) -> Kept:
        """Keeps the posts without a fault, once for each request. Durable before it returns.

        Raises Refusal: what `sifted` raises, REQUEST_ID_REUSED, and UNAVAILABLE in its forms.
        """
        good, faults = sifted(posts)
        kept = await self._store.put(last_of_each(good), key, self._clock.now_us())
        # Told again with a stored answer, too: they follow from the request alone.
        return Kept(kept, faults)

    async def look_up(self, ids: Sequence[int]) -> Found:
        """What is known. Raises Refusal: what `in_order` raises, and UNAVAILABLE in its forms."""
        as_of_us = self._clock.now_us()
        return Found(in_order(ids, await self._store.known(ids)), as_of_us)
