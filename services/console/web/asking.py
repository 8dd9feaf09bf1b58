"""Asks for the parts of a page: one that cannot be had at the moment does not take the others with it.

Nor does it hold the page up: a service that takes calls and answers none is waited for once, and not by every
call in a row.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from services.chassis.deadlines import at_most
from services.chassis.refusals import Kind, Refusal

T = TypeVar("T")

PAGE_US = 4_000_000
"""For all that a page asks before it is shown."""
PART_US = 2_000_000
"""For a part, however many calls it takes."""
NAME_US = 1_000_000
"""For what is shown beside something else, which says enough without it."""

_ABSENT = frozenset({Kind.UNAVAILABLE, Kind.EXHAUSTED, Kind.INTERNAL, Kind.FORBIDDEN})


@dataclass(frozen=True)
class Missing:
    """In the place of a part that could not be had; false, and shown by `parts.missing`."""

    reason: str
    """Of the refusal."""
    is_closed: bool = False
    """Whether it is not open to who asks: asking again does not help."""

    def __bool__(self) -> bool:
        return False


async def asked(part: Awaitable[T], us: int = PART_US) -> T | Missing:
    """The part, or that it is missing: nobody answers, too much was asked, or it is not open to who asks.

    Its calls have `us` microseconds all together. Raises every other Refusal.
    """
    try:
        with at_most(us):
            return await part
    except Refusal as refusal:
        if refusal.kind not in _ABSENT:
            raise
        return Missing(refusal.reason, is_closed=refusal.kind is Kind.FORBIDDEN)


async def together(**parts: Awaitable[Any]) -> dict[str, Any]:
    """Each part by its name, `asked` for side by side, as values of a template.

    Raises the first Refusal that makes no part Missing; what is still under way then is cancelled.
    """
    tasks = [asyncio.ensure_future(asked(part)) for part in parts.values()]
    try:
        return dict(zip(parts, await asyncio.gather(*tasks), strict=True))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
