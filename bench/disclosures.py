"""Who got whose posts, measured: `python -m bench.disclosures`.

Beside each figure, in the same run, what it would cost otherwise: every manifest looked through, and a table
with a row for each contributor and release; and the commits of releases while nobody makes the index.
"""

import argparse
import asyncio
import functools
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, func, select, text

from bench.engines import ENGINES, a_database
from bench.recording import Recorded, a_release, add_releases, random_authors
from bench.report import Figure, Report
from bench.stand import say
from bench.telling import telling
from bench.timing import machine
from services.chassis.bulk import Insertion
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.licensing.domain.released import KeyKind
from services.licensing.indexing import Indexing
from services.licensing.storage.disclosures import DisclosureStore
from services.licensing.storage.ledger_tables import ManifestRow
from services.licensing.storage.release_index import ReleaseIndex
from services.licensing.storage.release_index_tables import ReleaseBlockRow
from services.licensing.storage.release_index_writer import ReleaseIndexWriter
from tests.support.clock import NOON_US
from tests.support.licensing import licensing_database_at

RELEASES, POSTS, AUTHORS = 10_000, 1_000, 100_000
QUICK = (200, 100, 1_000)
AT_ONCE, ASKED, MANY, TIMES = 50, 300, 500, 10
"""Releases of one commit of the loader; authors that are asked about one by one; and at once, so often."""
COMMITS, PAUSE_SECONDS = 150, 0.04
"""Of one release each, with pauses: some 20 a second."""
PAGE, LARGEST, P99 = 20, 2**63 - 1, 98
LIST_AIM_MS = 100.0
_BLOCKS = ReleaseBlockRow.metadata.tables["release_blocks"]
_MANIFESTS = ManifestRow.metadata.tables["manifests"]
_PUT_ROWS = Insertion("bench_rows", {"author": "bigint", "number": "bigint"})
_ROWS = text("SELECT number FROM bench_rows WHERE author = :author ORDER BY number")
Look = Callable[[int], Awaitable[Sequence[int]]]


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.disclosures", description="Measures disclosures.")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--releases", type=int, default=RELEASES, help=f"default {RELEASES:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK[0]:,} small releases")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    sizes = QUICK if options.quick else (options.releases, POSTS, AUTHORS)
    figures = asyncio.run(measured(options.engine, *sizes))
    report = Report("who got whose posts", options.engine, "releases", machine(), figures)
    report.print()
    if options.json:
        report.write(options.json)


async def measured(engine: str, releases: int, posts: int, authors: int) -> list[Figure]:
    """All figures for so many releases of so many posts each."""
    chance = np.random.default_rng(7)
    with a_database(engine) as (_, url):
        database = licensing_database_at(url)
        figures = [
            *load(database, chance, releases, posts, authors),
            *await making(database, releases),
            *await asking(database, chance, releases, authors),
            *await telling(database, chance, releases, authors),
            *await under_load(database, chance, releases, posts, authors),
        ]
        await database.close()
    return figures


def load(
    database: Database, chance: np.random.Generator, releases: int, posts: int, authors: int
) -> list[Figure]:
    """Puts releases on record, and the rows to compare with."""
    say("putting releases on record")
    recorded = list[Recorded]()
    for at in range(0, releases, AT_ONCE):
        some = [a_release(chance, posts, authors) for _ in range(min(AT_ONCE, releases - at))]
        add_releases(database, some, NOON_US)
        recorded += some
    say("putting a row for each contributor and release on record")
    in_order = " WITHOUT ROWID" if database.dialect == "sqlite" else ""
    columns = "author BIGINT, number BIGINT, PRIMARY KEY (author, number)"
    run(database, f"CREATE TABLE bench_rows ({columns}){in_order}")
    before, count, began = database.read_now(bytes_used), 0, time.perf_counter()
    for at in range(0, releases, AT_ONCE):
        some = recorded[at : at + AT_ONCE]
        rows = sorted(row for number, one in enumerate(some, at + 1) for row in rows_of(one, number))
        database.write_now(functools.partial(_PUT_ROWS.run, rows=rows))
        count += len(rows)
    seconds = time.perf_counter() - began
    size = database.read_now(bytes_used) - before
    if database.dialect == "postgresql":
        run(database, "ANALYZE")
    return [
        Figure("a row for each contributor: put on record", count / seconds, "rows/s", releases),
        Figure("  size of a row", size / count, "bytes", releases),
    ]


def rows_of(release: Recorded, number: int) -> list[tuple[int, int]]:
    """A row for each contributor of a release."""
    return [(author, number) for author in np.frombuffer(release.contributors, "<u8").tolist()]


async def making(database: Database, releases: int) -> list[Figure]:
    """The index made of all that is there."""
    say("making the index")
    indexing, before = Indexing(ReleaseIndexWriter(database)), database.read_now(bytes_used)
    began = time.perf_counter()
    while await indexing.advance():
        continue
    seconds = time.perf_counter() - began
    pairs, size = database.read_now(pairs_stored), database.read_now(bytes_used) - before
    return [
        Figure("indexed, of a backlog", pairs / seconds, "pairs/s", releases),
        Figure("  releases", releases / seconds, "releases/s", releases),
        Figure("size of a pair", size / pairs, "bytes", releases),
    ]


