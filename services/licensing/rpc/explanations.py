"""Explanations over gRPC."""

from typing import Any

from services.chassis.serving import Bolt
from services.licensing.domain.explanations import Explanation
from services.licensing.explaining import Explainer
from services.licensing.rpc.batches import batch_of
from services.licensing.rpc.decision_messages import room_denial_message
from sluice.licensing.v1 import explanation_service_pb2 as pb
from sluice.licensing.v1 import explanation_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.ExplanationService"


class ExplanationServicer(pb_grpc.ExplanationServiceServicer):
    """`sluice.licensing.v1.ExplanationService`."""

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer

    async def ExplainRelease(  # noqa: N802
        self, request: pb.ExplainReleaseRequest, context: Any
    ) -> pb.ExplainReleaseResponse:
        """What Decide would answer, and why."""
        return explanation_message(await self._explainer.explain(batch_of(request), request.license_version))


def bolt(explainer: Explainer) -> Bolt:
    """The service, ready to be served."""
    servicer = ExplanationServicer(explainer)
    return Bolt(pb_grpc.add_ExplanationServiceServicer_to_server, servicer, FULL_NAME)


def explanation_message(explanation: Explanation) -> pb.ExplainReleaseResponse:
    """The answer."""
    consent, license = explanation.consent, explanation.license
    message = pb.ExplainReleaseResponse(
        reasons=explanation.reasons.tobytes(),
        all_reasons=explanation.all_reasons.astype("<u8").tobytes(),
        license_version=explanation.version,
        license_state=f"LICENSE_STATE_{license.effective_state(explanation.judged_at_us).name}",
        policy_version=consent.policy_version,
        allowances=[
            pb.AllowanceStanding(allowance=each.allowance, limit=each.limit, used=each.used)
            for each in explanation.standings
        ],
    )
    message.consent_revision.epoch = consent.revision.epoch
    message.consent_revision.number = consent.revision.number
    message.explained_at.FromMicroseconds(explanation.judged_at_us)
    if explanation.no_room is not None:
        message.room_denial.CopyFrom(room_denial_message(explanation.no_room))
    return message
