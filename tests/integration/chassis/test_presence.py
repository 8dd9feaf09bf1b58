"""Processes of an earlier release whose sessions were lost, and a later one that takes something away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from services.chassis import group_commit, presence
from services.chassis.database import Database
from services.chassis.refusals import Refusal
from tests.support.postgres import BINARIES, MISSING, PostgresServer
from tests.support.schemas import FIRST, SECOND, Release
from tests.support.standby import Pair, a_pair
from tests.support.words import add, words

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

PATIENCE_SECONDS = 60


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    async with a_pair() as pair:
        await pair.new_database("words")
        yield pair


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not seen at once is not waited for."""
    monkeypatch.setattr(presence, "ABSENCE_SECONDS", 0.0)


def end_sessions(postgres: PostgresServer, url: str) -> None:
    name = url.rpartition("/")[2]
    postgres.execute(
        f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
    )


async def refusal_of(database: Database) -> str:
    """Of a read."""
    with pytest.raises(Refusal) as refused:
        await database.read(words)
    return refused.value.reason


async def test_a_process_that_only_reads_is_seen_again_after_its_sessions_have_ended(
    postgres: PostgresServer, url: str, tmp_path: Path
) -> None:
    earlier = Release(tmp_path, url, *FIRST).started()
    await earlier.write(add("alpha"))
    second = Release(tmp_path, url, *SECOND)

    end_sessions(postgres, url)
    with pytest.raises(Refusal) as refused:
        await asyncio.to_thread(second.migrates, contract=True)
    there = await earlier.read(words)
    await earlier.close()

    assert refused.value.reason == "EARLIER_RELEASE_CONNECTED"
    assert second.stands() == ("0003", "0001")
    assert there == ["alpha"]


async def test_a_process_that_only_reads_is_seen_by_the_server_that_takes_over(
    pair: Pair, tmp_path: Path
) -> None:
    earlier = await asyncio.to_thread(Release(tmp_path, pair.url("words"), *FIRST).started)
    await earlier.write(add("alpha"))

    await asyncio.to_thread(pair.primary.kill)
    await pair.promote()
    pair.move_address()
    second = Release(tmp_path, pair.standby.url("words"), *SECOND)
    with pytest.raises(Refusal) as refused:
        await asyncio.to_thread(second.migrates, contract=True)
    await earlier.close()

    assert refused.value.reason == "EARLIER_RELEASE_CONNECTED"


@pytest.mark.usefixtures("hasty")
async def test_a_process_that_was_out_of_reach_meanwhile_gives_the_database_up_without_being_asked(
    postgres: PostgresServer, url: str, tmp_path: Path
) -> None:
    Release(tmp_path, url, *FIRST).starts()
    postgres.execute("CREATE ROLE cut_off SUPERUSER LOGIN")
    earlier = Release(tmp_path, url.replace("postgres@", "cut_off@"), *FIRST).started()

    postgres.execute("ALTER ROLE cut_off NOLOGIN")
    end_sessions(postgres, url)
    await asyncio.to_thread(Release(tmp_path, url, *SECOND).migrates, contract=True)
    postgres.execute("ALTER ROLE cut_off LOGIN")
    async with asyncio.timeout(PATIENCE_SECONDS):
        await earlier.given_up.wait()
    reason = await refusal_of(earlier)
    await earlier.close()
    postgres.execute("DROP ROLE cut_off")

    assert reason == "SCHEMA_UNKNOWN"


@pytest.mark.usefixtures("hasty")
async def test_a_reader_that_comes_back_before_the_writer_does_not_read_what_a_later_release_has_left(
    postgres: PostgresServer, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group_commit, "IDLE_SECONDS", 3600.0)
    earlier = Release(tmp_path, url, *FIRST).started()
    await earlier.read(words)

    end_sessions(postgres, url)
    await asyncio.to_thread(Release(tmp_path, url, *SECOND).migrates, contract=True)
    of_a_read = await refusal_of(earlier)
    with pytest.raises(Refusal) as refused:
        await earlier.write(add("alpha"))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await earlier.given_up.wait()
    afterwards = await refusal_of(earlier)
    await earlier.close()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT word FROM words").fetchall() == []
    assert (of_a_read, refused.value.reason) == ("DATABASE_UNAVAILABLE", "DATABASE_UNAVAILABLE")
    assert afterwards == "SCHEMA_UNKNOWN"
