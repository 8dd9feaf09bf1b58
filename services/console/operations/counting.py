"""How many decisions and posts there were, a row for each stretch of time, of however many licensees."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from services.chassis.dialing import Peer
from services.console.stats import By
from sluice.licensing.v1 import statistics_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.statistics_service_pb2_grpc import StatisticsServiceStub

PAGE = 500
LENGTHS_US = {By.MINUTE: 60_000_000, By.HOUR: 3_600_000_000, By.DAY: 86_400_000_000}


@dataclass(frozen=True)
class Counted:
    """Rows by time."""

    rows: Sequence[pb.DecisionStats]
    as_of: int
    """The receipt number up to which every decision is counted."""


@dataclass
class Stretch:
    """Decisions and posts of one stretch of time, whoever they were for."""

    since_us: int
    """Where it begins, microseconds UTC."""
    released: int = 0
    partial: int = 0
    denied: int = 0
    """Decisions by outcome."""
    posts_released: int = 0
    posts_denied: Counter[int] = field(default_factory=Counter)
    """Posts by exact Reason."""

    @property
    def decisions(self) -> int:
        """All of them."""
        return self.released + self.partial + self.denied

    def add(self, row: pb.DecisionStats) -> None:
        """Counts a row in."""
        self.released += row.decisions_released
        self.partial += row.decisions_partial
        self.denied += row.decisions_denied
        for count in row.posts:
            if count.verdict == Verdict.VERDICT_RELEASED:
                self.posts_released += count.posts
            else:
                self.posts_denied[count.reason] += count.posts


async def count(licensing: Peer, by: By, since_us: int, until_us: int, licensee_id: str = "") -> Counted:
    """The rows from the stretch of `since_us` to that of the moment before `until_us`. Raises Refusal."""
    request = pb.GetDecisionStatsRequest(
        by=f"STATS_STRETCH_{by.name}", licensee_id=licensee_id, together=True, page_size=PAGE
    )
    request.since.FromMicroseconds(since_us)
    request.until.FromMicroseconds(until_us)
    stub, rows = StatisticsServiceStub(licensing.channel), list[pb.DecisionStats]()
    while True:
        page = await licensing.call(stub.GetDecisionStats, request)
        rows += page.rows
        if not page.next_page_token:
            return Counted(rows, page.as_of_receipt_number)
        request.page_token = page.next_page_token


def stretches(rows: Iterable[pb.DecisionStats], by: By, since_us: int, until_us: int) -> list[Stretch]:
    """Every stretch from that of `since_us` to that of the moment before `until_us`, also the empty ones."""
    length_us = LENGTHS_US[by]
    first, after = since_us // length_us, -(-until_us // length_us)
    found = {place * length_us: Stretch(place * length_us) for place in range(first, after)}
    for row in rows:
        if (stretch := found.get(row.since.ToMicroseconds())) is not None:
            stretch.add(row)
    return list(found.values())


def total(rows: Iterable[pb.DecisionStats], since_us: int) -> Stretch:
    """All rows together."""
    found = Stretch(since_us)
    for row in rows:
        found.add(row)
    return found
