"""Claims over millions of accesses, measured: `python -m bench.damages`.

Beside the periods by sums, in the same run: every single access read, and the periods found over all of them
by the offline verifier's own code. Each part runs in a process of its own, so that memory is that part's.
"""

import argparse
import asyncio
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from bench.accesses import ENTRIES, KIND, add_up, make_account, take_any_time
from bench.engines import ENGINES, a_database
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.bulk import Insertion
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.console import damages_rows
from services.console.damages_bundles import write_bundle
from services.metering.assessor import Assessor, OnRecord
from services.metering.domain.allowances import Account, Scope
from services.metering.domain.damages.amounts import Rate
from services.metering.domain.damages.cells import Ints
from services.metering.domain.damages.evidence import Rows
from services.metering.domain.damages.members import AssessmentScope, PartyStretch
from services.metering.domain.damages.policies import GAVE_CONTENT, DamagesPolicy, Selection
from services.metering.domain.damages.readings import Claims, Clause, Overlap, Reading
from services.metering.domain.damages.tariffs import Rounding
from services.metering.domain.windows import HOUR_US, ROLLING_DAY_US
from services.metering.storage.claims import SqlClaims
from services.metering.storage.head import lock_head
from services.metering.storage.selected import SelectedCounts
from services.metering.storage.sighting_rows import COLUMNS
from sluice_gate.damages.counting import counted
from sluice_gate.damages.disjoint import disjoint_periods
from sluice_gate.damages.tariffs import Tariff
from sluice_gate.damages.verify import verify

SCHEMA = Path(__file__).resolve().parents[1] / "services" / "metering" / "schema"
ACCESSES, QUICK_ACCESSES = 10_000_000, 100_000
SECONDS_AIM = 10.0
"""For the periods of ten million accesses, under the policy."""
BEGIN_US = 1_760_000_400_000_000
DAYS, BURSTS, BURST_HOURS, BURST_SHARE = 30, 6, 10, 0.6
PARTY, ACCOUNT_ID = "crawler", 1
ROWS_AT_ONCE = 200_000
READING = Reading(Overlap.DISJOINT, Rounding.WHOLE_UNITS)
SELECTION = Selection(GAVE_CONTENT, licensed=False)
MEMBERS = [PartyStretch(PARTY, BEGIN_US, BEGIN_US + DAYS * ROLLING_DAY_US)]

_SIGHTINGS = Insertion("sightings", COLUMNS)


@dataclass(frozen=True)
class Measured:
    """What a part gave, how long it took, and the most memory that its process held."""

    result: Any
    seconds: float
    megabytes: float


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.damages", description="Measures claims.")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--accesses", type=int, default=ACCESSES, help=f"default {ACCESSES:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ACCESSES:,} accesses")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    accesses = QUICK_ACCESSES if options.quick else options.accesses
    report = Report("damages", options.engine, "accesses", machine(), measured(options.engine, accesses))
    report.print()
    if options.json:
        report.write(options.json)


def measured(engine: str, accesses: int) -> list[Figure]:
    """All figures for so many accesses of one party in a month."""
    figures: list[Figure] = []

    def note(what: str, found: Measured, *, ratio: float | None = None, aim: float | None = None) -> None:
        figures.append(Figure(what, found.seconds, "s", accesses, ratio, aim))
        figures.append(Figure(f"  memory of its process, {what}", found.megabytes, "MB", accesses))

    with a_database(engine) as (folder, url):
        say(f"{engine}: putting {accesses:,} accesses on record")
        _apart(_fill, url, accesses)
        say("the periods, by sums")
        by_sums = _apart(_by_sums, url, accesses)
        note("periods under the policy, by sums", by_sums, aim=SECONDS_AIM)
        say("the periods, by every access")
        by_all = _apart(_by_every_access, url, accesses)
        assert by_sums.result == by_all.result, "the sums lead to other periods than the accesses"
        note("  by every access", by_all, ratio=by_all.seconds / by_sums.seconds)
        say("every reading")
        note("all 64 readings", _apart(_preview, url, accesses))
        say("on record, with all evidence")
        recorded = _apart(_record, url, accesses)
        note("on record, with all evidence digested", recorded)
        say("the bundle")
        note("bundle written", _apart(_export, url, recorded.result, folder / "bundle"))
        say("the bundle, verified")
        note("bundle verified, all readings", _apart(_verify, folder / "bundle"))
    return figures


