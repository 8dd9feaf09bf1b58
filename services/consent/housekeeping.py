"""What runs beside the calls: policies take effect on time, and an index that lost its way is read anew."""

import asyncio

import structlog

from services.chassis.refusals import Refusal
from services.consent.freshness import Freshness
from services.consent.registrar import Registrar

POLICY_INTERVAL_SECONDS = 1.0
"""A check activates a due policy itself; this is for the time when nobody asks."""
INDEX_INTERVAL_SECONDS = 0.2
"""How soon a distrusted index is read again; until then checks are refused."""

_log = structlog.get_logger(__name__)


class PolicyTimer:
    """Activates policies when their time has come (C3)."""

    name = "policy-timer"

    def __init__(self, registrar: Registrar) -> None:
        self._registrar = registrar

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._registrar.activate_due()
            except Refusal as refusal:
                _log.warning("policies could not be activated", reason=refusal.reason)
            await asyncio.sleep(POLICY_INTERVAL_SECONDS)


class IndexKeeper:
    """Reads the index anew whenever it is not to be trusted (C10)."""

    name = "index-keeper"

    def __init__(self, registrar: Registrar, freshness: Freshness) -> None:
        self._registrar = registrar
        self._freshness = freshness

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            if not self._freshness.trusted:
                await self._reload()
            await asyncio.sleep(INDEX_INTERVAL_SECONDS)

    async def _reload(self) -> None:
        try:
            await self._registrar.load()
        except Refusal as refusal:
            _log.warning("the index could not be read anew", reason=refusal.reason)
        else:
            _log.info("the index was read anew")
