"""The reckoning notices whatever does not add up: for each rule, books that break it."""

import asyncio
import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.support.kept_books import (
    CONFIRMED,
    DEAD,
    DEAD_RESERVATION,
    EXPIRED,
    ITS_NUMBER,
    ITS_RESERVATION,
    keep_books,
)
from tests.support.reckoning import ALWAYS, AT_REST, Books, positions

DOCTORED = {
    "reserved = still held + settled + freed": [
        f"UPDATE metering.reservations SET posts_freed = 1 WHERE {ITS_RESERVATION}",
    ],
    "what is reserved is all that was asked for, or nothing (M3)": [
        f"UPDATE metering.reservations SET posts_reserved = 4, posts_freed = 1 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET posts_reserved = 0, counted_at_us = NULL WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET state = 4 WHERE {ITS_RESERVATION}",
    ],
    "what is kept of a hold is a part of it, and not nothing (M2)": [
        f"UPDATE metering.reservations SET kept = '[[1,0,1]]' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET posts_kept = 1 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET kept = '[[1,0,1]]', posts_kept = 2 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET kept = '[]', posts_kept = 0 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET kept = '[[3,0,1]]', posts_kept = 1 WHERE {ITS_RESERVATION}",
    ],
    "only what was held is settled, and only by settling (M2)": [
        f"UPDATE metering.reservations SET kept = '[[1,0,1]]', posts_kept = 1 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET posts_settled = 2, posts_freed = 1 WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET settled = '[[1,0,1],[4,0,2]]' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET state = 3 WHERE {ITS_RESERVATION}",
    ],
    "a reservation counts once for its party, its group and its license": [
        f"DELETE FROM metering.entries WHERE {ITS_NUMBER}",
        f"UPDATE metering.entries SET used = used + 1 WHERE {ITS_NUMBER}",
        f"""INSERT INTO metering.entries SELECT account_id, 1, number, 1, 0, access, '[[1,0,1]]'
            FROM metering.entries WHERE {ITS_NUMBER}""",
    ],
    "an entry changes the contents as it changes the sum": [
        f"UPDATE metering.entries SET counts = '[[1,0,7]]' WHERE {ITS_NUMBER}",
    ],
    "the sums of an account are those of its entries": [
        "UPDATE metering.tallies SET used = used - 1",
        "UPDATE metering.tallies SET held = held + 1",
    ],
    "no request is settled twice": [
        f"""UPDATE metering.reservations SET state = 2, request_key =
            (SELECT request_key FROM metering.reservations WHERE {ITS_RESERVATION})
            WHERE {DEAD_RESERVATION}""",
    ],
    "a decision is the conclusion of one attempt": [
        f"""UPDATE attempts SET decision_id = (SELECT decision_id FROM decisions WHERE {CONFIRMED})
            WHERE {DEAD}""",
        f"DELETE FROM attempts WHERE {CONFIRMED}",
        f"UPDATE attempts SET decision_id = 'unknown' WHERE {DEAD}",
    ],
    "a request has one decision": [
        f"""CREATE TABLE bare AS SELECT * FROM decisions; DROP TABLE decisions;
            ALTER TABLE bare RENAME TO decisions;
            UPDATE decisions SET request_id = (SELECT request_id FROM decisions WHERE {CONFIRMED})
            WHERE {EXPIRED}""",
    ],
    "decisions are numbered without a gap": [
        "UPDATE decisions SET number = 100 WHERE number = 1",
        "UPDATE head SET next_number = next_number + 1",
    ],
    "what is released was held by the attempt that concluded it": [
        f"UPDATE decisions SET reservation_id = NULL WHERE {CONFIRMED}",
        f"UPDATE decisions SET not_after_us = NULL WHERE {CONFIRMED}",
    ],
    "a release has an open permit or a settlement": [
        f"DELETE FROM settlements WHERE {CONFIRMED}",
        f"INSERT INTO open_permits SELECT decision_id, 1 FROM decisions WHERE {CONFIRMED}",
    ],
    "a settlement is of what was confirmed in time, else of all that was released": [
        f"UPDATE settlements SET by_expiry = 1 WHERE {CONFIRMED}",
        f"UPDATE settlements SET posts = 2 WHERE {CONFIRMED}",
        f"UPDATE settlements SET posts = 2 WHERE {EXPIRED}",
        f"UPDATE settlements SET by_expiry = 0 WHERE {EXPIRED}",
        f"UPDATE settlements SET settled_at_us = 1 WHERE {EXPIRED}",
    ],
    "a confirmation is of released posts and settles them": [
        f"UPDATE confirmations SET delivered = x'0f' WHERE {CONFIRMED}",
        f"UPDATE confirmations SET delivered = x'0700' WHERE {CONFIRMED}",
        f"UPDATE confirmations SET posts = 2 WHERE {CONFIRMED}",
        f"UPDATE decisions SET reasons = x'01012e' WHERE {CONFIRMED}",
        f"INSERT INTO open_permits SELECT decision_id, 1 FROM decisions WHERE {CONFIRMED}",
    ],
    "the sums of decisions are those of the decisions they are made of, each once": [
        "UPDATE decision_counts SET count = count + 1 WHERE reason = 0",
        "UPDATE decision_counts SET count = count - 1 WHERE reason <> 0",
        "UPDATE decision_counts SET count = count + 1 WHERE stretch_us = 3600000000",
        "DELETE FROM decision_counts",
        "UPDATE decisions_counted SET number = number - 1",
    ],
    "metering has refused nothing": [
        """INSERT INTO outbox (reservation_id, cancels, delivered, written_at_us, parked)
           VALUES ('r', 1, '[]', 1, 'RESERVATION_SETTLED')""",
    ],
    "reserved is what was released, for the same request and at the same time": [
        f"UPDATE decisions SET counted_at_us = counted_at_us + 1 WHERE {CONFIRMED}",
        f"UPDATE metering.reservations SET request_key = 'another' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET party_id = 'another' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET counts = '[[1,0,3]]' WHERE {ITS_RESERVATION}",
    ],
    "released >= settled": [
        f"UPDATE decisions SET reasons = x'012e2e' WHERE {CONFIRMED}",
    ],
    "metering has settled what the settlement says": [
        f"UPDATE metering.reservations SET posts_settled = 2, settled = '[[1,0,2]]' WHERE {ITS_RESERVATION}",
        f"UPDATE metering.reservations SET settled = '[[1,0,3]]' WHERE {ITS_RESERVATION}",
        f"DELETE FROM settlements WHERE {CONFIRMED}",
    ],
    "tombstoned implies settled 0": [
        f"UPDATE attempts SET decision_id = NULL WHERE {CONFIRMED}",
    ],
    "settled implies concluded, cancelled implies tombstoned": [
        f"DELETE FROM attempts WHERE {CONFIRMED}",
        f"DELETE FROM attempts WHERE {DEAD}",
        f"UPDATE attempts SET decision_id = NULL WHERE {CONFIRMED}",
        f"UPDATE metering.reservations SET state = 3 WHERE {ITS_RESERVATION}",
    ],
    "no hold is left": [
        f"UPDATE metering.reservations SET state = 1, posts_freed = 0 WHERE {DEAD_RESERVATION}",
    ],
    "metering has been told everything": [
        "INSERT INTO outbox (reservation_id, cancels, delivered, written_at_us) VALUES ('r', 1, '[]', 1)",
    ],
    "no permit is open": [
        f"INSERT INTO open_permits SELECT decision_id, 1 FROM decisions WHERE {CONFIRMED}",
    ],
    "what was released is settled": [
        f"UPDATE metering.reservations SET state = 3 WHERE {ITS_RESERVATION}",
        f"DELETE FROM metering.reservations WHERE {ITS_RESERVATION}",
    ],
    "what was given up holds nothing and never will": [
        f"DELETE FROM metering.reservations WHERE {DEAD_RESERVATION}",
        f"UPDATE metering.reservations SET state = 1 WHERE {DEAD_RESERVATION}",
    ],
}
"""For each rule what breaks it, in all its parts; most of it breaks other rules too."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Books:
    folder = tmp_path_factory.mktemp("books")
    asyncio.run(keep_books(folder))
    return Books(folder / "licensing.db", folder / "metering.db")


@pytest.fixture
def books(kept: Books, tmp_path: Path) -> Books:
    """A copy of one's own."""
    return Books(*(Path(shutil.copy(path, tmp_path)) for path in (kept.licensing, kept.metering)))


