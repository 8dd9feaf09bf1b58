"""A stream of answers that is read step by step by what is not asynchronous, and can be interrupted.

Everything happens in the caller's thread, and between two steps nothing is under way: Ctrl-C ends whoever
reads as it ends any other loop.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

from services.console.connections import Connections

T = TypeVar("T")


class Pulling:
    """Calls to the services, each to its end."""

    def __init__(self, runner: asyncio.Runner, connections: Connections) -> None:
        self._runner = runner
        self._connections = connections

    def ask(self, work: Callable[[Connections], Awaitable[T]]) -> T:
        """Does `work`; raises what it raises."""

        async def inside() -> T:
            return await work(self._connections)

        return self._runner.run(inside())

    def stream(self, service: str, method: Callable[[Any], Any], request: Any) -> Iterator[Any]:
        """The answers to `request` by the method that `method` makes of a channel; raises Refusal."""

        async def answers() -> AsyncGenerator[Any, None]:
            peer = self._connections.peer(service)
            async with peer.open(method(peer.channel), request) as stream:
                async for answer in stream:
                    yield answer

        steps = answers()
        try:
            while True:
                answer = self.ask(lambda _: anext(steps, None))
                if answer is None:
                    return
                yield answer
        finally:
            self.ask(lambda _: steps.aclose())


@contextlib.contextmanager
def pulling(connections: Connections) -> Iterator[Pulling]:
    """Closes every connection at the end."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        pull = Pulling(runner, connections)
        stack.callback(pull.ask, lambda connections: connections.__aexit__(None, None, None))
        yield pull
