"""Answers as messages of the contract."""

from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp

from services.metering.domain.allowances import Allowance, NoRoom
from services.metering.domain.postings import Answer
from services.metering.domain.reservations import Counts, Reservation, Revision, State
from services.metering.domain.rooms import Room, Rooms
from services.metering.rpc.requests import WINDOWS_US
from sluice.metering.v1 import access_pb2, allowance_pb2, metering_service_pb2
from sluice.type.v1 import content_pb2, revision_pb2

_STATES = {
    State.HELD: metering_service_pb2.RESERVATION_STATE_HELD,
    State.SETTLED: metering_service_pb2.RESERVATION_STATE_SETTLED,
    State.CANCELLED: metering_service_pb2.RESERVATION_STATE_CANCELLED,
    State.NO_ROOM: metering_service_pb2.RESERVATION_STATE_NO_ROOM,
}
_WINDOWS = {window_us: window for window, window_us in WINDOWS_US.items()}


def reserved(answer: Answer) -> metering_service_pb2.ReserveResponse:
    """What became of a Reserve."""
    reservation = answer.reservation
    return metering_service_pb2.ReserveResponse(
        state=_STATES[reservation.state],
        counted_at=timestamp(reservation.counted_at_us),
        no_room=_no_room(reservation.no_room),
        rival_reservation_ids=reservation.rivals,
        revision=revision_message(answer.revision),
        held=_counts(reservation.reserved),
    )


def recorded(answer: Answer) -> metering_service_pb2.RecordResponse:
    """What became of a Record."""
    reservation = answer.reservation
    return metering_service_pb2.RecordResponse(
        state=_STATES[reservation.state],
        counted_at=timestamp(reservation.counted_at_us),
        no_room=_no_room(reservation.no_room),
        counted=_counts(reservation.settled),
        revision=revision_message(answer.revision),
    )


def rooms_message(rooms: Rooms) -> metering_service_pb2.CheckRoomResponse:
    """What a Reserve would come to."""
    return metering_service_pb2.CheckRoomResponse(
        posts_that_fit=rooms.posts_that_fit,
        no_room=_no_room(rooms.no_room),
        rooms=[room_message(room) for room in rooms.rooms],
        checked_at=timestamp(rooms.at_us),
        revision=revision_message(rooms.revision),
    )


def room_message(room: Room) -> allowance_pb2.AllowanceRoom:
    """How one allowance stands."""
    return allowance_pb2.AllowanceRoom(
        allowance=_allowance(room.allowance), used=room.tally.used, held=room.tally.held
    )


def reservation_message(reservation: Reservation) -> metering_service_pb2.Reservation:
    """A reservation as stored."""
    wanted = reservation.wanted
    unseen = reservation.was_cancelled_unseen
    return metering_service_pb2.Reservation(
        reservation_id=wanted.reservation_id,
        request_key=wanted.request_key,
        party_id=wanted.party_id,
        state=_STATES[reservation.state],
        counted_at=timestamp(reservation.counted_at_us),
        posts_reserved=reservation.posts_reserved,
        posts_settled=reservation.posts_settled,
        posts_freed=reservation.posts_freed,
        license_id=wanted.license_id,
        group_id=reservation.group_id,
        access=None if unseen else cast(access_pb2.AccessKind, int(wanted.access)),
        reserved=_counts(reservation.reserved),
        held=_counts(reservation.held),
    )


def revision_message(revision: Revision) -> revision_pb2.Revision:
    """As of when."""
    return revision_pb2.Revision(epoch=revision.epoch, number=revision.number)


def timestamp(time_us: int | None) -> Timestamp | None:
    """A time, if there is one."""
    if time_us is None:
        return None
    timestamp = Timestamp()
    timestamp.FromMicroseconds(time_us)
    return timestamp


def _no_room(obstacle: NoRoom | None) -> metering_service_pb2.NoRoom | None:
    if obstacle is None:
        return None
    wait = obstacle.shortfall
    return metering_service_pb2.NoRoom(
        allowance=_allowance(obstacle.allowance),
        used=obstacle.used,
        held=obstacle.held,
        retry_at=timestamp(wait.retry_at_us),
        retry_at_is_exact=wait.exact,
        never_fits=wait.never,
    )


def _allowance(allowance: Allowance) -> allowance_pb2.Allowance:
    return allowance_pb2.Allowance(
        scope=cast(allowance_pb2.AllowanceScope, int(allowance.account.scope)),
        id=allowance.account.id,
        window=_WINDOWS[allowance.window_us],
        limit=allowance.limit,
    )


def _counts(counts: Counts) -> list[access_pb2.ContentCount]:
    return [
        access_pb2.ContentCount(
            kind=cast(content_pb2.ContentKind, count.kind), media_flags=count.media_flags, posts=count.posts
        )
        for count in counts
    ]
