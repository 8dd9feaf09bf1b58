"""A database whose primary is cut off, killed or stopped, and whose standby takes over."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import Connection

from services.chassis.database import Database
from services.chassis.group_commit import CommitUnknown
from services.chassis.heads import Head
from services.chassis.refusals import Refusal
from tests.support.postgres import BINARIES, MISSING
from tests.support.standby import Pair, a_pair
from tests.support.words import add, words, words_database

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

PATIENCE_SECONDS = 60
UNAVAILABLE = {"DATABASE_UNAVAILABLE", "COMMIT_UNKNOWN"}


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    async with a_pair() as pair:
        await pair.new_database("words")
        yield pair


async def opened(url: str, patience: float = 1.0) -> Database:
    """The database, by a session with the primary."""
    return await asyncio.to_thread(words_database, url, standby_patience=patience)


async def written(database: Database, word: str) -> None:
    """Returns when it was acknowledged, or had been written by a try of which that was not known."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while word not in await confirmed(database):
            try:
                await database.write(add(word))
            except Refusal as refusal:
                assert refusal.reason in UNAVAILABLE, refusal


async def confirmed(database: Database) -> list[str]:
    """The words that are there for good, as soon as somebody can say so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return list(await database.read(words, confirmed=True))
            except Refusal as refusal:
                assert refusal.reason in UNAVAILABLE, refusal


@pytest.mark.parametrize("address", ["one that moves", "both hosts"])
async def test_a_primary_that_is_cut_off_confirms_nothing_and_its_sessions_are_left_for_the_new_one(
    pair: Pair, address: str
) -> None:
    database = await opened(pair.url("words") if address == "one that moves" else pair.url_of_both("words"))
    await database.write(add("before"))
    await confirmed(database)

    await pair.cut_off()
    with pytest.raises(CommitUnknown):
        await database.write(add("cut off"))
    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await database.read(words, confirmed=True)
    on_the_old_one = await asyncio.to_thread(psycopg_words, pair)
    await pair.promote()
    pair.move_address()
    after = await confirmed(database)
    await written(database, "after")
    finally_there = await confirmed(database)
    await database.close()

    assert on_the_old_one == ["before", "cut off"]
    assert after == ["before"]
    assert finally_there == ["after", "before"]


def psycopg_words(pair: Pair) -> list[str]:
    """What the old primary shows to whoever asks nobody else."""
    with psycopg.connect(pair.primary.url("words")) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words ORDER BY word")]


async def test_a_snapshot_of_the_old_primary_is_not_confirmed_by_the_new_one(pair: Pair) -> None:
    database, other = await opened(pair.url("words")), await opened(pair.url("words"))
    await database.write(add("before"))
    await confirmed(other)

    await pair.cut_off()
    await pair.promote()
    pair.move_address()
    # The sessions of the other one are still with the old primary, which does not have this.
    await written(database, "after")
    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await other.read(words, confirmed=True)
    again = await confirmed(other)
    await asyncio.gather(database.close(), other.close())

    assert again == ["after", "before"]


@pytest.mark.parametrize("address", ["one that moves", "both hosts"])
async def test_a_primary_that_stands_still_holds_nobody_once_there_is_another(
    pair: Pair, address: str
) -> None:
    database = await opened(pair.url("words") if address == "one that moves" else pair.url_of_both("words"))
    await database.write(add("before"))
    await confirmed(database)

    pair.signal_primary(signal.SIGSTOP)
    waiting = [
        asyncio.create_task(database.write(add("meanwhile"))),
        asyncio.create_task(confirmed(database)),
    ]
    await pair.promote()
    pair.move_address()
    async with asyncio.timeout(PATIENCE_SECONDS):
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await written(database, "after")
    pair.signal_primary(signal.SIGCONT)
    # What goes on confirms nothing, and nobody goes back to it.
    await written(database, "at last")
    there = await confirmed(database)
    await database.close()

    assert isinstance(outcomes[0], Refusal | str)
    assert {"before", "after", "at last"} <= set(there)


async def test_r5_a_head_that_the_failover_takes_back_was_never_relied_on(pair: Pair) -> None:
    def locked(connection: Connection) -> Head:
        return Head(1, len(words(connection)))

    url = pair.url("words")
    database = await asyncio.to_thread(words_database, url, standby_patience=0.5, lock=locked)
    await database.write(add("before"))

    await pair.cut_off()
    for word in ("one", "two", "three"):
        # Each finds those before it, which the old primary has and nobody else ever will.
        with pytest.raises(CommitUnknown):
            await database.write(add(word))
    await pair.promote()
    pair.move_address()
    await written(database, "after")
    there = await confirmed(database)
    await database.close()

    assert there == ["after", "before"]


async def test_a_server_that_has_a_successor_is_not_dialed_again(pair: Pair) -> None:
    database = await opened(pair.url("words"))
    await pair.promote()
    pair.move_address()
    await written(database, "after")

    pair.address.leads_to = pair.primary.port
    ours = "pg_stat_activity WHERE application_name = 'sluice-words'"
    await asyncio.to_thread(pair.standby.execute, f"SELECT pg_terminate_backend(pid, 10000) FROM {ours}")
    with pytest.raises(Refusal) as refused:
        await database.write(add("backwards"))
    pair.address.leads_to = pair.standby.port
    await written(database, "forwards")
    there = await confirmed(database)
    await database.close()

    assert refused.value.reason == "DATABASE_UNAVAILABLE"
    assert there == ["after", "forwards"]


async def test_a_standby_is_not_taken_for_a_database(pair: Pair) -> None:
    with pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        await opened(pair.standby.url("words"))


@pytest.mark.parametrize("stopped", ["the first host", "the second host"])
async def test_a_host_that_stands_still_does_not_keep_anyone_from_the_other(pair: Pair, stopped: str) -> None:
    hosts = [pair.primary.port, pair.standby.port]
    await pair.promote()
    pair.move_address()
    pair.signal_primary(signal.SIGSTOP)
    if stopped == "the second host":
        hosts.reverse()

    began = time.monotonic()
    url = "postgresql://postgres@/words?" + "&".join(f"host=127.0.0.1:{port}" for port in hosts)
    database = await opened(url)
    await database.write(add("alpha"))
    took = time.monotonic() - began
    there = await confirmed(database)
    await database.close()
    pair.signal_primary(signal.SIGCONT)

    assert there == ["alpha"]
    assert took < PATIENCE_SECONDS
