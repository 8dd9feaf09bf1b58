"""Moves the fence of a cluster while its decisions are under way, as whoever follows the withdrawals does."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from services.licensing.domain.answers import Revision
from services.licensing.ledger import Ledger
from services.licensing.storage.head import lock_head, move_fence
from tests.support.cluster import Cluster, a_post
from tests.support.explaining import explain

Happening = Callable[[], Awaitable[object]]


async def consents_head(cluster: Cluster) -> Revision:
    """As of when consent answers now."""
    revision = (await explain(cluster, [a_post(1, 1)])).consent_revision
    return Revision(revision.epoch, revision.number)


async def move_fence_to_the_head(cluster: Cluster) -> Revision:
    """Where the fence stands then."""
    head = await consents_head(cluster)

    def unit(connection: Connection) -> None:
        lock_head(connection)
        move_fence(connection, head)

    await cluster.database.write(unit)
    return head


def before_each_conclusion(monkeypatch: pytest.MonkeyPatch, *happenings: Happening) -> list[Happening]:
    """Has one thing after the other happen between the answers and a conclusion; what is left of them."""
    left, conclude = list(happenings), Ledger.conclude

    async def paused(ledger: Ledger, *args: Any) -> Any:
        if left:
            await left.pop(0)()
        return await conclude(ledger, *args)

    monkeypatch.setattr(Ledger, "conclude", paused)
    return left


def withdrawn(cluster: Cluster, *subject_ids: int) -> Happening:
    """These subjects opt out, and the fence moves past that."""

    async def happen() -> None:
        await cluster.opt_out(*subject_ids)
        await move_fence_to_the_head(cluster)

    return happen
