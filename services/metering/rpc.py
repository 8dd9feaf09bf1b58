"""MeteringService as gRPC sees it: requests become values of the domain, and answers messages again."""

import base64
import binascii
import struct
from collections.abc import Iterable
from typing import Any, TypeAlias

from google.protobuf.timestamp_pb2 import Timestamp
from grpc.aio import ServicerContext

from services.chassis.identity import AdmissionTable, PrincipalKind, admit
from services.chassis.refusals import invalid
from services.metering.domain.allowances import Allowance, AllowanceKey, NoRoom, Scope, in_locking_order
from services.metering.domain.reservations import (
    ContentCount,
    Counts,
    Place,
    Reservation,
    Revision,
    State,
    Wanted,
    in_order,
)
from services.metering.domain.windows import Window
from services.metering.meter import Answer, Meter
from sluice.metering.v1 import allowance_pb2, metering_service_pb2, metering_service_pb2_grpc
from sluice.type.v1 import revision_pb2, window_pb2

SERVICE = "sluice.metering.v1.MeteringService"
HOLDS_A_PAGE = 100
"""Holds on a page when the caller does not say."""

# Only licensing counts: it alone knows which attempt can still conclude (M2).
_WRITERS = admit(PrincipalKind.SERVICE)
_READERS = admit(PrincipalKind.SERVICE, PrincipalKind.OPERATOR, PrincipalKind.AUDITOR)
ADMISSIONS: AdmissionTable = {
    f"/{SERVICE}/Reserve": _WRITERS,
    f"/{SERVICE}/Settle": _WRITERS,
    f"/{SERVICE}/Cancel": _WRITERS,
    f"/{SERVICE}/ListHolds": _READERS,
    f"/{SERVICE}/GetReservation": _READERS,
}

_STATES = {
    State.HELD: metering_service_pb2.RESERVATION_STATE_HELD,
    State.SETTLED: metering_service_pb2.RESERVATION_STATE_SETTLED,
    State.CANCELLED: metering_service_pb2.RESERVATION_STATE_CANCELLED,
    State.NO_ROOM: metering_service_pb2.RESERVATION_STATE_NO_ROOM,
}
_SCOPES = {
    Scope.LICENSE: allowance_pb2.ALLOWANCE_SCOPE_LICENSE,
    Scope.LICENSEE: allowance_pb2.ALLOWANCE_SCOPE_LICENSEE,
}
_WINDOWS = {
    Window.SECOND: window_pb2.WINDOW_SECOND,
    Window.MINUTE: window_pb2.WINDOW_MINUTE,
    Window.ROLLING_DAY: window_pb2.WINDOW_ROLLING_DAY,
    Window.TERM: window_pb2.WINDOW_TERM,
}
_PLACE = struct.Struct(">qq")
_Context: TypeAlias = ServicerContext[Any, Any]


