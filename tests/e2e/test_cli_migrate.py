"""`sluice migrate` as Jobs of a cluster run it: with a URL alone, and two at once."""

import asyncio
import contextlib
from pathlib import Path

import psycopg
import pytest

from services.chassis.presence import LOCK_SPACE, MIGRATION
from tests.support.commands import sluice
from tests.support.postgres import BINARIES, MISSING, PostgresServer
from tests.support.postgres_sessions import holds, wait_until
from tests.support.replicas import Replica

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)


async def test_a_service_that_does_not_migrate_serves_after_one_of_two_jobs_has(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    monkeypatch.setenv("SLUICE_METERING_DATABASE_URL", url)
    settings = {"DATABASE_URL": url, "HEAD_DIR": str(tmp_path / "heads"), "MIGRATE_ON_START": "false"}
    service = Replica("services.metering", "metering", tmp_path, settings)
    nowhere = tmp_path / "nowhere"

    status, said = await service.run()
    jobs = await asyncio.gather(*(sluice(nowhere, "migrate", "--json") for _ in range(2)))
    checked = await sluice(nowhere, "migrate", "metering", "--check", "--wait", "60")
    await service.start()
    stopped = await service.stop()

    assert (status, said) == (
        1,
        "SCHEMA_BEHIND: the database of metering lacks revision 0001, which this release needs: run"
        " `sluice migrate metering`",
    )
    assert [job.status for job in jobs] == [0, 0], [job.err for job in jobs]
    assert sorted(len(job.answer["databases"][0]["done"]) for job in jobs) == [0, 9]
    assert checked.out == "metering: the schema is there, at 0009.\n"
    assert stopped == 0


async def test_a_pool_migrates_before_it_has_workers(postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.new_database()
    database = url.rpartition("/")[2]
    settings = {"DATABASE_URL": url, "HEAD_DIR": str(tmp_path / "heads"), "WORKERS": "2"}
    service = Replica("services.metering", "metering", tmp_path, settings)

    with contextlib.closing(psycopg.connect(url, autocommit=True)) as rival:
        rival.execute("SELECT pg_advisory_lock(%s, %s)", (LOCK_SPACE, MIGRATION))
        starting = asyncio.create_task(service.start())
        migrates = f"application_name = 'sluice-migrate-metering' AND datname = '{database}'"
        await asyncio.to_thread(wait_until, postgres, migrates)
        serves = f"application_name = 'sluice-metering' AND datname = '{database}'"
        has_workers = await asyncio.to_thread(holds, postgres, serves)
    await starting
    stopped = await service.stop()

    assert not has_workers
    assert stopped == 0
