"""The log of receipts, measured: `python -m bench.ledger`.

Beside each figure, in the same run, what it would cost otherwise: a tree that is hashed anew, proofs from all
leaves, receipts that are checked one by one; and the commits of decisions while nobody publishes.
"""

import argparse
import asyncio
import random
import statistics
import time
from pathlib import Path

from sqlalchemy import Connection, text

from bench.engines import ENGINES, a_database
from bench.recording import add_receipts
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.licensing.domain.log.proofs import inclusion
from services.licensing.domain.log.trees import Node, receipt_leaf_hash
from services.licensing.domain.merkle import root_of
from services.licensing.proving import InclusionProof, Prover
from services.licensing.publishing import Publisher
from services.licensing.storage.log import LogStore
from sluice_gate.verifying.tiles import verify_log_folder
from sluice_gate.verifying.trees import check_inclusion
from tests.support.clock import NOON_US
from tests.support.licensing import licensing_database_at
from tests.support.logs import the_log
from tests.support.published import Signatures, publisher_of, shown_in

RECEIPTS, QUICK_RECEIPTS = 500_000, 5_000
ROWS_AT_ONCE, PROOFS, GROUPS, GROUP = 5_000, 500, 200, 10
"""Rows of one commit of the loader; proofs that are timed; commits under load, and the receipts of each."""
PAUSE_SECONDS, LOOK_SECONDS = 0.04, 0.01
"""Between commits under load, which makes some 200 receipts a second; and between looks at the age."""
AGE_AIM_S = 1.0


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description="Measures the log.")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--receipts", type=int, default=RECEIPTS, help=f"default {RECEIPTS:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RECEIPTS:,} receipts")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    receipts = QUICK_RECEIPTS if options.quick else options.receipts
    figures = asyncio.run(measured(options.engine, receipts))
    report = Report("the log", options.engine, "receipts", machine(), figures)
    report.print()
    if options.json:
        report.write(options.json)


async def measured(engine: str, receipts: int) -> list[Figure]:
    """All figures for a log of so many receipts."""
    with a_database(engine) as (folder, url):
        database = licensing_database_at(url)
        log = folder / "log"
        say("putting receipts on record")
        for at in range(0, receipts, ROWS_AT_ONCE):
            add_receipts(database, min(ROWS_AT_ONCE, receipts - at), NOON_US)
        if database.dialect == "postgresql":
            database.write_now(lambda connection: connection.execute(text("ANALYZE")))
        publisher = publisher_of(LogStore(database), log, Signatures(), SystemClock())
        prover = Prover(LogStore(database), shown_in(LogStore(database), log))
        figures = [
            *await appending(database, publisher, receipts),
            *await proving(database, prover, receipts),
            *await verifying(database, prover, log, receipts),
            *await under_load(database, publisher, receipts),
        ]
        await database.close()
    return figures


async def appending(database: Database, publisher: Publisher, receipts: int) -> list[Figure]:
    """All that wait, and then a single one more."""
    say("publishing")
    started = time.perf_counter()
    while await publisher.publish():
        continue
    all_seconds = time.perf_counter() - started
    ones = []
    for _ in range(5):
        add_receipts(database, 1, NOON_US)
        started = time.perf_counter()
        await publisher.publish()
        ones.append(time.perf_counter() - started)
    say("hashing the tree anew")
    started = time.perf_counter()
    root = root_of(leaf_hashes(database))
    anew = time.perf_counter() - started
    newest = await LogStore(database).newest()
    assert newest is not None
    assert newest.head.root == root
    one = statistics.median(ones)
    return [
        Figure("appended, of a backlog", receipts / all_seconds, "receipts/s", receipts),
        Figure("one receipt more, signed and in the folder", one * 1e3, "ms", receipts),
        Figure("  the tree hashed anew", anew * 1e3, "ms", receipts, anew / one),
    ]


