"""What runs beside the calls: the index follows the database, and policies take effect, where nobody asks."""

import asyncio

import structlog

from services.chassis.refusals import Refusal
from services.consent.registrar import Registrar

INTERVAL_SECONDS = 0.1
"""A check follows by itself; this keeps what the next one has to wait for small, while others import."""

_log = structlog.get_logger(__name__)


class IndexFollower:
    """Follows the database, and activates policies when their time has come (C3)."""

    name = "index-follower"

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def run(self) -> None:
        """Until it is cancelled."""
        failing = False
        while True:
            try:
                await self._registrar.follow()
            except Refusal as refusal:
                if not failing:
                    _log.warning("the database cannot be followed", reason=refusal.reason)
                failing = True
            else:
                failing = False
            await asyncio.sleep(INTERVAL_SECONDS)
