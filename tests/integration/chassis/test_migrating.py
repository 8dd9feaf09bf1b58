"""Migrating a database of PostgreSQL that others use: rivals, earlier releases, locks, killed Jobs."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from services.chassis import postgresql_migrations, presence
from services.chassis.refusals import Refusal
from tests.support import schema_job
from tests.support.postgres import BINARIES, MISSING, PostgresServer
from tests.support.postgres_sessions import PATIENCE_SECONDS, holds, wait_until
from tests.support.schemas import FIRST, INDEX, NO_LENGTH, ORIGIN, SECOND, WORDS, Made, Release, columns
from tests.support.words import add, words

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

Releasing = Callable[..., Release]

AT_A_GATE = "op.execute('SELECT pg_advisory_xact_lock_shared(77)')\n"
"""A step that comes so far and waits for the test, which holds the lock."""
WAITS = "wait_event = 'advisory' AND application_name = 'sluice-migrate-words' AND datname = '{}'"
MIGRATES = "application_name = 'sluice-migrate-words' AND datname = '{}'"
BUILD = (
    "from services.chassis.indexes import build_index\nbuild_index('ix_words_length', 'words', ['length'])\n"
)


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    made = postgres.new_database()
    yield made
    postgres.drop(made)


@pytest.fixture
def database(url: str) -> str:
    """Its name."""
    return url.rpartition("/")[2]


@pytest.fixture
def release(url: str, tmp_path: Path) -> Releasing:
    """Makes releases that run on one and the same database, which is empty."""
    return lambda *steps: Release(tmp_path, url, *steps)


@pytest.fixture
def gate(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """A session that keeps the gate shut, until it is closed."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(77)")
        yield connection


@pytest.fixture(autouse=True)
def nobody_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is there has been there before."""
    monkeypatch.setattr(presence, "ABSENCE_SECONDS", 0.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other closely."""
    monkeypatch.setattr(postgresql_migrations, "TABLE_LOCK_MS", 50)
    monkeypatch.setattr(postgresql_migrations, "PAUSE_SECONDS", 0.01)


def test_nothing_is_taken_away_while_a_process_of_an_earlier_release_is_connected(release: Releasing) -> None:
    earlier = release(*FIRST).started()
    second = release(*SECOND)

    with pytest.raises(Refusal) as refused:
        second.migrates(contract=True)
    stands = second.stands()
    earlier.write_now(add("alpha"))
    earlier.close_now()
    ran = second.migrates(contract=True)

    assert refused.value.reason == "EARLIER_RELEASE_CONNECTED"
    assert refused.value.message.startswith("a process of a release that does not know revision 0004")
    # What only adds had been run.
    assert stands == ("0003", "0001")
    assert ran == ["0004"]


def test_a_process_of_this_release_does_not_keep_it_from_contracting(release: Releasing) -> None:
    release(*FIRST).starts()
    current = release(*SECOND).started()

    ran = release(*SECOND).migrates(contract=True)
    current.write_now(add("alpha"))
    stored = current.read_now(words)
    current.close_now()

    assert ran == ["0004"]
    assert stored == ["alpha"]


def test_a_process_that_does_not_say_of_which_release_it_is_counts_as_earlier(
    release: Releasing, url: str
) -> None:
    release(*FIRST).starts()

    with psycopg.connect(url, autocommit=True) as before_this_was_said:
        before_this_was_said.execute("SELECT pg_advisory_lock_shared(%s, %s)", (0x511CE, 2))
        with pytest.raises(Refusal, match="EARLIER_RELEASE_CONNECTED"):
            release(*SECOND).migrates(contract=True)


def test_a_process_that_comes_while_something_is_taken_away_undoes_it(
    release: Releasing, database: str, postgres: PostgresServer, gate: "psycopg.Connection[object]"
) -> None:
    release(*FIRST).starts()
    slow = NO_LENGTH._replace(body=NO_LENGTH.body + "\n" + AT_A_GATE)
    second = release(WORDS, ORIGIN, INDEX, slow)

    with ThreadPoolExecutor(1) as pool:
        migrating = pool.submit(second.migrates, contract=True)
        wait_until(postgres, WAITS.format(database))
        earlier = release(*FIRST).started()
        gate.close()
        with pytest.raises(Refusal, match="EARLIER_RELEASE_CONNECTED"):
            migrating.result(PATIENCE_SECONDS)
    there = earlier.read_now(columns)
    earlier.close_now()

    assert second.stands() == ("0003", "0001")
    assert there == ["word", "length", "origin"]


