"""MeteringService as gRPC sees it: requests become values of the domain, and answers messages again."""

from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.metering.meter import Meter
from services.metering.rpc.answers import (
    recorded,
    reservation_message,
    reserved,
    revision_message,
    rooms_message,
)
from services.metering.rpc.requests import (
    canonical,
    counts,
    number_of,
    number_token,
    optional_us,
    page_token,
    place,
    wanted,
)
from sluice.metering.v1 import metering_service_pb2 as pb
from sluice.metering.v1 import metering_service_pb2_grpc

SERVICE = "sluice.metering.v1.MeteringService"
A_PAGE = 100
"""Holds or reservations on a page when the caller does not say."""
BEFORE_ALL = 0
"""Lower than every number that the head gives."""
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

    async def ReduceHold(self, request: pb.ReduceHoldRequest, context: _Context) -> pb.ReduceHoldResponse:  # noqa: N802
        """Frees what is not kept of a hold."""
        reservation_id = canonical(request.reservation_id)
        reduced = await self._meter.reduce(reservation_id, counts(request.keep, "keep"))
        return pb.ReduceHoldResponse(reservation=reservation_message(reduced))

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
        before_us = optional_us(request, "counted_before")
        after = place(request.page_token) if request.page_token else None
        holds, following = await self._meter.holds(before_us, after, request.page_size or A_PAGE)
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

    async def GetReservations(  # noqa: N802
        self, request: pb.GetReservationsRequest, context: _Context
    ) -> pb.GetReservationsResponse:
        """Those that there are."""
        ids = [canonical(id, f"reservation_ids[{index}]") for index, id in enumerate(request.reservation_ids)]
        found, revision = await self._meter.reservations(ids)
        return pb.GetReservationsResponse(
            reservations=map(reservation_message, found), revision=revision_message(revision)
        )

    async def ListReservations(  # noqa: N802
        self, request: pb.ListReservationsRequest, context: _Context
    ) -> pb.ListReservationsResponse:
        """All of them, page by page."""
        after = await self._after(request)
        before_us = optional_us(request, "counted_before")
        page = await self._meter.page(after, before_us, request.page_size or A_PAGE)
        return pb.ListReservationsResponse(
            reservations=map(reservation_message, page.reservations),
            next_page_token=number_token(page.following),
            revision=revision_message(page.revision),
        )

    async def _after(self, request: pb.ListReservationsRequest) -> int:
        """The number that a page begins after."""
        if request.page_token:
            return number_of(request.page_token)
        if not request.after_reservation_id:
            return BEFORE_ALL
        last = await self._meter.reservation(canonical(request.after_reservation_id, "after_reservation_id"))
        return last.number
