"""C9 and C10 on PostgreSQL: one process owns the database, and one that may have lost it gives no answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.chassis.database import Database
from services.chassis.refusals import Refusal
from services.consent.domain.choices import Stance
from services.consent.housekeeping import IndexKeeper
from tests.integration.consent.test_consent_faults import PATIENCE_SECONDS, Bench
from tests.support.consent import a_draft, a_key, consent_database_at
from tests.support.postgres import PostgresServer


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.copy_of("consent_database_at", lambda url: consent_database_at(url).close_now())


@pytest.fixture
async def bench(url: str) -> AsyncIterator[Bench]:
    bench = Bench(consent_database_at(url))
    await bench.prepare()
    assert await bench.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]
    yield bench
    await bench.database.close()


async def lose_session(database: Database, postgres: PostgresServer) -> None:
    """Ends the session that owns the database, behind the back of its process."""

    pid = await database.write(lambda c: c.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    await asyncio.to_thread(postgres.execute, f"SELECT pg_terminate_backend({pid}, 10000)")


def test_a_second_process_is_refused(url: str) -> None:
    owner = consent_database_at(url)

    with pytest.raises(Refusal, match="DATABASE_IN_USE"):
        consent_database_at(url)
    owner.close_now()


async def test_c10_without_the_session_there_is_no_answer_until_the_index_was_read_anew(
    bench: Bench, postgres: PostgresServer
) -> None:
    await lose_session(bench.database, postgres)

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await bench.reasons((7,))
    trusted = bench.freshness.trusted
    keeper = asyncio.create_task(IndexKeeper(bench.registrar, bench.freshness).run())
    await asyncio.wait_for(bench.freshness.replaced.wait(), PATIENCE_SECONDS)
    keeper.cancel()

    assert not trusted
    assert await bench.reasons((7,), (8,)) == ["ALLOWED", "ALLOWED"]


async def test_c9_a_choice_made_at_the_next_owner_is_never_missed_by_the_last_one(
    bench: Bench, url: str, postgres: PostgresServer
) -> None:
    await lose_session(bench.database, postgres)
    other = Bench(consent_database_at(url))
    await other.registrar.load()
    await other.registrar.record(a_draft(Stance.DENY, 7), a_key(1))

    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await bench.reasons((7,))
    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await bench.registrar.record(a_draft(Stance.DENY, 8), a_key(2))
    await other.database.close()
    await bench.registrar.load()

    assert await bench.reasons((7,), (8,)) == ["CHOICE_DENIES", "ALLOWED"]


async def test_c10_a_write_that_finds_the_session_lost_does_not_hide_what_another_owner_wrote(
    bench: Bench, url: str, postgres: PostgresServer
) -> None:
    await lose_session(bench.database, postgres)
    other = Bench(consent_database_at(url))
    await other.registrar.load()
    await other.registrar.record(a_draft(Stance.DENY, 7), a_key(1))
    await other.database.close()

    await bench.registrar.record(a_draft(Stance.DENY, 8), a_key(2))
    with pytest.raises(Refusal, match="INDEX_STALE"):
        await bench.reasons((7,))
    await bench.registrar.load()

    assert await bench.reasons((7,), (8,)) == ["CHOICE_DENIES", "CHOICE_DENIES"]
