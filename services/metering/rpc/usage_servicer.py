"""UsageService as gRPC sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.interceptors import endless
from services.chassis.replays import checked_replay_key
from services.chassis.restore_rows import SqlRestores
from services.metering.audit import Auditor
from services.metering.imports import Importer
from services.metering.projector import Projections
from services.metering.rpc import usage_messages as messages
from services.metering.rpc.answers import revision_message
from services.metering.rpc.requests import WINDOWS_US, allowed, epoch_below, optional_us
from services.metering.rpc.restore_messages import restores
from services.metering.usage import GAVE_CONTENT, UsageDesk
from services.metering.watches import Watches
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceServicer

SERVICE = "sluice.metering.v1.UsageService"
RESTORES_A_PAGE = 50
"""Restores on a page when the caller does not say."""

_Context: TypeAlias = ServicerContext[Any, Any]


class UsageServicer(UsageServiceServicer):
    """Translates between the contract and the recipes."""

    def __init__(
        self,
        importer: Importer,
        desk: UsageDesk,
        auditor: Auditor,
        projections: Projections,
        clock: Clock,
        *,
        watches: Watches,
        restores: SqlRestores,
    ) -> None:
        self._importer = importer
        self._desk = desk
        self._watches = watches
        self._restores = restores
        self._auditor = auditor
        self._projections = projections
        self._clock = clock

    async def ReportAccesses(  # noqa: N802
        self, pages: AsyncIterator[pb.ReportAccessesRequest], context: _Context
    ) -> AsyncIterator[pb.ReportAccessesResponse]:
        """Good lines are counted, bad ones are listed; a page is answered before the next one is read."""
        async for page in pages:
            key = checked_replay_key("ReportAccesses", page, self._clock.now_us())
            reporter = messages.reporter(key.principal)
            # Reading thousands of lines takes a while, in which others are to be answered.
            lines = await asyncio.to_thread(messages.lines, page.rows)
            yield messages.reported(await self._importer.take(lines, reporter, key))

    async def QueryUsage(  # noqa: N802
        self, request: pb.QueryUsageRequest, context: _Context
    ) -> pb.QueryUsageResponse:
        """What was counted in a stretch of time."""
        since_us, until_us = optional_us(request, "since"), optional_us(request, "until")
        found = await self._desk.usage(messages.whose(request.of), since_us, until_us)
        return messages.usage_response(found)

    async def MaxWindow(self, request: pb.MaxWindowRequest, context: _Context) -> pb.MaxWindowResponse:  # noqa: N802
        """The fullest windows."""
        peaks, revision = await self._desk.peaks(
            messages.whose(request.of),
            messages.window_us(request),
            optional_us(request, "since"),
            optional_us(request, "until"),
            parts=request.parts or 1,
            accesses=request.accesses or GAVE_CONTENT,
        )
        found = [messages.peak_message(peak) for peak in peaks]
        return pb.MaxWindowResponse(peaks=found, revision=revision_message(revision))

    async def GetRooms(self, request: pb.GetRoomsRequest, context: _Context) -> pb.GetRoomsResponse:  # noqa: N802
        """How allowances stand now."""
        asked = [allowed(each, f"of[{index}]") for index, each in enumerate(request.of)]
        rooms, revision = await self._desk.rooms(asked)
        found = [messages.rooms_message(each) for each in rooms]
        return pb.GetRoomsResponse(rooms=found, revision=revision_message(revision))

    @endless
    async def WatchUsage(  # noqa: N802
        self, request: pb.WatchUsageRequest, context: _Context
    ) -> AsyncIterator[pb.WatchUsageResponse]:
        """How a window fills."""
        account = messages.whose(request.of)
        gauges = self._watches.watch(account, WINDOWS_US[request.window], request.limit)
        # Closed with this call: nobody goes on looking for a caller who has gone away.
        async with contextlib.aclosing(gauges):
            async for gauge in gauges:
                yield messages.gauge_message(gauge)

    async def AuditUsage(  # noqa: N802
        self, request: pb.AuditUsageRequest, context: _Context
    ) -> AsyncIterator[pb.AuditUsageResponse]:
        """Check by check."""
        # Closed with this call: nobody goes on reading for a caller who has gone away.
        async with contextlib.aclosing(self._auditor.steps()) as steps:
            async for step, revision in steps:
                yield messages.step_message(step, revision)

    async def RebuildProjections(  # noqa: N802
        self, request: pb.RebuildProjectionsRequest, context: _Context
    ) -> pb.RebuildProjectionsResponse:
        """Makes the sums anew."""
        now_us = self._clock.now_us()
        key = checked_replay_key("RebuildProjections", request, now_us)
        revision = await self._projections.drop(key, now_us)
        return pb.RebuildProjectionsResponse(revision=revision_message(revision))

    async def ListRestores(  # noqa: N802
        self, request: pb.ListRestoresRequest, context: _Context
    ) -> pb.ListRestoresResponse:
        """Newest first."""
        size = request.page_size or RESTORES_A_PAGE
        page = await self._restores.page(epoch_below(request.page_token), size + 1)
        return restores(page, size)
