"""Work on files beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")


async def finish(work: Callable[[], _Result]) -> _Result:
    """Runs `work` in a thread and returns its result. A caller that is cancelled waits until it is done."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        # A thread cannot be stopped; if it were left behind, files would be closed under its hands.
        await asyncio.wait([running])
        raise
