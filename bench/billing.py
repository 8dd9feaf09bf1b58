"""Billing over millions of decisions, measured: `python -m bench.billing`.

Beside the sum that a draft rests on, in the same run: every decision's reasons read and counted, as if
nothing were kept for billing.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import numpy as np
from sqlalchemy import Connection, text

from bench.engines import ENGINES, a_database
from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.bulk import Insertion
from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.replays import ReplayKey
from services.licensing.billing import BillingDesk
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.periods import Period, periods_between
from services.licensing.domain.pricing.prices import BillingPeriod, Charge, PerUnit, Price
from services.licensing.domain.reasons import Reason
from services.licensing.storage.billing import BillingRows, BillingStore
from services.licensing.storage.head import lock_group
from services.licensing.storage.known import remembering
from tests.support.clock import ManualClock
from tests.support.licensing import a_digest, some_terms

SCHEMA = Path(__file__).resolve().parents[1] / "services" / "licensing" / "schema"
DECISIONS, QUICK_DECISIONS = 1_000_000, 20_000
SECONDS_AIM = 5.0
"""For the draft of a period with a million decisions, with its correction of the period before."""
POSTS, CONFIRMED, SHORT = 100, 0.98, 0.05
"""Posts of a batch; shares of decisions that were confirmed, and of these with fewer posts than released."""
RECEIPT_BYTES = 700
ROWS_AT_ONCE, TIMES, HOUR_US = 20_000, 3, 3_600_000_000
LICENSE_ID = "license-1"
PRICE = Price(
    "USD", 2, BillingPeriod.MONTH, "America/New_York", (Charge("posts", PerUnit(Decimal("0.001"))),)
)
BEGIN_US, END_US = 1_761_969_600_000_000, 1_767_243_600_000_000
"""November and December of 2025 in New York; the first is invoiced before the second is drafted."""

_DECISIONS = Insertion(
    "decisions",
    {
        "decision_id": "text",
        "number": "bigint",
        "principal": "text",
        "principal_kind": "text",
        "request_id": "text",
        "fingerprint": "bytea",
        "licensee_id": "text",
        "license_id": "text",
        "license_version": "integer",
        "terms_digest": "bytea",
        "purpose": "integer",
        "outcome": "integer",
        "reasons": "bytea",
        "kinds": "bytea",
        "media_flags": "bytea",
        "salt": "bytea",
        "counted_at_us": "bigint",
        "decided_at_us": "bigint",
        "room_retry_is_exact": "boolean",
        "room_never_fits": "boolean",
        "trace_id": "text",
        "receipt": "text",
        "posts_released": "integer",
        "recorded_at_us": "bigint",
    },
)
_CONFIRMATIONS = Insertion(
    "confirmations",
    {
        "decision_id": "text",
        "delivered": "bytea",
        "posts": "integer",
        "confirmed_at_us": "bigint",
        "license_id": "text",
        "counted_at_us": "bigint",
        "undelivered": "integer",
        "recorded_at_us": "bigint",
    },
)
_LICENSE = (
    "INSERT INTO licensees VALUES ('licensee-1', 'Licensee', 'operator:bench', 0)",
    "INSERT INTO licenses (license_id, licensee_id, version, state, terms, terms_digest, created_at_us,"
    " state_changed_at_us, state_reason, effective_from_us)"
    " VALUES (:license, 'licensee-1', 1, 2, :terms, :digest, 0, 0, '', :since)",
    "INSERT INTO license_versions (license_id, version, terms, terms_digest, created_at_us, created_by,"
    " reason, effective_from_us) VALUES (:license, 1, :terms, :digest, 0, 'operator:bench', '', :since)",
)
_BLOBS = text(
    "SELECT d.reasons, c.posts FROM decisions AS d LEFT JOIN confirmations AS c USING (decision_id)"
    " WHERE d.license_id = :license AND d.counted_at_us >= :since AND d.counted_at_us < :until"
)

T = TypeVar("T")


@dataclass(frozen=True)
class Timed:
    """What a call gave, and the median of its times in seconds."""

    result: object
    seconds: float


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.billing", description="Measures billing.")
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--decisions", type=int, default=DECISIONS, help=f"a month; default {DECISIONS:,}")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_DECISIONS:,} decisions")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    decisions = QUICK_DECISIONS if options.quick else options.decisions
    figures = measured(options.engine, decisions)
    report = Report("billing", options.engine, "decisions a month", machine(), figures)
    report.print()
    if options.json:
        report.write(options.json)


def measured(engine: str, decisions: int) -> list[Figure]:
    """All figures for so many decisions of one license in each of two months."""
    with a_database(engine) as (_, url):
        database = Database.open(
            url, schema_dir=SCHEMA, name="licensing", lock=lock_group, options=remembering()
        )
        before, month = periods_between(BEGIN_US, END_US, PRICE.period, PRICE.time_zone)
        say("putting decisions on record")
        started = time.perf_counter()
        load(database, (before, month), decisions)
        loaded = time.perf_counter() - started
        say("adding up a month")
        sums = timed(lambda: database.read_now(lambda connection: by_sums(connection, month)))
        say("reading the reasons of every decision")
        blobs = timed(lambda: database.read_now(lambda connection: by_blobs(connection, month)))
        assert sums.result == blobs.result, "both count the same"
        say("drafting")
        drafted = asyncio.run(draft(database, (before, month)))
        database.close_now()
    aim = SECONDS_AIM if decisions >= DECISIONS else None
    return [
        Figure("posts of a month, added up", sums.seconds * 1e3, "ms", decisions),
        Figure("  every decision read", blobs.seconds * 1e3, "ms", decisions, blobs.seconds / sums.seconds),
        Figure("draft of a month with a correction", drafted, "s", decisions, aim=aim),
        Figure("decisions and confirmations loaded", loaded, "s", decisions),
    ]


def timed(call: Callable[[], T]) -> Timed:
    """The last result of some calls."""
    seconds = list[float]()
    for _ in range(TIMES):
        started = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - started)
    return Timed(result, statistics.median(seconds))


def by_sums(connection: Connection, month: Period) -> int:
    """As a draft does."""
    return BillingRows(connection, lambda _: None).billed_posts(
        LICENSE_ID, month.start_us, month.end_us, 2 * END_US
    )


def by_blobs(connection: Connection, month: Period) -> int:
    """From the reasons of every decision and its confirmation."""
    given = {"license": LICENSE_ID, "since": month.start_us, "until": month.end_us}
    posts = 0
    for reasons, confirmed in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(_BLOBS, given):
        released = int(np.count_nonzero(np.frombuffer(reasons, np.uint8) == Reason.RELEASED))
        posts += released if confirmed is None else confirmed
    return posts


async def draft(database: Database, periods: tuple[Period, Period]) -> float:
    """Invoices the first month and drafts the second; how long the draft took, in seconds."""
    clock = ManualClock(END_US + HOUR_US)
    # The clock of the bench is not that of the server.
    desk = BillingDesk(BillingStore(database, lambda _: None), clock, lambda: uuid7(clock.now_us()), 0)
    before, month = periods
    records = list[BillRecord]()

    def keep(record: BillRecord) -> bytes:
        records.append(record)
        return b""

    def key(operation: str) -> ReplayKey:
        return ReplayKey("operator:bench", operation, uuid7(clock.now_us()), bytes(32))

    await desk.draft(LICENSE_ID, before.label, before.end_us + HOUR_US, key("Draft"), keep)
    await desk.finalize(records[-1].bill_id, records[-1].digest, key("Finalize"), keep)
    started = time.perf_counter()
    await desk.draft(LICENSE_ID, month.label, None, key("Draft"), keep)
    seconds = time.perf_counter() - started
    assert {line.period for line in records[-1].bill.lines} == {before, month}
    return seconds


def load(database: Database, periods: tuple[Period, Period], decisions: int) -> None:
    """A license, and decisions spread evenly over its months."""
    terms = some_terms(price=PRICE, term_from_us=BEGIN_US, term_until_us=END_US)
    given = {
        "license": LICENSE_ID,
        "terms": terms.document().decode(),
        "digest": a_digest(terms.document().decode()),
        "since": BEGIN_US,
    }
    for statement in map(text, _LICENSE):
        database.write_now(lambda connection, it=statement: connection.execute(it, given))  # type: ignore[misc]
    random = np.random.default_rng(7)
    for index, month in enumerate(periods):
        times = np.linspace(month.start_us, month.end_us - 1, decisions, dtype=np.int64)
        for at in range(0, decisions, ROWS_AT_ONCE):
            some, first = times[at : at + ROWS_AT_ONCE].tolist(), index * decisions + at + 1
            database.write_now(lambda connection, f=first, s=some: _put(connection, f, s, random))  # type: ignore[misc]
    if database.dialect == "postgresql":
        database.write_now(lambda connection: connection.execute(text("ANALYZE")))


def _put(connection: Connection, first: int, times: list[int], random: np.random.Generator) -> None:
    released = random.integers(1, POSTS + 1, len(times)).tolist()
    shares, blank, receipt = random.random((3, len(times))), bytes(32), "r" * RECEIPT_BYTES
    decisions, confirmations = list[tuple[object, ...]](), list[tuple[object, ...]]()
    for place, (time_us, posts) in enumerate(zip(times, released, strict=True)):
        number = first + place
        id, late = f"{number:036d}", shares[2][place] < CONFIRMED / POSTS
        reasons = bytes([Reason.RELEASED] * posts + [Reason.CHOICE_DENIES] * (POSTS - posts))
        asked = (id, number, "firehose", "pipeline", id, blank)
        under = ("licensee-1", LICENSE_ID, 1, blank, 2, 2)
        said = (reasons, bytes(POSTS), bytes(POSTS), blank, time_us, time_us)
        decisions.append((*asked, *under, *said, False, False, "", receipt, posts, time_us))
        if shares[0][place] < CONFIRMED:
            delivered = posts - int(shares[1][place] < SHORT)
            # A few after the month was invoiced: they are corrected on the next invoice.
            at_us = min(END_US, time_us + 35 * 24 * HOUR_US) if late else time_us + 1_000_000
            confirmations.append(
                (id, bytes(POSTS // 8 + 1), delivered, at_us, LICENSE_ID, time_us, posts - delivered, at_us)
            )
    _DECISIONS.run(connection, decisions)
    _CONFIRMATIONS.run(connection, confirmations)


if __name__ == "__main__":
    main()
