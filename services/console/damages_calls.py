"""What commands and pages ask metering about assessments on record. Each call raises Refusal."""

from services.chassis.dialing import Peer
from services.chassis.refusals import Kind, Refusal
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub


async def assessment_of(metering: Peer, assessment_id: str) -> Assessment:
    """The whole; raises Refusal (ASSESSMENT_UNKNOWN, and others)."""
    request, found = pb.GetAssessmentRequest(assessment_id=assessment_id), Assessment()
    async with metering.open(DamagesServiceStub(metering.channel).GetAssessment, request) as parts:
        async for part in parts:
            found.MergeFrom(part.assessment)
    return found


async def in_short(metering: Peer, assessment_id: str) -> Assessment:
    """Its first part, which has every field that is not repeated; of the others not all.

    Raises Refusal (ASSESSMENT_UNKNOWN, and others; internal, ANSWER_MALFORMED where there is no part).
    """
    request = pb.GetAssessmentRequest(assessment_id=assessment_id)
    async with metering.open(DamagesServiceStub(metering.channel).GetAssessment, request) as parts:
        async for part in parts:
            return part.assessment
    raise Refusal(Kind.INTERNAL, "ANSWER_MALFORMED", "metering sent an assessment without any part")


async def document_of(metering: Peer, assessment_id: str) -> bytes:
    """That its digest is of; raises Refusal (ASSESSMENT_UNKNOWN, and others)."""
    request = pb.ReadDocumentRequest(assessment_id=assessment_id)
    async with metering.open(DamagesServiceStub(metering.channel).ReadDocument, request) as pieces:
        return b"".join([each.piece async for each in pieces])
