"""Waiting for something to become so, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

PATIENCE_SECONDS = 60.0
"""Far more than anything takes: only what never happens runs into it."""
LOOK_EVERY_SECONDS = 0.002

T = TypeVar("T")


async def until(look: Callable[[], T], awaited: str, look_every: float = LOOK_EVERY_SECONDS) -> T:
    """What `look` gives as soon as that is true. Fails, saying what was `awaited`, when patience ends."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (seen := look()):  # noqa: ASYNC110 - files and other processes have no events
                await asyncio.sleep(look_every)
            return seen
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE_SECONDS:g} s in vain until {awaited}") from None


async def until_told(ask: Callable[[], Awaitable[T]], awaited: str, ask_every: float = 0.05) -> T:
    """What asking gives as soon as that is true. Fails as `until` does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (told := await ask()):  # noqa: ASYNC110 - another process has no events
                await asyncio.sleep(ask_every)
            return told
    except TimeoutError:
        raise AssertionError(f"waited {PATIENCE_SECONDS:g} s in vain until {awaited}") from None
