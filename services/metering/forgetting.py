"""Drops the windows of limits on calls that have passed, beside the calls."""

import asyncio
from typing import Protocol

import structlog

from services.chassis.refusals import Refusal

_log = structlog.get_logger(__name__)


class PassedWindows(Protocol):
    """The windows, as they are stored."""

    async def drop_passed(self) -> bool:
        """Drops some of those that hold nothing any more; whether there may be more of them."""
        ...


class WindowForgetter:
    """Forgets callers who have not come for a while, whose windows would else be kept for good."""

    name = "window forgetter"

    def __init__(self, windows: PassedWindows, *, interval_seconds: float) -> None:
        """`interval_seconds`: how long it rests when there is nothing to do."""
        self._windows = windows
        self._interval_seconds = interval_seconds

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            more = await self.forget()
            # Also with more to do others come first: their changes wait for the same writer.
            await asyncio.sleep(0 if more else self._interval_seconds)

    async def forget(self) -> bool:
        """One step; whether there may be more to do."""
        try:
            return await self._windows.drop_passed()
        except Refusal as refusal:
            # What has passed counts nowhere, so it can wait until the database is back.
            _log.warning("windows that have passed cannot be dropped", reason=refusal.reason)
            return False