async def proving(database: Database, prover: Prover, receipts: int) -> list[Figure]:
    """Proofs of receipts anywhere; one of them from all leaves."""
    say("proving")
    chance, taken = random.Random(7), list[float]()
    for _ in range(PROOFS):
        number = chance.randint(1, receipts)
        started = time.perf_counter()
        proof = await proof_of(prover, number)
        taken.append(time.perf_counter() - started)
    started = time.perf_counter()
    leaves = leaf_hashes(database)

    def hash_of(node: Node) -> bytes:
        return root_of(leaves[node.index << node.level : (node.index + 1) << node.level])

    slow = inclusion(number - 1, len(leaves), len(leaves)).proof(hash_of)
    slow_seconds = time.perf_counter() - started
    assert slow == proof.hashes
    median = statistics.median(taken)
    return [
        Figure("inclusion proof", median * 1e3, "ms", receipts),
        Figure("  from all leaves", slow_seconds * 1e3, "ms", receipts, slow_seconds / median),
    ]


async def verifying(database: Database, prover: Prover, log: Path, receipts: int) -> list[Figure]:
    """A copy computed again whole, and some receipts shown to be in it, each by a proof of its own."""
    say("verifying")
    started = time.perf_counter()
    checkpoint = verify_log_folder(log, the_log())
    whole = time.perf_counter() - started
    leaves = leaf_hashes(database)
    numbers = random.Random(8).sample(range(1, receipts + 1), PROOFS)
    proofs = [await proof_of(prover, number) for number in numbers]
    started = time.perf_counter()
    for number, proof in zip(numbers, proofs, strict=True):
        leaf = leaves[number - 1]
        check_inclusion(leaf, number - 1, checkpoint.size, checkpoint.root, proof.hashes)
    each = (time.perf_counter() - started) / PROOFS
    per_leaf = whole / checkpoint.size
    return [
        Figure("the whole log, computed again from its folder", whole, "s", receipts),
        Figure("a leaf of it", per_leaf * 1e6, "us", receipts),
        Figure("  by an inclusion proof that is there", each * 1e6, "us", receipts, each / per_leaf),
    ]


async def under_load(database: Database, publisher: Publisher, receipts: int) -> list[Figure]:
    """How long receipts wait for a checkpoint while others come, and what the commits of these take."""
    say("putting receipts on record while nobody publishes")
    alone = await commits(database)
    while await publisher.publish():
        continue
    say("putting receipts on record while the log is published")
    publishing, ages = asyncio.create_task(publisher.run()), list[float]()
    looking = asyncio.create_task(look(publisher, ages))
    beside = await commits(database)
    for task in (publishing, looking):
        task.cancel()
    await asyncio.gather(publishing, looking, return_exceptions=True)
    return [
        Figure("oldest receipt without a checkpoint, at most", max(ages), "s", receipts, aim=AGE_AIM_S),
        Figure(f"commit of {GROUP} receipts, 95th percentile", beside * 1e3, "ms", receipts),
        Figure("  with nobody publishing", alone * 1e3, "ms", receipts, alone / beside),
    ]


async def commits(database: Database) -> float:
    """The 95th percentile of the seconds of some commits, with pauses between them."""
    taken = list[float]()
    for _ in range(GROUPS):
        started = time.perf_counter()
        await asyncio.to_thread(add_receipts, database, GROUP, SystemClock().now_us())
        taken.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE_SECONDS)
    return statistics.quantiles(taken, n=20)[-1]


async def look(publisher: Publisher, ages: list[float]) -> None:
    """Notes the figure that licensing tells, until it is cancelled."""
    while True:
        ages.append(publisher.uncovered_seconds())
        await asyncio.sleep(LOOK_SECONDS)


async def proof_of(prover: Prover, number: int) -> InclusionProof:
    """As an operator gets it, without the call."""
    return await prover.inclusion(number, 0, "operator", "bench")


def leaf_hashes(database: Database) -> list[bytes]:
    """Those of all receipts."""
    query = text("SELECT receipt FROM decisions ORDER BY number")

    def read(connection: Connection) -> list[bytes]:
        rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
        return [receipt_leaf_hash(receipt) for (receipt,) in rows]

    return database.read_now(read)


if __name__ == "__main__":
    main()
