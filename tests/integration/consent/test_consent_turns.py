"""C11: what was known at a time is what a check then said, however long a write had to wait for its turn."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from services.chassis.database import Database
from services.consent.domain.choices import Stance
from services.consent.domain.state_changes import ChangeKind
from tests.support.clock import NOON_US, ManualClock
from tests.support.consent import (
    a_batch,
    a_change,
    a_draft,
    a_halt_order,
    a_key,
    a_policy_draft,
    a_question,
    consent_database_at,
    facts_rows,
    names,
    of_post,
    of_subject,
)
from tests.support.consent_server import Replica, a_replica
from tests.support.engines import ENGINES, url_on

SECOND_US = 1_000_000
SUBJECTS = (7, 8, 9)
POSTS = (1, 2, 3)
PATIENCE_SECONDS = 20


class Bench:
    """A process, and whoever writes before it: its own queue on SQLite, another process on PostgreSQL."""

    def __init__(self, engine: str, url: str) -> None:
        self.clock = ManualClock()
        self.database = consent_database_at(url)
        self.rival: Database = self.database if engine == "sqlite" else consent_database_at(url)
        self.replica: Replica = a_replica(self.database, self.clock)

    async def prepare(self) -> None:
        await self.replica.registrar.import_subjects(facts_rows(*SUBJECTS), a_key(100))
        await self.replica.registrar.publish(a_policy_draft(NOON_US), a_key(101))

    @asynccontextmanager
    async def somebody_writes(self) -> AsyncIterator[None]:
        """The head is held until the end of this."""
        holds, goes_on = threading.Event(), threading.Event()

        def unit(_: Connection) -> None:
            holds.set()
            goes_on.wait(PATIENCE_SECONDS)

        writing = asyncio.create_task(self.rival.write(unit))
        await asyncio.to_thread(holds.wait, PATIENCE_SECONDS)
        try:
            yield
        finally:
            goes_on.set()
            await writing

    async def said(self) -> list[str]:
        """Of each post, now."""
        answer = await self.replica.registrar.check(a_question(), a_batch(*((who,) for who in SUBJECTS)))
        return names(answer.reasons)

    async def known(self, as_of_us: int) -> list[str]:
        """The same, as it was known at a time."""
        told = [
            await self.replica.custodian.explain(subject_id, post_id, a_question(), as_of_us)
            for subject_id, post_id in zip(SUBJECTS, POSTS, strict=True)
        ]
        return [each.steps[-1].reason.name for each in told]

    async def close(self) -> None:
        await self.database.close()
        await self.rival.close()


@pytest_asyncio.fixture(params=ENGINES)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(request.param, url_on(request.param, request, tmp_path, consent_database_at))
    await bench.prepare()
    assert await bench.said() == ["ALLOWED"] * 3
    yield bench
    await bench.close()


async def test_c11_as_of_a_time_is_what_a_check_said_then_while_writes_waited(bench: Bench) -> None:
    registrar, custodian = bench.replica.registrar, bench.replica.custodian
    changes = [
        of_subject(a_change(ChangeKind.PROTECT, None), 8, 1),
        of_post(a_change(ChangeKind.DENY, None), 3, 2),
    ]
    async with bench.somebody_writes():
        choosing = asyncio.create_task(registrar.record(a_draft(Stance.DENY, 7), a_key(1)))
        changing = asyncio.create_task(custodian.record_states(changes, a_key(2)))
        await asyncio.sleep(0)
        bench.clock.advance(SECOND_US)
        said_meanwhile = await bench.said()
        bench.clock.advance(SECOND_US)
    await asyncio.gather(choosing, changing)

    assert said_meanwhile == await bench.known(NOON_US + SECOND_US) == ["ALLOWED"] * 3
    denied = ["CHOICE_DENIES", "SUBJECT_PROTECTED", "POST_DENIED"]
    assert await bench.said() == await bench.known(NOON_US + 2 * SECOND_US) == denied


async def test_c11_a_halt_is_known_from_when_its_turn_came(bench: Bench) -> None:
    async with bench.somebody_writes():
        halting = asyncio.create_task(bench.replica.custodian.order_halt(a_halt_order(), a_key(1)))
        await asyncio.sleep(0)
        bench.clock.advance(SECOND_US)
        said_meanwhile = await bench.said()
        bench.clock.advance(SECOND_US)
    _, halt = await halting

    assert halt.ordered_us == NOON_US + 2 * SECOND_US
    assert said_meanwhile == await bench.known(NOON_US + SECOND_US) == ["ALLOWED"] * 3
    assert await bench.known(NOON_US + 2 * SECOND_US) == ["HALTED"] * 3
