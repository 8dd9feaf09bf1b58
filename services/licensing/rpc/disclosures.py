"""Who got whose posts, over gRPC."""

from typing import Any

from services.chassis.clock import Clock
from services.chassis.identity import current_principal
from services.chassis.replays import checked_replay_key
from services.chassis.serving import Bolt
from services.licensing.disclosing import Disclosures, Page
from services.licensing.domain.disclosures import SubjectRecall, SubjectRelease, Sum
from services.licensing.indexing import Index
from services.licensing.rpc.contracts import page_token, page_token_invalid, read_page_token
from services.licensing.rpc.recall_messages import recall_message
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1 import disclosure_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.DisclosureService"
DEFAULT_PAGE_SIZE = 20
LARGEST_NUMBER = 2**63 - 1
"""Receipts are numbered with 64 bits in the database."""


class DisclosureServicer(pb_grpc.DisclosureServiceServicer):
    """`sluice.licensing.v1.DisclosureService`."""

    def __init__(self, disclosures: Disclosures, index: Index, clock: Clock) -> None:
        self._disclosures = disclosures
        self._index = index
        self._clock = clock

    async def ListSubjectReleases(  # noqa: N802
        self, request: pb.ListSubjectReleasesRequest, context: Any
    ) -> pb.ListSubjectReleasesResponse:
        """A page of releases."""
        below, limit = number_below(request.page_token), request.page_size or DEFAULT_PAGE_SIZE
        if not is_own(request.subject_id):
            return pb.ListSubjectReleasesResponse()
        page = await self._disclosures.page(request.subject_id, below, limit)
        return pb.ListSubjectReleasesResponse(
            releases=[release_message(release) for release in page.releases], next_page_token=next_token(page)
        )

    async def GetSubjectSummary(  # noqa: N802
        self, request: pb.GetSubjectSummaryRequest, context: Any
    ) -> pb.GetSubjectSummaryResponse:
        """The sums of a subject."""
        if not is_own(request.subject_id):
            return pb.GetSubjectSummaryResponse()
        sums = await self._disclosures.summary(request.subject_id)
        return pb.GetSubjectSummaryResponse(sums=[sum_message(sum) for sum in sums])

    async def RebuildReleaseIndex(  # noqa: N802
        self, request: pb.RebuildReleaseIndexRequest, context: Any
    ) -> pb.RebuildReleaseIndexResponse:
        """Has the index made anew."""
        now_us = self._clock.now_us()
        key = checked_replay_key("RebuildReleaseIndex", request, now_us)
        return pb.RebuildReleaseIndexResponse(up_to_receipt_number=await self._index.drop(key, now_us))


def bolt(disclosures: Disclosures, index: Index, clock: Clock) -> Bolt:
    """The service, ready to be served."""
    servicer = DisclosureServicer(disclosures, index, clock)
    return Bolt(pb_grpc.add_DisclosureServiceServicer_to_server, servicer, FULL_NAME)


def is_own(subject_id: int) -> bool:
    """Whether the caller may see what is the subject's: a subject sees their own alone, an agent of those it
    acts for.
    """
    return current_principal().reaches(subject_id)


def next_token(page: Page) -> str:
    """The token of the page that follows; empty where none does."""
    return page_token(str(page.releases[-1].number)) if page.more else ""


def number_below(token: str) -> int:
    """Below which receipt number the page begins; raises Refusal PAGE_TOKEN_INVALID."""
    last = read_page_token(token)
    if not last:
        return LARGEST_NUMBER
    if not (last.isdecimal() and str(int(last[:20])) == last and int(last) <= LARGEST_NUMBER):
        raise page_token_invalid()
    return int(last)


def release_message(release: SubjectRelease) -> pb.SubjectRelease:
    """One release."""
    message = pb.SubjectRelease(
        decision_id=release.decision_id,
        receipt_number=release.number,
        licensee_id=release.licensee_id,
        licensee_name=release.licensee_name,
        license_id=release.license_id,
        purpose=release.purpose,  # type: ignore[arg-type]  # an open enum: any number can be asked for
        delivery=int(release.state),  # type: ignore[arg-type]  # the numbers are the same
        posts=len(release.posts),
        posts_delivered=release.arrived.delivered,
        posts_undelivered=release.arrived.undelivered,
        posts_unconfirmed=release.arrived.unconfirmed,
        post_ids=release.posts.astype("<u8", copy=False).tobytes(),
        receipt=release.receipt,
        recalls=[subject_recall_message(recall) for recall in release.recalls],
    )
    message.decided_at.FromMicroseconds(release.decided_at_us)
    return message


def subject_recall_message(told: SubjectRecall) -> pb.SubjectRecall:
    """A recall of the subject's posts, without whoever answered it."""
    recall = recall_message(told.recall)
    return pb.SubjectRecall(
        recall_id=recall.recall_id,
        state=recall.state,
        issued_at=recall.issued_at,
        due_at=recall.due_at,
        resolved_at=recall.resolution.resolved_at if recall.HasField("resolution") else None,
        posts=told.posts,
    )


def sum_message(sum: Sum) -> pb.SubjectReleaseSum:
    """The sums of one licensee and purpose."""
    message = pb.SubjectReleaseSum(
        licensee_id=sum.licensee_id,
        licensee_name=sum.licensee_name,
        purpose=sum.purpose,  # type: ignore[arg-type]  # as above
        releases=sum.releases,
        posts=sum.arrived.posts,
        posts_delivered=sum.arrived.delivered,
        posts_undelivered=sum.arrived.undelivered,
        posts_unconfirmed=sum.arrived.unconfirmed,
    )
    message.first_decided_at.FromMicroseconds(sum.first_decided_at_us)
    message.last_decided_at.FromMicroseconds(sum.last_decided_at_us)
    return message
