"""Answers that break: before they begin, in their middle, and after their end."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from services.console.web.answered import Answered

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


class BrokenError(Exception):
    """What breaks."""


async def _run(*messages: Message, method: str = "GET") -> list[Message]:
    """What goes out of an application that sends these and breaks."""
    sent: list[Message] = []

    async def breaks(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))
        raise BrokenError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Answered(breaks)({"type": "http", "method": method, "headers": []}, receive, send)
    return sent


async def test_what_breaks_before_it_begins_is_answered() -> None:
    with capture_logs() as logged:
        sent = await _run()

    assert sent[0]["status"] == 500
    assert b"not known whether" in sent[1]["body"]
    assert len(logged) == 1


async def test_what_breaks_after_its_end_was_answered() -> None:
    whole: Message = {"type": "http.response.body", "body": b"a page of failure"}

    assert await _run(START, whole) == [START, whole]


async def test_who_waits_for_what_is_cancelled_is_told_that_its_outcome_is_not_known() -> None:
    sent: list[Message] = []

    async def cancelled(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise asyncio.CancelledError

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(asyncio.CancelledError):
        await Answered(cancelled)({"type": "http", "method": "POST", "headers": []}, receive, send)

    assert sent[0]["status"] == 500
    assert b"not known whether" in sent[1]["body"]


async def test_what_breaks_in_its_middle_does_not_look_whole() -> None:
    with pytest.raises(BrokenError):
        await _run(START, {"type": "http.response.body", "body": b"half a", "more_body": True})


async def test_head_has_no_content_even_where_it_breaks() -> None:
    with capture_logs():
        sent = await _run(method="HEAD")

    assert (sent[0]["status"], sent[1]["body"]) == (500, b"")
