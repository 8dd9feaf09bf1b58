"""A standby that commits wait for: what is acknowledged has waited for it, whatever the server is told."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection

from services.chassis.database import READERS
from services.chassis.group_commit import CommitUnknown
from services.chassis.postgresql_durability import Durability
from services.chassis.postgresql_sessions import Session
from services.chassis.refusals import Refusal, not_found
from tests.support.postgres import BINARIES, MISSING, PostgresServer, a_server
from tests.support.postgres_sessions import NAMES, PATIENCE_SECONDS, cut_off, reload, wait_until
from tests.support.words import Blockade, a_write_that_waits, add, words, words_database

needs_postgresql = pytest.mark.skipif(BINARIES is None, reason=MISSING)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of the test's own."""
    with a_server() as server:
        yield server


@needs_postgresql
async def test_c9_a_commit_that_is_let_go_by_emptying_the_names_is_not_acknowledged(
    server: PostgresServer,
) -> None:
    database = words_database(server.new_database(), standby_patience=PATIENCE_SECONDS)
    await asyncio.to_thread(cut_off, server)
    writing = await a_write_that_waits(database, server)

    await asyncio.to_thread(reload, server, f"RESET {NAMES}", NAMES, "")
    with pytest.raises(CommitUnknown):
        await writing
    with pytest.raises(Refusal) as next_one:
        await database.write(add("omega"))
    await database.close()

    assert next_one.value.reason == "DATABASE_UNAVAILABLE"


@needs_postgresql
async def test_c9_a_read_that_is_let_go_by_emptying_the_names_is_not_confirmed(
    server: PostgresServer,
) -> None:
    database = words_database(server.new_database(), standby_patience=PATIENCE_SECONDS)
    await asyncio.to_thread(cut_off, server)
    reading = asyncio.create_task(database.read(words, confirmed=True))
    await asyncio.to_thread(wait_until, server, "wait_event = 'SyncRep'")

    await asyncio.to_thread(reload, server, f"RESET {NAMES}", NAMES, "")
    with pytest.raises(Refusal) as refused:
        await reading
    await database.close()

    assert refused.value.reason == "DATABASE_UNAVAILABLE"


@needs_postgresql
def test_c9_names_that_were_emptied_and_filled_again_during_a_wait_are_noticed(
    server: PostgresServer,
) -> None:
    cut_off(server)
    durability = Durability(standby_required=False)
    with Session.connect(server.url(), autocommit=True) as session:
        before = durability.look(session)
        durability.look_again(session, before)

        reload(server, f"RESET {NAMES}", NAMES, "")
        cut_off(server)
        with pytest.raises(psycopg.OperationalError, match="read anew"):
            durability.look_again(session, before)


@needs_postgresql
async def test_c9_whoever_demands_a_standby_does_not_start_without_one(server: PostgresServer) -> None:
    url = server.new_database()
    (await asyncio.to_thread(words_database, url)).close_now()

    with pytest.raises(Refusal) as refused:
        await asyncio.to_thread(words_database, url, standby_required=True)
    await asyncio.to_thread(cut_off, server)
    # The look of a start reads only, so nothing is waited for.
    database = await asyncio.to_thread(words_database, url, standby_required=True, standby_patience=0.1)
    with pytest.raises(CommitUnknown):
        await database.write(add("alpha"))
    await asyncio.to_thread(reload, server, f"RESET {NAMES}", NAMES, "")
    with pytest.raises(Refusal) as after:
        await database.write(add("beta"))
    await database.close()

    assert refused.value.reason == "DURABILITY_OFF"
    assert after.value.reason == "DATABASE_UNAVAILABLE"


@pytest.mark.parametrize("service", ["consent", "metering", "licensing", "directory"])
def test_c9_every_service_can_be_told_to_demand_a_standby(service: str, tmp_path: Path) -> None:
    told = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/{service}.db",
        "STANDBY_REQUIRED": "true",
        "TOKEN_JWKS": str(tmp_path / "jwks.json"),
        "STATE_DIR": str(tmp_path),
    }
    if service == "licensing":
        told |= {"CONSENT_TARGET": "127.0.0.1:1", "METERING_TARGET": "127.0.0.1:1"}
    environment = {f"SLUICE_{service.upper()}_{name}": value for name, value in told.items()}

    ended = subprocess.run(
        [sys.executable, "-m", f"services.{service}"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert ended.returncode == 1
    assert "DURABILITY_OFF: a standby is required, and a file has none" in ended.stderr


@needs_postgresql
async def test_r5_that_something_is_not_there_is_confirmed_as_well(server: PostgresServer) -> None:
    def find(_connection: Connection) -> str:
        raise not_found("WORD_UNKNOWN", "there is no such word")

    database = words_database(server.new_database(), standby_patience=0.1)
    await asyncio.to_thread(cut_off, server)
    with pytest.raises(Refusal) as always:
        await database.read(find, confirmed=True)
    with pytest.raises(Refusal) as if_found:
        await database.read(find, confirmed=bool)
    with pytest.raises(Refusal) as unconfirmed:
        await database.read(find)
    await database.close()

    assert always.value.reason == if_found.value.reason == "DATABASE_UNAVAILABLE"
    assert unconfirmed.value.reason == "WORD_UNKNOWN"


@needs_postgresql
async def test_a_read_that_has_waited_for_its_turn_for_so_long_does_not_wait_for_the_standby_as_well(
    server: PostgresServer,
) -> None:
    asked = list[Connection]()
    database = words_database(server.new_database(), standby_patience=0.1)
    await asyncio.to_thread(cut_off, server)
    with pytest.raises(Refusal):
        # It has seen the standby that nobody is.
        await database.read(words, confirmed=True)
    blockades = [Blockade() for _ in range(READERS)]
    before = [asyncio.create_task(database.read(blockade)) for blockade in blockades]
    for blockade in blockades:
        await blockade.reached()

    waiting = [asyncio.create_task(database.read(asked.append, confirmed=True)) for _ in range(20)]
    await asyncio.sleep(0)
    with pytest.raises(Refusal):
        # Began after them, and has waited as long as patience lasts.
        await database.read(words, confirmed=True, urgent=True)
    for blockade in blockades:
        blockade.open()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*before)
    await database.close()

    assert {str(getattr(outcome, "reason", outcome)) for outcome in outcomes} == {"DATABASE_UNAVAILABLE"}
    assert asked == []
