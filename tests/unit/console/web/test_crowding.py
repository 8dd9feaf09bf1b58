"""More requests than are answered at once."""

import asyncio

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from services.console.web.crowding import Crowding


async def test_who_comes_beyond_what_is_answered_at_once_is_told_when_to_come_back() -> None:
    let, asked = asyncio.Event(), asyncio.Event()

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            asked.set()
            await let.wait()
        await PlainTextResponse("a page")(scope, receive, send)

    transport = httpx.ASGITransport(Crowding(page, at_once=1))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        slow = asyncio.create_task(client.get("/slow"))
        await asked.wait()
        refused, health = await client.post("/halts"), await client.get("/healthz")
        let.set()
        answers = [await slow, await client.get("/")]

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "Nothing was changed" in refused.text
    assert health.status_code == 200
    assert [answer.text for answer in answers] == ["a page", "a page"]
