"""Counts of decisions over gRPC."""

from collections import Counter
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.clock import Clock
from services.chassis.identity import PrincipalKind, current_principal
from services.chassis.refusals import Refusal, invalid
from services.chassis.replays import checked_replay_key
from services.chassis.serving import Bolt
from services.licensing.domain.reasons import COARSE
from services.licensing.domain.releases import Outcome
from services.licensing.domain.statistics import Place, Row, Stretch
from services.licensing.rpc.contracts import page_token, read_page_token
from services.licensing.statistics import Question, Sums
from sluice.licensing.v1 import statistics_service_pb2 as pb
from sluice.licensing.v1 import statistics_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.StatisticsService"
DEFAULT_PAGE_SIZE = 100
FARTHEST_US = 2**62
"""Times beyond are as good as there, and a stretch that begins there has an end that a database can hold."""
_STRETCHES = {
    pb.STATS_STRETCH_UNSPECIFIED: Stretch.DAY,
    pb.STATS_STRETCH_MINUTE: Stretch.MINUTE,
    pb.STATS_STRETCH_HOUR: Stretch.HOUR,
    pb.STATS_STRETCH_DAY: Stretch.DAY,
}


class StatisticsServicer(pb_grpc.StatisticsServiceServicer):
    """`sluice.licensing.v1.StatisticsService`."""

    def __init__(self, sums: Sums, clock: Clock) -> None:
        self._sums = sums
        self._clock = clock

    async def GetDecisionStats(  # noqa: N802
        self, request: pb.GetDecisionStatsRequest, context: Any
    ) -> pb.GetDecisionStatsResponse:
        """A page of counts."""
        page = await self._sums.page(question_of(request))
        coarse = current_principal().kind is PrincipalKind.AUDITOR
        return pb.GetDecisionStatsResponse(
            rows=[stats_message(row, coarse=coarse) for row in page.rows],
            next_page_token=place_token(page.rows[-1].place) if page.more else "",
            as_of_receipt_number=page.as_of_number,
        )

    async def RebuildDecisionStats(  # noqa: N802
        self, request: pb.RebuildDecisionStatsRequest, context: Any
    ) -> pb.RebuildDecisionStatsResponse:
        """Has the sums made anew."""
        now_us = self._clock.now_us()
        key = checked_replay_key("RebuildDecisionStats", request, now_us)
        return pb.RebuildDecisionStatsResponse(up_to_receipt_number=await self._sums.drop(key, now_us))


def bolt(sums: Sums, clock: Clock) -> Bolt:
    """The service, ready to be served."""
    servicer = StatisticsServicer(sums, clock)
    return Bolt(pb_grpc.add_StatisticsServiceServicer_to_server, servicer, FULL_NAME)


def question_of(request: pb.GetDecisionStatsRequest) -> Question:
    """What is asked, whole stretches of time; raises Refusal PAGE_TOKEN_INVALID."""
    stretch = _STRETCHES[request.by]
    after = place_of(request.page_token) if request.page_token else None
    # Rows of another sort would be left out or told twice.
    if after is not None and request.together == bool(after.licensee_id):
        raise _not_of_a_page()
    return Question(
        stretch=stretch,
        since_us=stretch.begin(_time_us(request.since)) if request.HasField("since") else None,
        until_us=stretch.end(_time_us(request.until)) if request.HasField("until") else None,
        licensee_id=request.licensee_id or None,
        after=after,
        limit=request.page_size or DEFAULT_PAGE_SIZE,
        together=request.together,
    )


def place_token(place: Place) -> str:
    """The token of the page that begins after a place."""
    return page_token(f"{place.since_us} {place.licensee_id} {place.purpose}")


def place_of(token: str) -> Place:
    """The place that `place_token` made the token of; raises Refusal PAGE_TOKEN_INVALID."""
    try:
        since_us, licensee_id, purpose = read_page_token(token).split(" ")
        place = Place(int(since_us), licensee_id, int(purpose))
    except ValueError as error:
        raise _not_of_a_page() from error
    # Another way to write a number is none that we gave, and the database may not hold such a number.
    if place_token(place) != token or abs(place.since_us) > FARTHEST_US or not _is_int32(place.purpose):
        raise _not_of_a_page()
    return place


def _not_of_a_page() -> Refusal:
    return invalid("PAGE_TOKEN_INVALID", "this is no token of an earlier page", field="page_token")


def _is_int32(number: int) -> bool:
    """Whether an open enum can have it, and so a decision: any number can be asked for."""
    return -(2**31) <= number < 2**31


def stats_message(row: Row, *, coarse: bool) -> pb.DecisionStats:
    """One row; `coarse` leaves the exact reasons out."""
    message = pb.DecisionStats(
        licensee_id=row.place.licensee_id,
        purpose=row.place.purpose,  # type: ignore[arg-type]  # an open enum: any number can be asked for
        decisions_released=row.decisions[Outcome.RELEASED],
        decisions_partial=row.decisions[Outcome.PARTIAL],
        decisions_denied=row.decisions[Outcome.DENIED],
        posts=_coarsely(row.posts) if coarse else _exactly(row.posts),
    )
    message.since.FromMicroseconds(row.place.since_us)
    return message


def _exactly(posts: Counter[int]) -> list[pb.PostCount]:
    found = sorted((int(COARSE[reason]), reason, count) for reason, count in posts.items())
    return [
        pb.PostCount(verdict=verdict, reason=reason, posts=count)  # type: ignore[arg-type]
        for verdict, reason, count in found
    ]


def _coarsely(posts: Counter[int]) -> list[pb.PostCount]:
    together: Counter[int] = Counter()
    for reason, count in posts.items():
        together[int(COARSE[reason])] += count
    return [
        pb.PostCount(verdict=verdict, posts=count)  # type: ignore[arg-type]
        for verdict, count in sorted(together.items())
    ]


def _time_us(time: Timestamp) -> int:
    time_us = time.seconds * 1_000_000 + time.nanos // 1_000
    return max(-FARTHEST_US, min(time_us, FARTHEST_US))
