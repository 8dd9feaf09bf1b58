"""The desk of the login wall over gRPC: translates, calls, translates."""

from typing import Any, cast

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.clock import Clock
from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.chassis.timestamps import time_us
from services.licensing.domain.doors.walls import Raising, Tier, WallChange, is_up
from services.licensing.rpc.contracts import number_below, page_token, stored
from services.licensing.walls import WallDesk
from sluice.licensing.v1 import wall_service_pb2 as pb
from sluice.licensing.v1 import wall_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.WallService"
DEFAULT_PAGE_SIZE = 50


class WallServicer(pb_grpc.WallServiceServicer):
    """`sluice.licensing.v1.WallService`."""

    def __init__(self, desk: WallDesk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    async def RaiseWall(self, request: pb.RaiseWallRequest, context: Any) -> pb.RaiseWallResponse:  # noqa: N802
        wish, replay = _raising(request), replay_key("RaiseWall", request)
        answer = await self._desk.raise_up(wish, replay, _stored)
        return pb.RaiseWallResponse(change=pb.WallChange.FromString(answer))

    async def LowerWall(self, request: pb.LowerWallRequest, context: Any) -> pb.LowerWallResponse:  # noqa: N802
        answer = await self._desk.lower(request.reason, replay_key("LowerWall", request), _stored)
        return pb.LowerWallResponse(change=pb.WallChange.FromString(answer))

    async def GetWall(self, request: pb.GetWallRequest, context: Any) -> pb.GetWallResponse:  # noqa: N802
        last, now_us = await self._desk.last(), self._clock.now_us()
        return pb.GetWallResponse(
            up=is_up(last, now_us), last=change_message(last) if last else None, at=_time(now_us)
        )

    async def ListWallChanges(  # noqa: N802
        self, request: pb.ListWallChangesRequest, context: Any
    ) -> pb.ListWallChangesResponse:
        size = request.page_size or DEFAULT_PAGE_SIZE
        # One more than asked for tells whether there is a next page.
        found = await self._desk.page(number_below(request.page_token), size + 1)
        return pb.ListWallChangesResponse(
            changes=[change_message(change) for change in found[:size]],
            next_page_token=page_token(str(found[size - 1].number)) if len(found) > size else "",
        )


def bolt(desk: WallDesk, clock: Clock) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_WallServiceServicer_to_server, WallServicer(desk, clock), FULL_NAME)


def change_message(change: WallChange) -> pb.WallChange:
    """A change as it is on record."""
    return pb.WallChange(
        number=change.number,
        raised=change.raised,
        tiers=[cast(pb.WallTier, int(tier)) for tier in sorted(change.tiers)],
        reason=change.reason,
        until=None if change.until_us is None else _time(change.until_us),
        changed_by=change.changed_by,
        changed_at=_time(change.changed_at_us),
    )


def _raising(request: pb.RaiseWallRequest) -> Raising:
    """Raises Refusal INVALID_REQUEST for what is no time."""
    tiers, end = frozenset(map(Tier, request.tiers)), request.WhichOneof("end")
    return Raising(
        reason=request.reason,
        tiers=tiers,
        lasts_us=request.lasts.ToMicroseconds() if end == "lasts" else None,
        until_us=time_us(request.until, "until") if end == "until" else None,
    )


def _stored(change: WallChange) -> bytes:
    return stored(change_message(change))


def _time(time_us: int) -> Timestamp:
    message = Timestamp()
    message.FromMicroseconds(time_us)
    return message
