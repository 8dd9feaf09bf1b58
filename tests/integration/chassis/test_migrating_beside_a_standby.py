"""Migrating where commits wait for a standby, and none confirms them: bounded, told, not taken for done."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.migrating import migrate
from services.chassis.refusals import Refusal
from tests.support.postgres import BINARIES, MISSING
from tests.support.postgres_sessions import PATIENCE_SECONDS, wait_until
from tests.support.schemas import FIRST, ORIGIN, WORDS, Made, Release
from tests.support.standby import Pair, a_pair

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

BUILD = "from services.chassis.indexes import build_index\nbuild_index('ix', 'words', ['length'])"
TUNED = Made("0002", "tune", BUILD, more="in_transaction = False")
WAITS = "wait_event = 'SyncRep' AND application_name = 'sluice-migrate-words'"


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    async with a_pair() as pair:
        await pair.new_database("words")
        yield pair


async def refusal_of(release: Release, patience: float = 2.0) -> str:
    """Of its `sluice migrate`, which does not wait for ever."""
    with pytest.raises(Refusal) as refused:
        await asyncio.to_thread(
            migrate, release.target, contract=False, tell=release.told.append, standby_patience=patience
        )
    return refused.value.reason


@pytest.mark.parametrize("step", [ORIGIN, TUNED], ids=["in a transaction", "as it goes"])
async def test_a_step_that_no_standby_confirms_is_not_told_as_done(
    pair: Pair, step: Made, tmp_path: Path
) -> None:
    await asyncio.to_thread(Release(tmp_path, pair.url("words"), *FIRST).starts)
    second = Release(tmp_path, pair.url("words"), WORDS, step)

    await pair.cut_off()
    async with asyncio.timeout(PATIENCE_SECONDS):
        reason = await refusal_of(second)
        # The server has it by now, and it may still be lost.
        again = await refusal_of(second)

    assert (reason, again) == ("MIGRATION_UNCONFIRMED", "MIGRATION_UNCONFIRMED")
    assert [told.event for told in second.told] == ["begun", "confirming", "confirming"]


async def test_a_wait_that_an_operator_ends_is_not_told_as_done(pair: Pair, tmp_path: Path) -> None:
    await asyncio.to_thread(Release(tmp_path, pair.url("words"), *FIRST).starts)
    second = Release(tmp_path, pair.url("words"), WORDS, ORIGIN)

    await pair.cut_off()
    migrating = asyncio.create_task(refusal_of(second, patience=PATIENCE_SECONDS))
    await asyncio.to_thread(wait_until, pair.primary, WAITS)
    cancel = f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {WAITS}"
    await asyncio.to_thread(pair.primary.execute, cancel)
    async with asyncio.timeout(PATIENCE_SECONDS):
        reason = await migrating

    assert reason == "MIGRATION_UNCONFIRMED"


async def test_a_service_that_migrates_at_its_start_does_not_wait_for_a_standby_for_ever(
    pair: Pair, tmp_path: Path
) -> None:
    release = Release(tmp_path, pair.url("words"), *FIRST)

    await pair.cut_off()
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(Refusal) as refused:
            await asyncio.to_thread(
                Database.open, release.url, schema_dir=release.folder, name="words", standby_patience=0.5
            )

    assert refused.value.reason == "MIGRATION_UNCONFIRMED"


async def test_what_a_standby_confirms_is_done(pair: Pair, tmp_path: Path) -> None:
    await asyncio.to_thread(Release(tmp_path, pair.url("words"), *FIRST).starts)

    ran = await asyncio.to_thread(Release(tmp_path, pair.url("words"), WORDS, TUNED).migrates)
    await pair.promote()
    on_the_standby = await asyncio.to_thread(Release(tmp_path, pair.standby.url("words"), WORDS).stands)

    assert ran == ["0002"]
    assert on_the_standby == ("0002", "0001")
