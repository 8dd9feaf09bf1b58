"""Whole sign-ins at a provider, over real HTTP and without the pages."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.chassis.refusals import Refusal
from services.console.web.authorizing import Authorization
from services.console.web.provider import Provider
from services.console.web.provider_calls import ProviderCalls
from tests.support.clock import ManualClock
from tests.support.provider import CALLBACK, CLIENT, SECRET, ProviderServer, answer_in


def an_authorization(server: ProviderServer, clock: ManualClock, **changes: Any) -> Authorization:
    """For the client of the provider, with a deadline of a second."""
    said = {"client_id": CLIENT, "client_secret": SECRET, **changes}
    return Authorization(Provider(server.issuer, **said), CALLBACK, clock, ProviderCalls(deadline_seconds=1))


async def signed_in(server: ProviderServer, authorization: Authorization, **more: str) -> str:
    """The token that comes of a whole sign-in; `more` is put into the provider's answer."""
    address, pending = await authorization.begin("/")
    back = await server.back_from(address)
    return await authorization.finish(pending, {**answer_in(back), **more})


async def refusal_of(server: ProviderServer, authorization: Authorization, **more: str) -> str:
    """The reason why nothing comes of one."""
    with pytest.raises(Refusal) as refused:
        await signed_in(server, authorization, **more)
    return refused.value.reason


async def slow(_request: Request) -> Response:
    """Never answers."""
    await asyncio.Event().wait()
    return Response()


async def broken(_request: Request) -> Response:
    """Answers with what nobody is to see."""
    return PlainTextResponse("a secret of somebody", 500)
