"""A service that is frozen: it takes connections and calls, and answers none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc


class _Silent(grpc.GenericRpcHandler):
    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Serves every RPC that has one request and one answer, without the answer."""
        return grpc.unary_unary_rpc_method_handler(_never)


async def _never(_request: bytes, _context: Any) -> bytes:
    await asyncio.Event().wait()
    return b""


@contextlib.asynccontextmanager
async def a_frozen_service() -> AsyncIterator[str]:
    """Its address, host:port."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([_Silent()])
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield address
    finally:
        await server.stop(grace=None)
