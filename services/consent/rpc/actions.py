"""ActionService as gRPC sees it."""

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.action_messages import page_fields, wanted
from services.chassis.action_rows import SqlActions
from services.chassis.identity import current_principal
from services.chassis.serving import Bolt
from sluice.consent.v1 import action_service_pb2 as pb
from sluice.consent.v1 import action_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.consent.v1.ActionService"

_Context: TypeAlias = ServicerContext[Any, Any]


class ActionServicer(pb_grpc.ActionServiceServicer):
    """`sluice.consent.v1.ActionService`."""

    def __init__(self, actions: SqlActions) -> None:
        self._actions = actions

    async def ListActions(  # noqa: N802
        self, request: pb.ListActionsRequest, context: _Context
    ) -> pb.ListActionsResponse:
        """Entries, page by page."""
        page = await self._actions.page(wanted(request))
        return pb.ListActionsResponse(**page_fields(page, current_principal().kind))


def bolt(actions: SqlActions) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_ActionServiceServicer_to_server, ActionServicer(actions), FULL_NAME)
