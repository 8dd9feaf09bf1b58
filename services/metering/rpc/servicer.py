"""MeteringService as gRPC sees it: requests become values of the domain, and answers messages again."""

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.metering.meter import Meter
from services.metering.rpc.answers import recorded, reservation_message, reserved, rooms_message
from services.metering.rpc.requests import canonical, counts, page_token, place, time_us, wanted
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2_grpc

SERVICE = "sluice.metering.v1.MeteringService"
HOLDS_A_PAGE = 100
"""Holds on a page when the caller does not say."""
UNUSED_ID = ""
"""Of a reservation that is only asked about: no reservation has it."""

_Context: TypeAlias = ServicerContext[Any, Any]


class MeteringServicer(metering_service_pb2_grpc.MeteringServiceServicer):
    """Translates between the contract and the meter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def Reserve(self, request: pb.ReserveRequest, context: _Context) -> pb.ReserveResponse:  # noqa: N802
        """Holds room in all the allowances, or in none, or as far as it goes."""
        asked = wanted(request.reservation_id, request.claim, delivered=False)
        return reserved(await self._meter.reserve(asked))

    async def CheckRoom(self, request: pb.CheckRoomRequest, context: _Context) -> pb.CheckRoomResponse:  # noqa: N802
        """What Reserve would answer now."""
        asked = wanted(UNUSED_ID, request.claim, delivered=False)
        return rooms_message(await self._meter.rooms(asked))

    async def Record(self, request: pb.RecordRequest, context: _Context) -> pb.RecordResponse:  # noqa: N802
        """Counts at once for good."""
        asked = wanted(request.reservation_id, request.claim, delivered=True)
        return recorded(await self._meter.reserve(asked))

    async def Settle(self, request: pb.SettleRequest, context: _Context) -> pb.SettleResponse:  # noqa: N802
        """Counts what was delivered and frees the rest."""
        reservation_id = canonical(request.reservation_id)
        settled = await self._meter.settle(reservation_id, counts(request.delivered, "delivered"))
        return pb.SettleResponse(reservation=reservation_message(settled))

    async def Cancel(self, request: pb.CancelRequest, context: _Context) -> pb.CancelResponse:  # noqa: N802
        """Frees a hold."""
        cancelled = await self._meter.cancel(canonical(request.reservation_id))
        return pb.CancelResponse(reservation=reservation_message(cancelled))

    async def ListHolds(self, request: pb.ListHoldsRequest, context: _Context) -> pb.ListHoldsResponse:  # noqa: N802
        """Old holds, page by page."""
        before = request.counted_before
        before_us = time_us(before, "counted_before") if request.HasField("counted_before") else None
        after = place(request.page_token) if request.page_token else None
        holds, following = await self._meter.holds(before_us, after, request.page_size or HOLDS_A_PAGE)
        return pb.ListHoldsResponse(
            holds=[reservation_message(hold) for hold in holds],
            next_page_token=page_token(following) if following else "",
        )

    async def GetReservation(  # noqa: N802
        self, request: pb.GetReservationRequest, context: _Context
    ) -> pb.GetReservationResponse:
        """One reservation."""
        found = await self._meter.reservation(canonical(request.reservation_id))
        return pb.GetReservationResponse(reservation=reservation_message(found))