def test_of_two_that_migrate_at_once_one_finds_nothing_left(release: Releasing) -> None:
    release(*FIRST).starts()
    # Written one after the other, into one folder.
    both = [release(*SECOND) for _ in range(2)]
    start = threading.Barrier(2)

    def migrates(one: Release) -> list[str]:
        start.wait(PATIENCE_SECONDS)
        return one.migrates(contract=True)

    with ThreadPoolExecutor(2) as pool:
        ran = sorted(pool.map(migrates, both))

    assert ran == [[], ["0002", "0003", "0004"]]


def test_one_waits_for_another_and_says_so(
    release: Releasing, database: str, postgres: PostgresServer, gate: "psycopg.Connection[object]"
) -> None:
    release(*FIRST).starts()
    slow = (WORDS, ORIGIN._replace(body=AT_A_GATE + ORIGIN.body))
    one, other = release(*slow), release(*slow)
    is_waiting = threading.Event()
    other.told = Noticing("waiting", is_waiting)  # type: ignore[assignment]

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(one.migrates)
        wait_until(postgres, WAITS.format(database))
        second = pool.submit(other.migrates)
        assert is_waiting.wait(PATIENCE_SECONDS)
        gate.close()
        ran = [first.result(PATIENCE_SECONDS), second.result(PATIENCE_SECONDS)]

    assert ran == [["0002"], []]


class Noticing:
    """Sets an event when it is told something of a kind."""

    def __init__(self, what: str, noticed: threading.Event) -> None:
        self._what, self._noticed = what, noticed

    def append(self, told: object) -> None:
        if getattr(told, "event", "") == self._what:
            self._noticed.set()


@pytest.mark.usefixtures("impatient")
def test_a_step_that_gets_no_lock_gives_way_and_tries_again(release: Releasing, url: str) -> None:
    release(*FIRST).starts()
    second = release(WORDS, ORIGIN)
    gave_way = threading.Event()
    second.told = Noticing("blocked", gave_way)  # type: ignore[assignment]

    with ThreadPoolExecutor(1) as pool, psycopg.connect(url) as reader:
        reader.execute("SELECT * FROM words")
        migrating = pool.submit(second.migrates)
        assert gave_way.wait(PATIENCE_SECONDS)
        reader.rollback()
        ran = migrating.result(PATIENCE_SECONDS)

    assert ran == ["0002"]


@pytest.mark.usefixtures("impatient")
def test_a_step_that_never_gets_its_lock_is_given_up(
    release: Releasing, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_migrations, "TRIES", 2)
    release(*FIRST).starts()

    with psycopg.connect(url) as reader:
        reader.execute("SELECT * FROM words")
        with pytest.raises(Refusal, match="TABLE_IN_USE"):
            release(WORDS, ORIGIN).migrates()

    assert release(*FIRST).stands() == ("0001", "0001")


def test_a_service_that_starts_does_not_wait_for_whoever_only_tunes(
    release: Releasing, database: str, postgres: PostgresServer, gate: "psycopg.Connection[object]"
) -> None:
    release(WORDS, ORIGIN).starts()
    tuned = release(WORDS, ORIGIN, INDEX._replace(body=AT_A_GATE + INDEX.body))

    with ThreadPoolExecutor(1) as pool:
        migrating = pool.submit(tuned.migrates)
        wait_until(postgres, WAITS.format(database))
        serving = tuned.started()
        serving.write_now(add("alpha"))
        serving.close_now()
        gate.close()
        ran = migrating.result(PATIENCE_SECONDS)

    assert ran == ["0003"]


def job(release: Release) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(Path(schema_job.__file__)), release.url, str(release.folder)]
    return subprocess.Popen(command)


