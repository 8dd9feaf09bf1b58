"""Questions for decisions as messages, and what is told of each."""

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.timestamps import time_us
from services.licensing.domain.releases import Outcome
from services.licensing.listing import Page, Summary, Wanted
from services.licensing.rpc.contracts import page_token
from sluice.licensing.v1 import release_service_pb2 as pb

DEFAULT_PAGE_SIZE = 50


def wanted_of(request: pb.ListDecisionsRequest) -> Wanted:
    """Which decisions are asked for; raises Refusal INVALID_REQUEST for what is no time."""
    return Wanted(
        licensee_id=request.licensee_id or None,
        license_id=request.license_id or None,
        outcome=Outcome(request.outcome) if request.outcome else None,
        since_us=_time_us(request, "since"),
        until_us=_time_us(request, "until"),
        request_id=request.request_id or None,
        number=request.receipt_number or None,
    )


def list_message(page: Page) -> pb.ListDecisionsResponse:
    """A page."""
    return pb.ListDecisionsResponse(
        decisions=[_summary_message(summary) for summary in page.summaries],
        next_page_token="" if page.below is None else page_token(str(page.below)),
    )


def _summary_message(summary: Summary) -> pb.DecisionSummary:
    message = pb.DecisionSummary(
        decision_id=summary.decision_id,
        receipt_number=summary.number,
        request_id=summary.request_id,
        asked_by=summary.asked_by,
        licensee_id=summary.licensee_id,
        license_id=summary.license_id,
        license_version=summary.license_version,
        purpose=summary.purpose,  # type: ignore[arg-type]  # an open enum: any number can be asked for
        outcome=f"OUTCOME_{summary.outcome.name}",
        posts_asked=summary.posts_asked,
        posts_released=summary.posts_released,
        trace_id=summary.trace_id,
    )
    message.decided_at.FromMicroseconds(summary.decided_at_us)
    return message


def _time_us(request: pb.ListDecisionsRequest, name: str) -> int | None:
    time: Timestamp = getattr(request, name)
    return time_us(time, name) if request.HasField(name) else None
