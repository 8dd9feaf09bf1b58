"""Connections of a page: what waits on one of them holds up no other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from services.chassis.deadlines import within
from services.console.web.calling import Services, call_as
from sluice.consent.v1 import consent_service_pb2, subject_service_pb2
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.subject_service_pb2_grpc import SubjectServiceStub

STREAMS = 4
"""That the other side lets one connection have."""
PATIENCE_US = 3_000_000


class Gateway(grpc.GenericRpcHandler):
    """Answers at once; exports and lists of choices wait for `goes_on`."""

    def __init__(self) -> None:
        self.goes_on, self.waiting = asyncio.Event(), asyncio.Semaphore(0)

    def service(self, handler_call_details: Any) -> Any:
        """A handler for any path."""
        is_slow = handler_call_details.method.endswith(("ExportSubject", "GetChoices"))

        async def answer(_request: bytes, _context: Any) -> AsyncIterator[bytes]:
            if is_slow:
                self.waiting.release()
                await self.goes_on.wait()
            yield b""

        return grpc.unary_stream_rpc_method_handler(answer)


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, Services]]:
    """One server that is consent and licensing."""
    handler = Gateway()
    server = grpc.aio.server(options=[("grpc.max_concurrent_streams", STREAMS)])
    server.add_generic_rpc_handlers((handler,))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    services = Services({"consent": target, "licensing": target})
    call_as("a token")
    yield handler, services
    handler.goes_on.set()
    await services.close()
    await server.stop(None)


async def look(services: Services) -> None:
    """One quick call of consent."""
    consent = services.peer("consent")
    with within(PATIENCE_US):
        await consent.call(
            ConsentServiceStub(consent.channel).GetCaller, consent_service_pb2.GetCallerRequest()
        )


@contextlib.asynccontextmanager
async def under_way(gateway: Gateway, *calls: Any) -> AsyncIterator[None]:
    """So long as all of these are being answered."""
    tasks = [asyncio.ensure_future(each) for each in calls]
    for _ in tasks:
        await gateway.waiting.acquire()
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_files_that_wait_for_their_readers_hold_up_no_page(gateway: tuple[Gateway, Services]) -> None:
    handler, services = gateway
    files = services.for_files("consent")

    async def exporting() -> None:
        request = subject_service_pb2.ExportSubjectRequest(subject_id=7)
        async with files.open(SubjectServiceStub(files.channel).ExportSubject, request) as parts:
            async for _ in parts:
                pass

    async with under_way(handler, *(exporting() for _ in range(STREAMS))):
        await look(services)


async def test_a_service_that_hangs_holds_up_no_call_of_another_behind_the_same_address(
    gateway: tuple[Gateway, Services],
) -> None:
    handler, services = gateway
    licensing = services.peer("licensing")
    slow = ConsentServiceStub(licensing.channel).GetChoices

    calls = (licensing.call(slow, consent_service_pb2.GetChoicesRequest()) for _ in range(STREAMS))
    async with under_way(handler, *calls):
        await look(services)