def test_a_job_that_is_killed_in_the_middle_of_a_step_leaves_nothing_of_it(
    release: Releasing, database: str, postgres: PostgresServer, gate: "psycopg.Connection[object]"
) -> None:
    release(*FIRST).starts()
    half_way = ORIGIN._replace(
        body=ORIGIN.body + "\n" + AT_A_GATE + "op.create_table('more', sa.Column('x', sa.Text))"
    )
    second = release(WORDS, half_way)
    process = job(second)
    wait_until(postgres, WAITS.format(database))

    process.kill()
    process.wait(PATIENCE_SECONDS)
    # The server notices although the gate stays shut.
    while holds(postgres, MIGRATES.format(database)):
        continue
    stands = second.stands()
    opened = release(*FIRST).started()
    there = opened.read_now(columns)
    opened.close_now()
    gate.close()
    again = release(WORDS, ORIGIN)

    assert stands == ("0001", "0001")
    assert there == ["word", "length"]
    assert again.migrates() == ["0002"]


TUNED = Made("0002", "tune", BUILD, more="in_transaction = False")


def validity(url: str) -> list[bool]:
    with psycopg.connect(url) as connection:
        query = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_words_length')"
        return [row[0] for row in connection.execute(query)]


def test_an_index_whose_build_was_killed_is_built_anew_beside_those_who_write(
    release: Releasing, url: str, database: str, postgres: PostgresServer
) -> None:
    first = release(*FIRST).started()
    first.write_now(add("alpha"))
    tuned = release(WORDS, TUNED)
    with psycopg.connect(url) as writer:
        writer.execute("INSERT INTO words (word) VALUES ('open')")
        process = job(tuned)
        wait_until(postgres, "wait_event = 'virtualxid' AND " + MIGRATES.format(database))
        # Whoever writes does not wait for the build, nor for what it waits for.
        first.write_now(add("beta"))
        process.kill()
        process.wait(PATIENCE_SECONDS)
        while holds(postgres, MIGRATES.format(database)):
            continue
        left_behind = validity(url)
        writer.commit()

    stands = tuned.stands()
    ran = tuned.migrates()
    first.close_now()

    assert left_behind == [False]
    assert stands == ("0001", "0001")
    assert ran == ["0002"]
    assert validity(url) == [True]


def test_an_index_that_is_there_is_not_built_twice(release: Releasing, url: str) -> None:
    release(*FIRST).starts()
    with psycopg.connect(url) as killed_before_it_was_noted:
        killed_before_it_was_noted.execute("CREATE INDEX ix_words_length ON words (length)")

    ran = release(WORDS, TUNED).migrates()

    assert ran == ["0002"]
    assert validity(url) == [True]


STOPS_AT_THE_FLOOR = """
CREATE FUNCTION at_a_gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN NEW; END';
CREATE TRIGGER at_a_gate BEFORE INSERT ON schema_floor FOR EACH ROW EXECUTE FUNCTION at_a_gate()
"""


@pytest.mark.usefixtures("gate")
def test_a_floor_that_stays_is_not_written(release: Releasing, url: str) -> None:
    release(*FIRST).starts()
    with psycopg.connect(url) as connection:
        connection.execute(STOPS_AT_THE_FLOOR)

    ran = release(WORDS, TUNED, ORIGIN._replace(revision="0003")).migrates()

    assert ran == ["0002", "0003"]


def test_a_job_that_is_killed_while_it_notes_a_step_leaves_revision_and_floor_as_they_were(
    release: Releasing, url: str, database: str, postgres: PostgresServer, gate: "psycopg.Connection[object]"
) -> None:
    release(*FIRST).starts()
    with psycopg.connect(url) as connection:
        connection.execute(STOPS_AT_THE_FLOOR)
    tuned = release(WORDS, TUNED._replace(more="in_transaction = False\nis_baseline = True"))
    process = job(tuned)
    wait_until(postgres, WAITS.format(database))

    process.kill()
    process.wait(PATIENCE_SECONDS)
    while holds(postgres, MIGRATES.format(database)):
        continue
    stands = tuned.stands()
    gate.close()
    ran = tuned.migrates()

    assert stands == ("0001", "0001")
    assert ran == ["0002"]
    assert tuned.stands() == ("0002", "0002")