class MeteringServicer(metering_service_pb2_grpc.MeteringServiceServicer):
    """Translates between the contract and the meter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def Reserve(  # noqa: N802
        self, request: metering_service_pb2.ReserveRequest, context: _Context
    ) -> metering_service_pb2.ReserveResponse:
        """Holds room in all the allowances, or in none."""
        return _reserve_response(await self._meter.reserve(_wanted(request)))

    async def Settle(  # noqa: N802
        self, request: metering_service_pb2.SettleRequest, context: _Context
    ) -> metering_service_pb2.SettleResponse:
        """Counts what was delivered and frees the rest."""
        reservation_id = _canonical(request.reservation_id)
        settled = await self._meter.settle(reservation_id, _counts(request.delivered, "delivered"))
        return metering_service_pb2.SettleResponse(reservation=_reservation(settled))

    async def Cancel(  # noqa: N802
        self, request: metering_service_pb2.CancelRequest, context: _Context
    ) -> metering_service_pb2.CancelResponse:
        """Frees a hold."""
        cancelled = await self._meter.cancel(_canonical(request.reservation_id))
        return metering_service_pb2.CancelResponse(reservation=_reservation(cancelled))

    async def ListHolds(  # noqa: N802
        self, request: metering_service_pb2.ListHoldsRequest, context: _Context
    ) -> metering_service_pb2.ListHoldsResponse:
        """Old holds, page by page."""
        before_us = _time_us(request.counted_before) if request.HasField("counted_before") else None
        after = _place(request.page_token) if request.page_token else None
        holds, following = await self._meter.holds(before_us, after, request.page_size or HOLDS_A_PAGE)
        return metering_service_pb2.ListHoldsResponse(
            holds=[_reservation(hold) for hold in holds],
            next_page_token=_page_token(following) if following else "",
        )

    async def GetReservation(  # noqa: N802
        self, request: metering_service_pb2.GetReservationRequest, context: _Context
    ) -> metering_service_pb2.GetReservationResponse:
        """One reservation."""
        reservation = await self._meter.reservation(_canonical(request.reservation_id))
        return metering_service_pb2.GetReservationResponse(reservation=_reservation(reservation))


def _wanted(request: metering_service_pb2.ReserveRequest) -> Wanted:
    return Wanted(
        reservation_id=_canonical(request.reservation_id),
        request_key=request.request_key,
        party_id=request.party_id,
        counts=_counts(request.counts, "counts"),
        allowances=in_locking_order(_allowance(given) for given in request.allowances),
    )


def _canonical(reservation_id: str) -> str:
    """Two spellings of one id would be two reservations, so there is only one spelling."""
    if reservation_id != reservation_id.lower():
        raise invalid("INVALID_REQUEST", "a UUID is written in lower case", field="reservation_id")
    return reservation_id


def _counts(counts: Iterable[metering_service_pb2.ContentCount], field: str) -> Counts:
    return in_order((ContentCount(count.kind, count.media_flags, count.posts) for count in counts), field)


def _allowance(given: allowance_pb2.Allowance) -> Allowance:
    return Allowance(AllowanceKey(Scope(given.scope), given.id, Window(given.window)), given.limit)


def _time_us(timestamp: Timestamp) -> int:
    try:
        return timestamp.ToMicroseconds()
    except ValueError as error:
        raise invalid("INVALID_REQUEST", "this is no time", field="counted_before") from error


def _page_token(place: Place) -> str:
    return base64.urlsafe_b64encode(_PLACE.pack(place.counted_at_us, place.number)).decode()


def _place(page_token: str) -> Place:
    try:
        return Place(*_PLACE.unpack(base64.b64decode(page_token, altchars=b"-_", validate=True)))
    except (binascii.Error, ValueError, struct.error) as error:
        raise invalid("PAGE_TOKEN_INVALID", "no answer gave this page token", field="page_token") from error


def _reserve_response(answer: Answer) -> metering_service_pb2.ReserveResponse:
    reservation = answer.reservation
    return metering_service_pb2.ReserveResponse(
        state=_STATES[reservation.state],
        counted_at=_timestamp(reservation.counted_at_us),
        no_room=_no_room(reservation.no_room) if reservation.no_room else None,
        rival_reservation_ids=reservation.rivals,
        revision=_revision(answer.revision),
    )


def _no_room(obstacle: NoRoom) -> metering_service_pb2.NoRoom:
    key, wait = obstacle.allowance.key, obstacle.shortfall
    return metering_service_pb2.NoRoom(
        allowance=allowance_pb2.Allowance(
            scope=_SCOPES[key.scope],
            id=key.id,
            window=_WINDOWS[key.window],
            limit=obstacle.allowance.limit,
        ),
        used=obstacle.used,
        held=obstacle.held,
        retry_at=_timestamp(wait.retry_at_us),
        retry_at_is_exact=wait.exact,
        never_fits=wait.never,
    )


def _reservation(reservation: Reservation) -> metering_service_pb2.Reservation:
    return metering_service_pb2.Reservation(
        reservation_id=reservation.wanted.reservation_id,
        request_key=reservation.wanted.request_key,
        party_id=reservation.wanted.party_id,
        state=_STATES[reservation.state],
        counted_at=_timestamp(reservation.counted_at_us),
        posts_reserved=reservation.posts_reserved,
        posts_settled=reservation.posts_settled,
        posts_freed=reservation.posts_freed,
    )


def _revision(revision: Revision) -> revision_pb2.Revision:
    return revision_pb2.Revision(epoch=revision.epoch, number=revision.number)


def _timestamp(time_us: int | None) -> Timestamp | None:
    if time_us is None:
        return None
    timestamp = Timestamp()
    timestamp.FromMicroseconds(time_us)
    return timestamp
