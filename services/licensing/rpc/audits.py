"""Audits over gRPC."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from services.chassis.serving import Bolt
from services.licensing.auditing import Auditor
from services.licensing.domain.audits.findings import Step
from sluice.licensing.v1 import audit_service_pb2 as pb
from sluice.licensing.v1 import audit_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.AuditService"


class AuditServicer(pb_grpc.AuditServiceServicer):
    """`sluice.licensing.v1.AuditService`."""

    def __init__(self, auditor: Auditor) -> None:
        self._auditor = auditor

    async def AuditLedger(  # noqa: N802
        self, request: pb.AuditLedgerRequest, context: Any
    ) -> AsyncIterator[pb.AuditLedgerResponse]:
        """Check by check."""
        # Closed with this call: nobody goes on reading for a caller who has gone away.
        async with contextlib.aclosing(self._auditor.steps(request.after_number)) as steps:
            async for step in steps:
                yield step_message(step)


def bolt(auditor: Auditor) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_AuditServiceServicer_to_server, AuditServicer(auditor), FULL_NAME)


def step_message(step: Step) -> pb.AuditLedgerResponse:
    """One check, as it starts, goes on or is done."""
    return pb.AuditLedgerResponse(
        check=step.check,
        step=cast(pb.LedgerAuditStep, int(step.stage)),
        compared=step.compared,
        differences=[
            pb.AuditLedgerResponse.Difference(subject=each.subject, expected=each.expected, found=each.found)
            for each in step.differences
        ],
        difference_count=step.difference_count,
    )
