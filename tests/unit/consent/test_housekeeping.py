"""What runs beside the calls: the database is followed and policies take effect where nobody asks."""

import asyncio

import pytest

from services.chassis.refusals import unavailable
from services.consent import housekeeping
from services.consent.acknowledging import Acknowledger
from services.consent.domain.changes import Follower
from services.consent.housekeeping import IndexFollower
from services.consent.index import Index
from services.consent.registrar import Registrar
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import a_key, a_policy_draft
from tests.support.consent_memory import MemoryRegister

PATIENCE_SECONDS = 20


class Flaky(MemoryRegister):
    """Cannot be read the first two times; says when a policy was activated."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 2
        self.activated = asyncio.Event()

    async def follow(self, follower: Follower) -> None:
        if self.failures:
            self.failures -= 1
            raise unavailable("DATABASE_UNAVAILABLE", "gone")
        await super().follow(follower)

    async def activate_due(self, now_us: int) -> None:
        await super().activate_due(now_us)
        self.activated.set()


async def test_c3_a_policy_takes_effect_where_nobody_asks_also_after_the_database_was_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "INTERVAL_SECONDS", 0)
    clock, register = ManualClock(), Flaky()
    await register.publish(a_policy_draft(NOON_US), a_key(1), NOON_US)
    acknowledger = Acknowledger(clock, permit_us=30_000_000, margin_us=1_000_000)
    follower = IndexFollower(Registrar(register, Index(seed=7), clock, acknowledger))

    running = asyncio.create_task(follower.run())
    await asyncio.wait_for(register.activated.wait(), PATIENCE_SECONDS)
    running.cancel()

    (policy,) = await register.policies(None, 10)
    assert policy.activation is not None
