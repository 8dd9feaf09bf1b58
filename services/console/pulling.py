"""A stream of answers that is read step by step by what is not asynchronous, and can be interrupted.

Everything happens in the caller's thread, and between two steps nothing is under way: Ctrl-C ends whoever
reads as it ends any other loop.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

from services.console.connections import Connections

T = TypeVar("T")


class Pulling:
    """Calls to the services, each to its end."""

    def __init__(
        self, runner: asyncio.Runner, connections: Connections, streams: contextlib.AsyncExitStack
    ) -> None:
        self._runner = runner
        self._connections = connections
        self._streams = streams

    def ask(self, work: Callable[[Connections], Awaitable[T]]) -> T:
        """Does `work`; raises what it raises."""

        async def inside() -> T:
            return await work(self._connections)

        return self._runner.run(inside())

    def stream(self, service: str, method: Callable[[Any], Any], request: Any) -> Iterator[Any]:
        """The answers to `request` by the method that `method` makes of a channel; raises Refusal."""

        async def opened(connections: Connections) -> AsyncIterator[Any]:
            peer = connections.peer(service)
            # Closed with the connections: whoever reads may be gone before the end, and not say so.
            opening = peer.open(method(peer.channel), request)
            return aiter(await self._streams.enter_async_context(opening))

        answers = self.ask(opened)
        while (answer := self.ask(lambda _: anext(answers, None))) is not None:
            yield answer


@contextlib.contextmanager
def pulling(connections: Connections) -> Iterator[Pulling]:
    """Closes every stream and connection at the end."""
    with asyncio.Runner() as runner:
        streams = contextlib.AsyncExitStack()
        runner.run(streams.enter_async_context(connections))
        try:
            yield Pulling(runner, connections, streams)
        finally:
            runner.run(streams.aclose())
