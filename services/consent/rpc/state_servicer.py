"""StateService as gRPC sees it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

from grpc.aio import ServicerContext

from services.chassis.clock import Clock
from services.chassis.interceptors import endless
from services.chassis.replays import checked_replay_key
from services.chassis.restore_rows import SqlRestores
from services.consent.custodian import Custodian
from services.consent.domain.changes import Revision
from services.consent.registrar import POLICIES_A_PAGE
from services.consent.rpc import halts, requests, state_answers, state_rows
from services.consent.watching import Watch
from sluice.consent.v1 import state_service_pb2 as pb
from sluice.consent.v1.state_service_pb2_grpc import StateServiceServicer

SERVICE = "sluice.consent.v1.StateService"

_Context: TypeAlias = ServicerContext[Any, Any]


class StateServicer(StateServiceServicer):
    """Translates between the contract and the recipes."""

    def __init__(self, custodian: Custodian, watch: Watch, restores: SqlRestores, clock: Clock) -> None:
        self._custodian = custodian
        self._watch = watch
        self._restores = restores
        self._clock = clock

    async def RecordStates(  # noqa: N802
        self, pages: AsyncIterator[pb.RecordStatesRequest], context: _Context
    ) -> AsyncIterator[pb.RecordStatesResponse]:
        """Good rows go in, bad ones are listed; a page is answered before the next one is read."""
        async for page in pages:
            key = checked_replay_key("RecordStates", page, self._clock.now_us())
            good, bad = await asyncio.to_thread(state_rows.changes, page.rows)
            yield state_answers.states_recorded(await self._custodian.record_states(good, key), bad)

    async def OrderHalt(  # noqa: N802
        self, request: pb.OrderHaltRequest, context: _Context
    ) -> pb.OrderHaltResponse:
        """Halts."""
        key = checked_replay_key("OrderHalt", request, self._clock.now_us())
        return state_answers.halt_ordered(*await self._custodian.order_halt(halts.halt_order(request), key))

    async def LiftHalt(  # noqa: N802
        self, request: pb.LiftHaltRequest, context: _Context
    ) -> pb.LiftHaltResponse:
        """Ends a halt."""
        key = checked_replay_key("LiftHalt", request, self._clock.now_us())
        return state_answers.halt_lifted(*await self._custodian.lift_halt(request.halt_id, key))

    async def ListHalts(  # noqa: N802
        self, request: pb.ListHaltsRequest, context: _Context
    ) -> pb.ListHaltsResponse:
        """Newest first."""
        below = requests.number_of(request.page_token)
        size = request.page_size or POLICIES_A_PAGE
        page = await self._custodian.halts(below, size + 1, in_force_only=request.in_force_only)
        return state_answers.halts(page, size)

    @endless
    async def WatchWithdrawals(  # noqa: N802
        self, request: pb.WatchWithdrawalsRequest, context: _Context
    ) -> AsyncIterator[pb.WatchWithdrawalsResponse]:
        """For as long as the caller reads."""
        after = Revision(request.after.epoch, request.after.number)
        async for revision, recorded in self._watch.follow(after):
            yield state_answers.step(revision, recorded)

    async def ListRestores(  # noqa: N802
        self, request: pb.ListRestoresRequest, context: _Context
    ) -> pb.ListRestoresResponse:
        """Newest first."""
        below = requests.number_of(request.page_token)
        size = request.page_size or POLICIES_A_PAGE
        return state_answers.restores(await self._restores.page(below, size + 1), size)
