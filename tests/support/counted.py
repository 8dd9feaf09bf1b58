"""Decisions of many sorts in licensing's ledger, to be counted."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.licensing.domain.reasons import COARSE, Reason
from services.licensing.domain.releases import Outcome, outcome_of
from services.licensing.domain.statistics import MINUTE_US, Stretch
from services.licensing.statistics import Question
from services.licensing.storage.head import lock_head, take_number
from services.licensing.storage.ledger_tables import DecisionRow
from tests.support.clock import NOON_US

HOUR_US = 60 * MINUTE_US
REASONS = [Reason.RELEASED, Reason.CHOICE_DENIES, Reason.KIND_NOT_LICENSED, Reason.FAULT_ID, Reason.NO_ROOM]
DECISIONS = DecisionRow.metadata.tables["decisions"]


@dataclass(frozen=True)
class Made:
    """A decision, as a slow count sees it."""

    decided_at_us: int
    licensee_id: str
    purpose: int
    reasons: tuple[Reason, ...]

    @property
    def outcome(self) -> Outcome:
        """By its posts."""
        return outcome_of(COARSE[np.array(self.reasons, np.uint8)])


def some(chance: random.Random, count: int) -> list[Made]:
    """Decisions in about two days, not in the order of their times: a clock may go back."""
    return [
        Made(
            NOON_US + chance.randrange(0, 48 * HOUR_US, 7 * MINUTE_US // 2),
            chance.choice(["acme", "acme-2", "a.b", "beta"]),
            chance.choice([2, 5, 99, -5]),
            tuple(chance.choices(REASONS, k=chance.randint(1, 4))),
        )
        for _ in range(count)
    ]


def values(made: Made, number: int) -> dict[str, Any]:
    """Its row of the ledger."""
    id = uuid7(made.decided_at_us)
    posts = len(made.reasons)
    return {
        "decision_id": id,
        "number": number,
        "principal": "firehose",
        "principal_kind": "pipeline",
        "request_id": id,
        "fingerprint": bytes(32),
        "licensee_id": made.licensee_id,
        "license_id": "license-1",
        "license_version": 1,
        "terms_digest": bytes(32),
        "purpose": made.purpose,
        "outcome": int(made.outcome),
        "reasons": bytes(made.reasons),
        "kinds": bytes(posts),
        "media_flags": bytes(posts),
        "salt": bytes(32),
        "decided_at_us": made.decided_at_us,
        "room_retry_is_exact": False,
        "room_never_fits": False,
        "trace_id": "",
        "receipt": "",
    }


def record(database: Database, decisions: Sequence[Made]) -> None:
    """Writes them into the ledger, each with the next number."""

    def unit(connection: Connection) -> None:
        lock_head(connection)
        for made in decisions:
            connection.execute(insert(DECISIONS), values(made, take_number(connection)))

    database.write_now(unit)


def question(stretch: Stretch = Stretch.HOUR, limit: int = 500, **fields: Any) -> Question:
    """All counts by the hour unless said."""
    unset = dict.fromkeys(("since_us", "until_us", "licensee_id", "after"))
    return Question(stretch=stretch, limit=limit, **{**unset, **fields})
