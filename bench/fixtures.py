"""A database of consent filled in bulk: millions of subjects in seconds, past everything that checks them.

Only for measuring: rows go in as the schema has them, without records of how they came about.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psycopg
from numpy.typing import NDArray

from services.chassis.database import Database
from services.consent.domain.choices import NOTHING_SAID, Choice, Scope, Stance, standing_of
from services.consent.domain.subjects import Facts, Profile
from services.consent.storage.codec import encode_profile
from services.consent.storage.head import lock_group

SCHEMA = Path(__file__).resolve().parents[1] / "services" / "consent" / "schema"
NOTICE = b"\x11" * 32
COUNTRIES = ("US", "DE", "FR", "JP", "BR", "GB", "IN", "CA", "US-CA", "MX")
STANDINGS = 20
POST_STATES = 100_000
ROWS_AT_ONCE = 200_000
CACHE_KIB = 1 << 20
"""Rows come in no order of ids, so that pages are written to again and again."""


@dataclass(frozen=True)
class Fixture:
    """What was put in."""

    url: str
    folder: Path
    """On the disk where the database is."""
    subject_ids: NDArray[np.uint64]
    profile_ids: NDArray[np.int64]
    post_ids: NDArray[np.uint64]
    """Those that have a state."""


def open_database(url: str) -> Database:
    """As the service opens it."""
    return Database.open(url, schema_dir=SCHEMA, name="consent", lock=lock_group)


def filled(url: str, folder: Path, subjects: int, seed: int = 7) -> Fixture:
    """Makes the tables and fills them, in no order of ids, which are random."""
    open_database(url).close_now()
    random = np.random.default_rng(seed)
    subject_ids, post_ids = _ids(random, subjects), _ids(random, POST_STATES)
    profiles = [(number, encode_profile(profile)) for number, profile in enumerate(_profiles(), start=1)]
    # Most are of few kinds, as people are: most of one country have chosen nothing.
    profile_ids = 1 + (random.beta(1, 6, subjects) * len(profiles)).astype(np.int64)
    fill = _fill_postgresql if url.startswith("postgresql") else _fill_sqlite
    fill(url, profiles, _states(subject_ids, profile_ids), _post_states(post_ids))
    return Fixture(url, folder, subject_ids.view(np.uint64), profile_ids, post_ids.view(np.uint64))


def _profiles() -> Iterator[Profile]:
    for country in COUNTRIES:
        facts = Facts(country, notices=frozenset({NOTICE}))
        yield Profile(facts, NOTHING_SAID)
        for number in range(1, STANDINGS):
            licensee = "" if number % 4 == 0 else f"licensee-{number}"
            stance = Stance.DENY if number % 3 else Stance.ALLOW
            yield Profile(facts, standing_of([Choice(stance, Scope(licensee, number % 5), number, number)]))


def _ids(random: np.random.Generator, count: int) -> NDArray[np.int64]:
    ids = np.unique(random.integers(-(2**63), 2**63, count + count // 1_000 + 10, dtype=np.int64))
    return random.permutation(ids[ids != 0])[:count]


_Rows = Iterator[list[tuple[int | str | bool, ...]]]


def _states(subject_ids: NDArray[np.int64], profile_ids: NDArray[np.int64]) -> _Rows:
    for at in range(0, len(subject_ids), ROWS_AT_ONCE):
        some = slice(at, at + ROWS_AT_ONCE)
        pairs = zip(subject_ids[some].tolist(), profile_ids[some].tolist(), strict=True)
        yield [
            (subject_id, profile_id, "[]", 0, "{}", False, number)
            for number, (subject_id, profile_id) in enumerate(pairs, start=at + 1)
        ]


def _post_states(post_ids: NDArray[np.int64]) -> _Rows:
    yield [
        (post_id, 2 - number % 2, "DE,FR" if number % 10 == 0 else "", "{}", number)
        for number, post_id in enumerate(post_ids.tolist(), start=1)
    ]


_INTO_STATES = "states (subject_id, profile_id, choices, seen_us, times, erased, revision)"
_INTO_POSTS = "post_states (post_id, marks, withheld, times, revision)"
_HEAD = "UPDATE head SET number = {0}, subjects_at = {0}, posts_at = {0}"
_LAST = 100_000_000


def _fill_sqlite(url: str, profiles: list[tuple[int, str]], states: _Rows, posts: _Rows) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    # It is thrown away if this does not come to an end.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA cache_size = {-CACHE_KIB}")
    connection.executemany("INSERT INTO profiles (profile_id, content) VALUES (?, ?)", profiles)
    for rows in states:
        connection.executemany(f"INSERT INTO {_INTO_STATES} VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    for rows in posts:
        connection.executemany(f"INSERT INTO {_INTO_POSTS} VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute(_HEAD.format(_LAST))
    connection.commit()
    connection.close()


def _fill_postgresql(url: str, profiles: list[tuple[int, str]], states: _Rows, posts: _Rows) -> None:
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany("INSERT INTO profiles (profile_id, content) VALUES (%s, %s)", profiles)
        for into, chunks in ((_INTO_STATES, states), (_INTO_POSTS, posts)):
            with cursor.copy(f"COPY {into} FROM STDIN".encode()) as copy:
                for rows in chunks:
                    for row in rows:
                        copy.write_row(row)
        cursor.execute(_HEAD.format(_LAST).encode())
        # As the server does by itself, but within a minute only.
        cursor.execute("ANALYZE")
