"""A client of DecideStream with the face of the gate's own, so that a job can run over either."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice_gate.client import LicensingClient

ENDED = "the stream has ended"


class StreamClient:
    """Asks on one stream; confirms by single calls. A refusal or its end ends what is measured."""

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
        self._end: Exception | None = None
        """Of the stream, whatever it was."""

    async def decide(self, request: pb.DecideRequest) -> pb.Decision:
        """The decision on a batch; raises AssertionError for a refusal, and where the stream ends before."""
        future: asyncio.Future[pb.Decision] = asyncio.get_running_loop().create_future()
        # One at a time: grpc.aio fails on a second write to the same stream.
        async with self._writing:
            if self._taking is None:
                self._open()
            if self._end is not None:
                raise AssertionError(ENDED) from self._end
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
        try:
            async for answer in self._call:
                self._tell(answer)
            self._end = EOFError()
        except grpc.aio.AioRpcError as error:
            self._end = error
        for future in self._waiting.values():
            # Nobody will answer them any more.
            future.set_exception(AssertionError(ENDED))

    def _tell(self, answer: pb.DecideStreamResponse) -> None:
        future = self._waiting.pop(answer.number)
        if answer.HasField("decision"):
            future.set_result(answer.decision)
        else:
            future.set_exception(AssertionError(answer.refusal.message))
