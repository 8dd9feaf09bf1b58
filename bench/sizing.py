"""What a million posts take, and what a load of so many a day then needs: `python -m bench.sizing`.

The three services as processes over one PostgreSQL server, a caller with requests in flight, each decision
confirmed. Measured are seconds of processors and bytes, which do not depend on what else the machine does as
rates do; every post may go and nearly every one is of another author, which is the dearest batch there is.
The comparison is one post a request, beside batches.
"""

import argparse
import asyncio
import contextlib
import itertools
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import engines
from bench.batches import a_request
from bench.consumption import Consumption, bytes_in, seconds_of, seconds_of_family
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.console.credentials import PIPELINE, token_source
from services.console.installation import SERVICES, StateFolder
from sluice.licensing.v1.release_service_pb2 import DecideRequest, Outcome
from sluice_gate.client import LicensingClient
from tests.support import postgres
from tests.support.fleet import Fleet
from tests.support.platforms import known_subjects

POSTS_OF = {1: 2_000, 100: 100_000, 1_000: 600_000, 10_000: 800_000}
"""How many are decided on, by the size of a batch; a license has room for a million."""
QUICK_SHARE = 20
WARM_UP_SHARE = 10
IN_FLIGHT = 8
ACCOUNTS = 20_000
MILLION, DAY_SECONDS, GB, MB = 1_000_000, 86_400, 10**9, 10**6
LOADS = (1, 10, 100, 1_000)
"""Millions of posts a day."""
LEAST, COPIES, AROUND = 2, 3, 3
"""Processes of a service at least; instances of each database, one of which is written to; cores of gateways
and collectors. As in deploy/kubernetes/overlays/production."""
ARCHIVED_DAYS, DAYS_A_MONTH = 7, 30
"""Of the write-ahead log, beside one base backup; days that are paid for."""
PEAK, USABLE = 3.0, 0.6
"""The busiest hour against the mean, and how far a processor is loaded before answers become slow."""
DATABASE, ROWS, WAL, LOG = "PostgreSQL", "rows and indexes", "write-ahead log", "folder of the log"


@dataclass(frozen=True)
class Prices:
    """What a provider asks a month, in some money: they differ, and the defaults are no one's."""

    core_month: float
    """For one core with its memory."""
    gb_month: float
    """For a gigabyte of disk."""


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizing", description="What a million posts take.")
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK_SHARE}th of the posts")
    parser.add_argument("--core-month", type=float, default=30.0, help="price of a core, default 30")
    parser.add_argument("--gb-month", type=float, default=0.12, help="price of a GB of disk, default 0.12")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about = machine()
    measured = asyncio.run(measure(QUICK_SHARE if options.quick else 1))
    prices = Prices(options.core_month, options.gb_month)
    taken = Report("what a million posts take", "postgresql", "posts at once", about, figures(measured))
    needed = Report(
        f"what so many a day need: peak {PEAK:g} times the mean, processors loaded to {USABLE:.0%}, "
        f"{prices.core_month:g} a core and {prices.gb_month:g} a GB a month",
        "postgresql", "million posts a day", about, needs(measured, prices),
    )  # fmt: skip
    for report in (taken, needed):
        report.print()
    if options.json:
        everything = [*taken.figures, *needed.figures]
        Report(taken.title, taken.engine, taken.sizes_of, about, everything).write(options.json)


