"""DamagesService as gRPC sees it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.replays import checked_replay_key
from services.metering.assessor import Assessor
from services.metering.rpc import damages_messages as messages
from services.metering.rpc.evidence_messages import evidence_messages
from services.metering.rpc.requests import number_of, number_token
from services.metering.rpc.usage_messages import whose
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceServicer

SERVICE = "sluice.metering.v1.DamagesService"
A_PAGE = 100
"""Policies or assessments on a page when the caller does not say."""
A_PIECE = 1024 * 1024
"""Bytes of a document in a message, but for the last."""

_Context: TypeAlias = ServicerContext[Any, Any]


class DamagesServicer(DamagesServiceServicer):
    """Translates between the contract and the assessor.

    What may be large is translated on a thread: others are answered meanwhile.
    """

    def __init__(self, assessor: Assessor, clock: Clock) -> None:
        self._assessor = assessor
        self._clock = clock

    async def PutDamagesPolicy(  # noqa: N802
        self, request: pb.PutDamagesPolicyRequest, context: _Context
    ) -> pb.PutDamagesPolicyResponse:
        """Puts a version on record."""
        key = checked_replay_key("PutDamagesPolicy", request, self._clock.now_us())
        return messages.put_response(
            *await self._assessor.put_policy(messages.policy_of(request.policy), key)
        )

    async def ListDamagesPolicies(  # noqa: N802
        self, request: pb.ListDamagesPoliciesRequest, context: _Context
    ) -> pb.ListDamagesPoliciesResponse:
        """The versions, page by page."""
        before, size = number_of(request.page_token), request.page_size or A_PAGE
        versions, following = await self._assessor.versions(before, size)
        return pb.ListDamagesPoliciesResponse(
            policies=[messages.version_message(each) for each in versions],
            next_page_token=number_token(following),
        )

    async def PreviewAssessment(  # noqa: N802
        self, request: pb.PreviewAssessmentRequest, context: _Context
    ) -> AsyncIterator[pb.PreviewAssessmentResponse]:
        """Step by step, and then in parts."""
        async with aclosing(self._assessor.preview(messages.scope_of(request.scope))) as steps:
            async for step in steps:
                for message in await asyncio.to_thread(messages.preview_messages, step):
                    yield message

    async def RecordAssessment(  # noqa: N802
        self, request: pb.RecordAssessmentRequest, context: _Context
    ) -> AsyncIterator[pb.RecordAssessmentResponse]:
        """Step by step, and then on record."""
        key = checked_replay_key("RecordAssessment", request, self._clock.now_us())
        async with aclosing(self._assessor.record(messages.scope_of(request.scope), key)) as steps:
            async for step in steps:
                for message in await asyncio.to_thread(messages.record_messages, step):
                    yield message

    async def GetAssessment(  # noqa: N802
        self, request: pb.GetAssessmentRequest, context: _Context
    ) -> AsyncIterator[pb.GetAssessmentResponse]:
        """One, part by part."""
        found = await self._assessor.get(request.assessment_id)
        for message in await asyncio.to_thread(messages.get_messages, found):
            yield message

    async def ReadDocument(  # noqa: N802
        self, request: pb.ReadDocumentRequest, context: _Context
    ) -> AsyncIterator[pb.ReadDocumentResponse]:
        """What was digested, piece by piece."""
        document = (await self._assessor.get(request.assessment_id)).document
        for begin in range(0, len(document), A_PIECE):
            yield pb.ReadDocumentResponse(piece=document[begin : begin + A_PIECE])

    async def ListAssessments(  # noqa: N802
        self, request: pb.ListAssessmentsRequest, context: _Context
    ) -> pb.ListAssessmentsResponse:
        """Those on record, page by page."""
        of = whose(request.of) if request.HasField("of") else None
        before, size = number_of(request.page_token), request.page_size or A_PAGE
        found, following = await self._assessor.list(of, before, size)
        return pb.ListAssessmentsResponse(
            assessments=[messages.listed_message(each) for each in found],
            next_page_token=number_token(following),
        )

    async def ReadEvidence(  # noqa: N802
        self, request: pb.ReadEvidenceRequest, context: _Context
    ) -> AsyncIterator[pb.ReadEvidenceResponse]:
        """Chunk by chunk, each in as many messages as it takes."""
        async with aclosing(self._assessor.evidence(request.assessment_id)) as chunks:
            async for rows in chunks:
                for message in await asyncio.to_thread(evidence_messages, rows):
                    yield message
