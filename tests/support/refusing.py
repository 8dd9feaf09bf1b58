"""A peer that does not do what it is asked to, at the callers' side."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal


def refuse_calls(
    monkeypatch: pytest.MonkeyPatch, rpc: str, refusal: Refusal, when: Callable[[Any], bool] = lambda _: True
) -> None:
    """Calls of an RPC are refused, all or those whose request is so; the others go through."""
    call = Peer.call

    async def refusing(peer: Peer, method: Any, request: Any, **options: Any) -> Any:
        if method.name.endswith(f"/{rpc}") and when(request):
            raise refusal
        return await call(peer, method, request, **options)

    monkeypatch.setattr(Peer, "call", refusing)


def break_off_streams(monkeypatch: pytest.MonkeyPatch, refusal: Refusal, *answers: Any) -> None:
    """Streams give these answers and then end with a refusal."""

    async def answering() -> AsyncIterator[Any]:
        for answer in answers:
            yield answer
        raise refusal

    _streams_are(monkeypatch, answering)


def give_many(monkeypatch: pytest.MonkeyPatch, answer: Any, times: int) -> None:
    """Streams give this answer so many times."""

    async def answering() -> AsyncIterator[Any]:
        for _ in range(times):
            yield answer
            await asyncio.sleep(0)

    _streams_are(monkeypatch, answering)


def _streams_are(monkeypatch: pytest.MonkeyPatch, answering: Callable[[], AsyncIterator[Any]]) -> None:
    @asynccontextmanager
    async def opened(_peer: Peer, _method: Any, *_request: Any) -> AsyncIterator[AsyncIterator[Any]]:
        yield answering()

    monkeypatch.setattr(Peer, "open", opened)


def hold_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams are opened and never give an answer."""

    async def answering() -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    @asynccontextmanager
    async def opened(_peer: Peer, _method: Any, *_request: Any) -> AsyncIterator[AsyncIterator[Any]]:
        yield answering()

    monkeypatch.setattr(Peer, "open", opened)
