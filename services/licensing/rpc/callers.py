"""Who a caller is, over gRPC: what their token says, as this service reads it."""

from typing import Any

from services.chassis.identity import current_principal
from services.chassis.serving import Bolt
from services.chassis.timestamps import END_US
from sluice.licensing.v1 import caller_service_pb2 as pb
from sluice.licensing.v1 import caller_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.CallerService"


class CallerServicer(pb_grpc.CallerServiceServicer):
    """`sluice.licensing.v1.CallerService`."""

    async def GetCaller(self, request: pb.GetCallerRequest, context: Any) -> pb.GetCallerResponse:  # noqa: N802
        principal = current_principal()
        response = pb.GetCallerResponse(
            kind=principal.kind, party=principal.party, roles=sorted(principal.roles)
        )
        # A token may say that it ends later than any time that can be told.
        response.expires_at.FromMicroseconds(min(principal.expires_us, END_US - 1))
        return response


def bolt() -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_CallerServiceServicer_to_server, CallerServicer(), FULL_NAME)
