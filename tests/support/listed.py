"""Decisions of many sorts in licensing's ledger, to be looked for; and what a slow look finds."""

import random
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, insert

from services.chassis.database import Database
from services.licensing.domain.reasons import Reason
from services.licensing.listing import Summary, Wanted
from services.licensing.storage.head import lock_head, take_number
from tests.support.clock import NOON_US
from tests.support.counted import DECISIONS, HOUR_US, REASONS, Made, values

LARGEST = 2**63 - 1
LICENSEES = ["acme", "acme-2", "beta"]
LICENSES = ["acme-training", "acme-search", "beta-1"]
REQUESTS = [f"019a0000-0000-7000-8000-00000000000{digit}" for digit in range(6)]
TIMES = [NOON_US + hour * HOUR_US for hour in range(6)]


def some(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """Rows without numbers, not in the order of their times: a clock may go back."""
    return [_one(chance) for _ in range(count)]


def _one(chance: random.Random) -> dict[str, Any]:
    reasons = tuple(chance.choices(REASONS, k=chance.randint(1, 4)))
    made = Made(chance.choice(TIMES), chance.choice(LICENSEES), chance.choice([2, 99, -5]), reasons)
    # As a release before billing wrote it, now and then: nothing is counted.
    is_counted = chance.random() < 0.8
    return values(made, 0) | {
        # Of another one each time: an id is used once by each.
        "principal": f"job-{chance.getrandbits(64):x}",
        "request_id": chance.choice(REQUESTS),
        "license_id": chance.choice(LICENSES),
        "license_version": chance.randint(1, 3),
        "trace_id": f"{chance.getrandbits(128):032x}",
        "posts_released": reasons.count(Reason.RELEASED) if is_counted else 0,
        "recorded_at_us": made.decided_at_us if is_counted else 0,
        "outcome": made.outcome,
    }


def record(database: Database, rows: Sequence[dict[str, Any]]) -> list[Summary]:
    """Writes them into the ledger, each with the next number; what is to be told of each."""

    def unit(connection: Connection) -> list[Summary]:
        lock_head(connection)
        numbered = [row | {"number": take_number(connection)} for row in rows]
        for row in numbered:
            connection.execute(insert(DECISIONS), row)
        return [_told(row) for row in numbered]

    return database.write_now(unit)


def _told(row: dict[str, Any]) -> Summary:
    return Summary(
        decision_id=row["decision_id"],
        number=row["number"],
        request_id=row["request_id"],
        asked_by=f"pipeline:{row['principal']}",
        licensee_id=row["licensee_id"],
        license_id=row["license_id"],
        license_version=row["license_version"],
        purpose=row["purpose"],
        outcome=row["outcome"],
        posts_asked=len(row["reasons"]),
        posts_released=row["reasons"].count(int(Reason.RELEASED)),
        decided_at_us=row["decided_at_us"],
        trace_id=row["trace_id"],
    )


def slowly(summaries: Sequence[Summary], wanted: Wanted) -> list[Summary]:
    """Every decision looked at, the newest first."""
    return [each for each in sorted(summaries, key=lambda each: -each.number) if _is_wanted(each, wanted)]


def _is_wanted(told: Summary, wanted: Wanted) -> bool:
    return (
        wanted.licensee_id in (None, told.licensee_id)
        and wanted.license_id in (None, told.license_id)
        and wanted.outcome in (None, told.outcome)
        and wanted.request_id in (None, told.request_id)
        and wanted.number in (None, told.number)
        and (wanted.since_us is None or told.decided_at_us >= wanted.since_us)
        and (wanted.until_us is None or told.decided_at_us < wanted.until_us)
    )