def _apart(part: Callable[..., Any], *given: Any) -> Measured:
    """Runs a part in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        return processes.submit(_timed, part, *given).result()


def _timed(part: Callable[..., Any], *given: Any) -> Measured:
    started = time.perf_counter()
    result = part(*given)
    seconds = time.perf_counter() - started
    # In kilobytes on Linux, in bytes on macOS.
    scale = 1e6 if sys.platform == "darwin" else 1e3
    return Measured(result, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale)


def _opened(url: str) -> Database:
    return Database.open(url, schema_dir=SCHEMA, name="metering", lock=lock_head)


def _clause(accesses: int) -> Clause:
    """A tenth of all is what is allowed in a day, and a unit."""
    return Clause(accesses // 10, accesses // 10, ROLLING_DAY_US)


def _by_sums(url: str, accesses: int) -> list[tuple[int, int]]:
    database = _opened(url)

    def query(connection: Connection) -> list[tuple[int, int]]:
        selected = SelectedCounts(connection, MEMBERS, SELECTION)
        claims = Claims(_clause(accesses), selected, MEMBERS[0].since_us, MEMBERS[0].until_us)
        return [(each.since_us, each.posts) for each in claims.periods(READING)]

    return database.read_now(query)


def _by_every_access(url: str, accesses: int) -> list[tuple[int, int]]:
    database, clause = _opened(url), _clause(accesses)
    whole = [(MEMBERS[0].since_us, MEMBERS[0].until_us)]
    times, posts = database.read_now(
        lambda connection: SelectedCounts(connection, MEMBERS, SELECTION).moments(whole)
    )
    tariff = Tariff(clause.threshold, clause.unit, READING.rounding.name)
    periods = disjoint_periods(counted(times, posts), tariff, clause.window_us)
    return [(each.since_us, each.posts) for each in periods]


def _preview(url: str, accesses: int) -> None:
    async def work(assessor: Assessor) -> None:
        async for _ in assessor.preview(_scope()):
            pass

    asyncio.run(_with_policy(url, accesses, work))


def _record(url: str, accesses: int) -> str:
    async def work(assessor: Assessor) -> str:
        async for step in assessor.record(_scope(), _key("RecordAssessment")):
            if isinstance(step, OnRecord):
                return str(json.loads(step.document)["assessment_id"])
        raise AssertionError("the last step is the record")

    return str(asyncio.run(_with_policy(url, accesses, work)))


def _export(url: str, assessment_id: str, bundle: Path) -> None:
    database, clock = _opened(url), SystemClock()
    assessor = Assessor(SqlClaims(database, clock.now_us), clock.now_us)
    with asyncio.Runner() as runner:
        document = runner.run(assessor.get(assessment_id)).document
        write_bundle(document, _chunks(runner, assessor.evidence(assessment_id)), bundle, lambda *_: None)
    database.close_now()


def _verify(bundle: Path) -> None:
    assert verify(bundle, None, lambda *_: None).agrees


async def _with_policy(url: str, accesses: int, work: Callable[[Assessor], Any]) -> Any:
    database, clock = _opened(url), SystemClock()
    assessor = Assessor(SqlClaims(database, clock.now_us), clock.now_us)
    rate = Rate("USD", 15_000 * 10**9, 2)
    policy = DamagesPolicy("bench", bytes(32), _clause(accesses), rate, READING, SELECTION, ())
    await assessor.put_policy(policy, _key("PutDamagesPolicy"))
    result = await work(assessor)
    await database.close()
    return result


def _key(operation: str) -> ReplayKey:
    return ReplayKey("operator:bench", operation, uuid7(SystemClock().now_us()), bytes(32))


def _scope() -> AssessmentScope:
    of = Account(Scope.LICENSEE, PARTY)
    return AssessmentScope(of, MEMBERS[0].since_us, MEMBERS[0].until_us, 0, "", ())


def _chunks(runner: asyncio.Runner, rows: AsyncGenerator[Rows]) -> Iterator[damages_rows.Rows]:
    async def following() -> Rows | None:
        return await anext(rows, None)

    while (each := runner.run(following())) is not None:
        yield damages_rows.Rows(
            at_us=each.at_us,
            number=each.numbers,
            party=list(each.parties),
            origin=each.origins,
            access=each.accesses,
            kind=each.kinds,
            media=each.media_flags,
            posts=each.posts,
            source=list(each.sources),
            id=list(each.ids),
        )


def _times(accesses: int) -> Ints:
    """Some evenly over the month, most in bursts; sorted."""
    chance = np.random.default_rng(1)
    in_bursts = int(accesses * BURST_SHARE)
    starts = BEGIN_US + np.arange(BURSTS) * (DAYS // BURSTS) * ROLLING_DAY_US
    bursts = chance.choice(starts, in_bursts) + chance.integers(0, BURST_HOURS * HOUR_US, in_bursts)
    evenly = chance.integers(BEGIN_US, BEGIN_US + DAYS * ROLLING_DAY_US, accesses - in_bursts)
    return np.sort(np.concatenate([bursts, evenly]))


def _fill(url: str, accesses: int) -> None:
    """So many accesses of one post, as if they had been reported, and their sums."""
    database, times = _opened(url), _times(accesses)

    def some(begin: int) -> Callable[[Connection], None]:
        numbered = list(enumerate(times[begin : begin + ROWS_AT_ONCE].tolist(), begin + 1))

        def unit(connection: Connection) -> None:
            counts = f"[[{KIND},0,1]]"
            ENTRIES.run(connection, [(ACCOUNT_ID, at, number, 1, 0, 3, counts) for number, at in numbered])
            _SIGHTINGS.run(
                connection,
                [
                    (number, "edge", f"id:{number:012}", PARTY, at, 3, KIND, 0, 1, "", 0)
                    for number, at in numbered
                ],
            )

        return unit

    database.write_now(lambda connection: make_account(connection, ACCOUNT_ID, PARTY))
    for begin in range(0, accesses, ROWS_AT_ONCE):
        database.write_now(some(begin))

    def sums(connection: Connection) -> None:
        take_any_time(connection)
        add_up(connection, accesses)

    database.write_now(sums)
    database.close_now()


if __name__ == "__main__":
    main()
