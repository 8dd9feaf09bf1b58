"""From tries of announcements to tries of webhooks, and back: what waits goes on waiting."""

import functools
import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection

from services.chassis.database import Database
from services.licensing.domain.webhooks.webhooks import Failure, Fault
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer
from tests.support.recalls import Shelf
from tests.support.webhooks import Receivers, an_announcer, listed, put, serving_webhooks

VERSION = "services.licensing.schema.versions.0019_webhook_tries"


@pytest_asyncio.fixture
async def service(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving_webhooks(database, clock, tmp_path) as server:
        yield server


def migrate(connection: Connection, way: str) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        getattr(importlib.import_module(VERSION), way)()


async def test_what_waited_before_the_migration_is_tried_at_once_after_it(
    service: LocalServer, shelf: Shelf, database: Database, clock: ManualClock
) -> None:
    receivers = Receivers([Failure(Fault.TIMED_OUT)])
    announcer = an_announcer(database, clock, receivers)
    await put(service)
    for _ in range(2):
        shelf.recall("acme")
    await announcer.announce()

    for way in ("downgrade", "upgrade"):
        await database.write(functools.partial(migrate, way=way))
    while await announcer.announce():
        continue

    (webhook,) = await listed(service)
    assert (webhook.waiting, receivers.numbers) == (0, [1, 1, 2])
