"""A client of DecideStream with the face of the gate's own, so that a job can run over either."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate.client import LicensingClient


class StreamClient:
    """Asks on one stream; confirms by single calls. Any refusal ends what is measured."""

    def __init__(self, target: str, token: Callable[[], str]) -> None:
        """Needs a running loop."""
        self._unary = LicensingClient(target, token)
        self._channel = grpc.aio.insecure_channel(target)
        self._token = token
        self._call: Any = None
        self._taking: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[pb.Decision]] = {}
        self._sent = 0

    async def decide(self, request: pb.DecideRequest) -> pb.Decision:
        """The decision on a batch."""
        future: asyncio.Future[pb.Decision] = asyncio.get_running_loop().create_future()
        # One at a time: grpc.aio fails on a second write to the same stream.
        async with self._writing:
            if self._taking is None:
                self._open()
            self._sent += 1
            self._waiting[self._sent] = future
            await self._call.write(pb.DecideStreamRequest(request=request))
        return await future

    async def confirm(self, decision_id: str, delivered: bytes) -> pb.Delivery:
        """As the gate does."""
        return await self._unary.confirm(decision_id, delivered)

    async def close(self) -> None:
        """Ends the stream and both connections."""
        if self._taking is not None:
            self._taking.cancel()
            self._call.cancel()
        await self._channel.close()
        await self._unary.close()

    def _open(self) -> None:
        stub: Any = ReleaseServiceStub(self._channel)
        self._call = stub.DecideStream(metadata=(("authorization", f"Bearer {self._token()}"),))
        self._taking = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async for answer in self._call:
            future = self._waiting.pop(answer.number)
            if answer.HasField("decision"):
                future.set_result(answer.decision)
            else:
                future.set_exception(AssertionError(answer.refusal.message))