def doctor(books: Books, script: str) -> None:
    with contextlib.closing(sqlite3.connect(books.licensing, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS metering", [str(books.metering)])
        connection.executescript(f"PRAGMA main.synchronous=OFF; PRAGMA metering.synchronous=OFF; {script}")


def test_books_that_were_kept_well_add_up(books: Books) -> None:
    books.check(at_rest=True)

    assert books.are_at_rest()


def test_what_is_billed_is_what_was_confirmed_else_all_that_was_released(books: Books) -> None:
    bills = books.bills("acme-training")

    assert [(bill.released, bill.billed) for bill in bills] == [
        ([0, 1, 2], [0, 1, 2]),
        ([0, 1, 2], [0]),
        ([0, 1, 2], []),
        ([], []),
        ([0, 1, 2], []),
        ([0, 1, 2], [0, 1, 2]),
        ([], []),
    ]


@pytest.mark.parametrize(
    ("sentence", "script"), [(sentence, script) for sentence in DOCTORED for script in DOCTORED[sentence]]
)
def test_books_that_break_a_rule_are_noticed_by_it(books: Books, sentence: str, script: str) -> None:
    doctor(books, script)

    assert sentence in books.violations(at_rest=True)


def test_every_rule_has_been_seen_to_be_broken() -> None:
    assert {rule.sentence for rule in ALWAYS + AT_REST} == DOCTORED.keys()


def test_what_waits_for_outbox_and_sweeper_breaks_no_rule_that_always_holds(books: Books) -> None:
    doctor(books, *DOCTORED["metering has been told everything"])

    assert not books.are_at_rest()
    books.check(at_rest=False)


def test_a_check_fails_with_the_rule_and_the_ids_of_what_breaks_it(books: Books) -> None:
    doctor(books, *DOCTORED["metering has refused nothing"])

    with pytest.raises(AssertionError, match=r'"metering has refused nothing": \[\s+"[0-9]+"\s+\]'):
        books.check(at_rest=True)


def test_the_lowest_bit_of_a_bitmap_is_the_first_post() -> None:
    assert positions(b"\x05\x80") == [0, 2, 15]
