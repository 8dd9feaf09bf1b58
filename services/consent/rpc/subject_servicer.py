"""SubjectService as gRPC sees it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.replays import checked_replay_key
from services.consent.custodian import Custodian
from services.consent.domain.dossiers import Controller
from services.consent.rpc import documents, records, requests
from sluice.consent.v1 import subject_service_pb2 as pb
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceServicer

SERVICE = "sluice.consent.v1.SubjectService"

_Context: TypeAlias = ServicerContext[Any, Any]


class SubjectServicer(SubjectServiceServicer):
    """Translates between the contract and the recipes."""

    def __init__(self, custodian: Custodian, controller: Controller | None, clock: Clock) -> None:
        """`controller`: whose platform it is; None where no setting says so."""
        self._custodian = custodian
        self._controller = controller
        self._clock = clock

    async def ExportSubject(  # noqa: N802
        self, request: pb.ExportSubjectRequest, context: _Context
    ) -> AsyncIterator[pb.ExportSubjectResponse]:
        """The document, in parts."""
        requests.check_own(request.subject_id)
        dossier = await self._custodian.dossier(request.subject_id)
        # A long history takes a while to write, in which others are to be answered.
        document = await asyncio.to_thread(documents.document, dossier, request.format, self._controller)
        for part in documents.parts(document):
            yield part

    async def EraseSubject(  # noqa: N802
        self, request: pb.EraseSubjectRequest, context: _Context
    ) -> pb.EraseSubjectResponse:
        """For good."""
        key = checked_replay_key("EraseSubject", request, self._clock.now_us())
        return records.erased(await self._custodian.erase(request.subject_id, key))
