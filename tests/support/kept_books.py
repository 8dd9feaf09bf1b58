"""Books of licensing and metering with deliveries of every sort, and queries for what is in them."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from services.licensing.ledger import Ledger
from services.licensing.storage.statistics import StatisticsStore
from tests.support.cluster import SECOND_US, Cluster, a_cluster, a_post

POSTS = [a_post(101, 1), a_post(102, 2, kind=4), a_post(103, 3)]
ALL, FIRST, NONE = b"\x07", b"\x01", b"\x00"

CONFIRMED = "decision_id = (SELECT decision_id FROM settlements WHERE NOT by_expiry AND posts = 3)"
EXPIRED = "decision_id IN (SELECT decision_id FROM settlements WHERE by_expiry)"
DEAD = "decision_id IS NULL"
ITS_RESERVATION = f"reservation_id = (SELECT reservation_id FROM main.decisions WHERE {CONFIRMED})"
ITS_NUMBER = f"number = (SELECT number FROM metering.reservations WHERE {ITS_RESERVATION})"
DEAD_RESERVATION = f"reservation_id = (SELECT attempt_id FROM main.attempts WHERE {DEAD})"


class ProcessDiedError(Exception):
    """Stands for a process that is gone."""


async def die(*_: Any) -> None:
    raise ProcessDiedError


async def keep_books(folder: Path, finish: Callable[[Cluster], Awaitable[None]] | None = None) -> None:
    """Deliveries of every sort: confirmed, in part, late, never; denied, without room, given up."""
    async with a_cluster(folder) as cluster:
        await cluster.publish_policy()
        await cluster.know(*range(1, 4))
        await cluster.license(limit=16)
        for delivered in (ALL, FIRST, NONE):
            await cluster.confirm((await cluster.decide(POSTS)).decision_id, delivered)
        await cluster.decide([a_post(104, 4)])
        late = await cluster.decide(POSTS)
        await cluster.decide(POSTS)
        await cluster.decide(POSTS * 6)
        await give_one_up(cluster)
        cluster.clock.advance(61 * SECOND_US)
        await cluster.confirm(late.decision_id, NONE)
        await cluster.sweeper.sweep()
        await cluster.outbox.deliver()
        await StatisticsStore(cluster.database).advance()
        if finish:
            await finish(cluster)


async def give_one_up(cluster: Cluster) -> None:
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Exception, match="INTERNAL"):
        patch.setattr(Ledger, "conclude", die)
        await cluster.decide([a_post(101, 1)])
