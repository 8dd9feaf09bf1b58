"""Forms that are too large, too slow, or never end."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from services.console.web.bodies import LARGEST_FORM, WholeForms


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with how much came."""
    content = await Request(scope, receive).body()
    await PlainTextResponse(str(len(content)))(scope, receive, send)


def _is_known(scope: Scope) -> bool:
    return Headers(scope=scope).get("cookie") == "known"


async def _sent(path: str, content: bytes | AsyncIterator[bytes], **headers: str) -> httpx.Response:
    app = WholeForms(_echo, {"/bulk": 2 * LARGEST_FORM}, is_known=_is_known)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        return await client.post(path, content=content, headers=headers)


async def _in_parts(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


@pytest.mark.parametrize("sizes", [(0,), (1,), (LARGEST_FORM,), (LARGEST_FORM - 1, 1)])
async def test_a_form_comes_whole(sizes: tuple[int, ...]) -> None:
    answer = await _sent("/halts", _in_parts(*sizes))

    assert answer.text == str(sum(sizes))


async def test_a_form_that_is_too_large_is_not_read_to_its_end() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1024

    parts = endless()
    answers: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": await anext(parts), "more_body": True}

    async def send(message: Message) -> None:
        answers.append(message)

    await WholeForms(_echo)({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)

    assert answers[0]["status"] == 413
    assert read == LARGEST_FORM // 1024 + 1


async def test_a_form_that_says_that_it_is_too_large_is_not_read_at_all() -> None:
    for length in (str(LARGEST_FORM + 1), "9" * 400, "-1", "x", ""):
        answer = await _sent("/halts", b"", **{"content-length": length})
        assert answer.status_code == 413
        assert "Nothing was changed" in answer.text


async def test_a_path_that_takes_more_says_how_much() -> None:
    most, more = b"x" * 2 * LARGEST_FORM, b"x" * (2 * LARGEST_FORM + 1)

    assert (await _sent("/bulk", most, cookie="known")).text == str(2 * LARGEST_FORM)
    assert (await _sent("/bulk", more, cookie="known")).status_code == 413
    assert (await _sent("/bulk/", most, cookie="known")).status_code == 413


async def test_strangers_have_no_large_form_held_for_them() -> None:
    assert (await _sent("/bulk", b"x" * (LARGEST_FORM + 1))).status_code == 413
    assert (await _sent("/bulk", b"x" * LARGEST_FORM)).text == str(LARGEST_FORM)


async def test_all_forms_together_take_so_much_and_no_more() -> None:
    let, waiting = asyncio.Event(), asyncio.Event()

    async def working(scope: Scope, receive: Receive, send: Send) -> None:
        content = await Request(scope, receive).body()
        waiting.set()
        await let.wait()
        await PlainTextResponse(str(len(content)))(scope, receive, send)

    app = WholeForms(working, all_forms=1_000)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        first = asyncio.create_task(client.post("/", content=b"x" * 900))
        await waiting.wait()
        refused = await client.post("/", content=b"x" * 101)
        let.set()
        # Neither what was refused nor what has ended is counted any longer.
        answers = [await first, await client.post("/", content=b"x" * 1_000)]

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "60"
    assert "Nothing was changed" in refused.text
    assert [answer.text for answer in answers] == ["900", "1000"]


async def test_a_form_that_does_not_come_to_its_end_is_not_waited_for() -> None:
    answers: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        answers.append(message)

    app = WholeForms(_echo, deadline_seconds=0.01)
    await app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)

    assert answers[0]["status"] == 408


async def test_who_leaves_before_the_end_has_sent_nothing() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await WholeForms(_echo)({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