async def asking(
    database: Database, chance: np.random.Generator, releases: int, authors: int
) -> list[Figure]:
    """Random authors, by the index and otherwise; all ways find the same."""
    say("asking")
    index, disclosures = ReleaseIndex(database), DisclosureStore(database)
    asked = random_authors(chance, ASKED, authors).tolist()

    async def by_index(author: int) -> Sequence[int]:
        return (await index.find(KeyKind.CONTRIBUTOR, np.array([author], np.uint64)))[0].tolist()  # type: ignore[no-any-return]

    async def by_rows(author: int) -> Sequence[int]:
        return await database.read(lambda c: list(c.execute(_ROWS, {"author": author}).scalars()))

    async def by_manifests(author: int) -> Sequence[int]:
        return await database.read(lambda connection: through_manifests(connection, author))

    async def listed(author: int) -> Sequence[int]:
        return [r.number for r in (await disclosures.page(author, LARGEST, PAGE)).releases]

    found, found_ms = await timed(by_index, asked)
    rows, rows_ms = await timed(by_rows, asked)
    scanned, scanned_ms = await timed(by_manifests, asked[:2])
    _, listed_ms = await timed(listed, asked)
    assert found == rows
    assert [sorted(numbers) for numbers in scanned] == found[:2]
    many_ms = list[float]()
    for _ in range(TIMES):
        started = time.perf_counter()
        await index.find(KeyKind.CONTRIBUTOR, random_authors(chance, MANY, authors))
        many_ms.append((time.perf_counter() - started) * 1e3)
    median = statistics.median(found_ms)
    return [
        Figure(f"page of {PAGE} releases of a subject", statistics.median(listed_ms), "ms", releases),
        Figure(
            f"page of {PAGE} releases of a subject, 99th percentile",
            statistics.quantiles(listed_ms, n=100)[P99],
            *("ms", releases),
            aim=LIST_AIM_MS,
        ),
        Figure("releases of a contributor", median, "ms", releases),
        ratio("  by a row for each", statistics.median(rows_ms), releases, median),
        ratio("  through all manifests", statistics.median(scanned_ms), releases, median),
        Figure(f"{MANY} contributors at once", statistics.median(many_ms), "ms", releases),
    ]


async def under_load(
    database: Database, chance: np.random.Generator, releases: int, posts: int, authors: int
) -> list[Figure]:
    """What the commits of releases take while the index follows them, and while nobody makes it."""
    say("putting releases on record while nobody indexes")
    some = [a_release(chance, posts, authors) for _ in range(COMMITS)]
    alone = await commits(database, some)
    say("putting releases on record while they are indexed")
    indexing = asyncio.create_task(Indexing(ReleaseIndexWriter(database)).run())
    beside = await commits(database, some)
    indexing.cancel()
    await asyncio.gather(indexing, return_exceptions=True)
    return [
        figure
        for name, at in (("median", 49), ("95th percentile", 94), ("99th percentile", P99))
        for figure in (
            Figure(f"commit of a release, {name}", beside[at] * 1e3, "ms", releases),
            Figure(
                f"  with nobody indexing, {name}", alone[at] * 1e3, "ms", releases, alone[at] / beside[at]
            ),
        )
    ]


async def commits(database: Database, releases: Sequence[Recorded]) -> Sequence[float]:
    """The percentiles of the seconds of commits of one release each, with pauses between them."""
    taken = list[float]()
    for release in releases:
        started = time.perf_counter()
        await asyncio.to_thread(add_releases, database, [release], SystemClock().now_us())
        taken.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE_SECONDS)
    return statistics.quantiles(taken, n=100)


async def timed(look: Look, authors: Sequence[int]) -> tuple[list[Sequence[int]], list[float]]:
    """What was found for each author, and in how many milliseconds."""
    found, taken = list[Sequence[int]](), list[float]()
    for author in authors:
        started = time.perf_counter()
        found.append(await look(author))
        taken.append((time.perf_counter() - started) * 1e3)
    return found, taken


def through_manifests(connection: Connection, author: int) -> list[int]:
    """The numbers of the releases whose manifests name the author."""
    query = text("SELECT d.number, m.contributors FROM decisions d JOIN manifests m USING (decision_id)")
    rows = connection.execution_options(yield_per=100).execute(query)
    return [number for number, contributors in rows if author in np.frombuffer(contributors, "<u8")]


def pairs_stored(connection: Connection) -> int:
    """Pairs in the index."""
    return int(connection.execute(select(func.sum(func.length(_BLOCKS.c.numbers)))).scalar_one()) // 4


def bytes_used(connection: Connection) -> int:
    """What the database needs for all that it holds."""
    size = "SELECT pg_database_size(current_database())"
    if connection.dialect.name == "sqlite":
        size = (
            "SELECT (page_count - freelist_count) * page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
    return int(connection.execute(text(size)).scalar_one())


def ratio(what: str, value: float, releases: int, compared: float) -> Figure:
    """A comparison with the figure above it."""
    return Figure(what, value, "ms", releases, value / compared)


def run(database: Database, statement: str) -> None:
    """Runs a statement."""

    def unit(connection: Connection) -> None:
        connection.execute(text(statement))

    database.write_now(unit)


if __name__ == "__main__":
    main()