async def measure(share: int) -> dict[int, Consumption]:
    """What a million posts take, by the size of a batch."""
    found = {}
    async with a_stand() as stand:
        for batch, posts in POSTS_OF.items():
            say(f"deciding on {batch:,} posts at a time")
            decisions = max(posts // share // batch, IN_FLIGHT)
            license_id = await stand.license()
            await stand.decide(license_id, batch, max(decisions // WARM_UP_SHARE, 2))
            before = stand.consumption()
            await stand.decide(license_id, batch, decisions)
            found[batch] = _a_million(stand.consumption() - before, decisions * batch)
    return found


def figures(measured: dict[int, Consumption]) -> list[Figure]:
    """As they were measured, and how many times dearer one post a request is."""
    told = []
    for batch, used in measured.items():
        one = measured[1]
        for who, seconds in used.seconds.items():
            told.append(Figure(f"processor, {who}", seconds, "s", batch))
        whole, whole_of_one = sum(used.seconds.values()), sum(one.seconds.values())
        told.append(Figure("processors in all", whole, "s", batch))
        told.append(Figure("  one post a request", whole_of_one, "s", batch, whole_of_one / whole))
        told += [Figure(what, size / MB, "MB", batch) for what, size in used.bytes.items()]
    return told


def needs(measured: dict[int, Consumption], prices: Prices) -> list[Figure]:
    """Processes and cores for the peak, disk that a year fills, and their price, by load and batch."""
    told = []
    for load, (batch, used) in itertools.product(LOADS, measured.items()):
        cores = {who: seconds * load / DAY_SECONDS * PEAK / USABLE for who, seconds in used.seconds.items()}
        # A process is one event loop, which fills one core; with fewer than two a restart is a gap.
        processes = {name: max(LEAST, math.ceil(cores[name])) for name in SERVICES}
        servers = COPIES * max(len(SERVICES), math.ceil(cores[DATABASE]))
        rows, a_year = used.bytes[ROWS] * load, 365 / GB
        archive = rows * a_year + used.bytes[WAL] * load * ARCHIVED_DAYS / GB
        disk = COPIES * rows * a_year + used.bytes[LOG] * load * a_year + archive
        paid = (sum(processes.values()) + servers + AROUND) * prices.core_month + disk * prices.gb_month
        at = f"{batch:,} at once"
        told += [
            Figure(f"{at}: processes of licensing", processes["licensing"], "", load),
            Figure(
                f"{at}: of consent and metering", sum(processes.values()) - processes["licensing"], "", load
            ),
            Figure(f"{at}: cores of PostgreSQL", servers, "", load),
            Figure(f"{at}: disk after a year, backups too", disk, "GB", load),
            Figure(f"{at}: a month with that disk", paid, "money", load),
            Figure(f"{at}: for a million posts", paid / (load * DAYS_A_MONTH), "money", load),
        ]
    return told


class Stand:
    """The services over one server, and a caller."""

    def __init__(self, fleet: Fleet, server: postgres.PostgresServer, log: Path) -> None:
        self._fleet = fleet
        self._server = server
        self._log = log
        self._next_post, self._licenses = itertools.count(1), itertools.count(1)
        self._client = LicensingClient(fleet.address("licensing"), token_source(fleet.state, None, PIPELINE))

    async def license(self) -> str:
        """A fresh one, with room for a million posts."""
        name = f"sizing-{next(self._licenses)}"
        await self._fleet.license(name)
        return name

    async def decide(self, license_id: str, batch: int, decisions: int) -> None:
        """Has so many taken and confirmed, some at a time."""
        left = iter(range(decisions))
        delivered = np.packbits(np.ones(batch, bool), bitorder="little").tobytes()

        async def ask() -> None:
            for _ in left:
                decision = await self._client.decide(self._request(license_id, batch))
                assert decision.outcome == Outcome.OUTCOME_RELEASED, decision.outcome
                await self._client.confirm(decision.decision_id, delivered)

        await asyncio.gather(*(ask() for _ in range(IN_FLIGHT)))

    def consumption(self) -> Consumption:
        """Until now, since the processes began."""
        seconds = {name: seconds_of(self._fleet.pid(name)) for name in SERVICES}
        ((rows,),) = self._server.execute("SELECT sum(pg_database_size(oid))::bigint FROM pg_database")
        ((wal,),) = self._server.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        return Consumption(
            {**seconds, DATABASE: seconds_of_family(self._server.pid)},
            {ROWS: rows, WAL: wal, LOG: bytes_in(self._log)},
        )

    async def close(self) -> None:
        """Ends the caller."""
        await self._client.close()

    def _request(self, license_id: str, batch: int) -> DecideRequest:
        first = next(self._next_post) * 10_000
        authors = (np.arange(first, first + batch, dtype="<u8") * 7 % ACCOUNTS + 1).astype("<u8")
        return a_request(self._fleet.new_id(), license_id, first, authors)


@contextlib.asynccontextmanager
async def a_stand() -> AsyncIterator[Stand]:
    """One that is ready; server, services and files are gone afterwards."""
    with engines.a_disk_server(max_wal_size="4GB") as (folder, server):
        kept = {"head_dir": str(folder / "heads")}
        settings = {name: {"database_url": server.new_database(), **kept} for name in SERVICES}
        # Permits outlive the slowest batch, so that each decision is confirmed in time.
        settings["consent"] |= {"permit_seconds": "30"}
        log = folder / "log"
        settings["licensing"] |= {
            "permit_seconds": "30", "sweep_age_seconds": "60", "peer_deadline_seconds": "5",
            "log_dir": str(log),
        }  # fmt: skip
        fleet = Fleet(StateFolder(folder / "state"), settings)
        await fleet.start()
        try:
            await fleet.publish_policy()
            await known_subjects(fleet, folder / "subjects.csv", ACCOUNTS)
            stand = Stand(fleet, server, log)
            yield stand
            await stand.close()
        finally:
            await fleet.stop()


def _a_million(used: Consumption, posts: int) -> Consumption:
    return Consumption(
        {who: seconds * MILLION / posts for who, seconds in used.seconds.items()},
        {what: size * MILLION // posts for what, size in used.bytes.items()},
    )


if __name__ == "__main__":
    main()
