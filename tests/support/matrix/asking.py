"""Calls of any RPC by its name, with a request written as JSON: for building what a matrix is about."""

from collections.abc import Mapping
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.minting import TokenMinter
from tests.support.gateway_callers import DEADLINE_SECONDS
from tests.support.matrix.methods import Rpc, every_rpc

Json = Mapping[str, Any]
ALL_ROLES = ("trust", "legal", "finance", "admin")


def new_id() -> str:
    """A fresh request id."""
    return uuid7(SystemClock().now_us())


class Asking:
    """Calls the services themselves, from inside."""

    def __init__(self, addresses: Mapping[str, str], minter: TokenMinter) -> None:
        """`addresses` are host:port by service."""
        self._channels = {name: grpc.aio.insecure_channel(address) for name, address in addresses.items()}
        self._minter = minter
        self._rpcs: Mapping[str, Rpc] = {rpc.name: rpc for rpc in every_rpc()}

    async def operator(self, name: str, **request: Any) -> Any:
        """The answer to an operator in every role; raises AioRpcError."""
        return await self.ask(name, PrincipalKind.OPERATOR, "ada", request)

    async def ask(self, name: str, kind: PrincipalKind, party: str, request: Json) -> Any:
        """The answer to anyone, such as `ask("licensing.v1.WallService/GetWall", ...)`; raises AioRpcError.

        A request id is made where the request changes something, has none and could have.
        """
        rpc = self._rpcs[name]
        message = json_format.ParseDict(dict(request), rpc.request())
        if rpc.changes_something:
            _identify(message)
        multi: Any = self._channels[name.partition(".")[0]].unary_unary(rpc.path)
        roles = ALL_ROLES if kind is PrincipalKind.OPERATOR else ()
        shown = ("authorization", f"Bearer {self._minter.mint(kind, party, roles)}")
        answer = await multi(message.SerializeToString(), metadata=[shown], timeout=DEADLINE_SECONDS)
        return rpc.response.FromString(answer)

    async def close(self) -> None:
        """Hangs up."""
        for channel in self._channels.values():
            await channel.close()


def _identify(message: Message) -> None:
    if "request_id" in message.DESCRIPTOR.fields_by_name:
        given: Any = message
        given.request_id = given.request_id or new_id()
