"""Asks the machine's resolver for the addresses of names, in threads that nobody ever waits for.

A question to the resolver cannot be called off: where the name server of somebody else says nothing, its
thread is held for as long as the machine's resolver likes, whatever deadline the caller had. In the event
loop's own threads eight of them would hold up manifests and checkpoints, and the end of the process.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from threading import Thread

MOST_OPEN = 32
"""Questions that may be open together: threads, which only wait. No more is asked until one comes back."""


class SystemNames:
    """The machine's resolver; for one event loop."""

    def __init__(self) -> None:
        self._open: set[str] = set()

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a name, in the resolver's order of preference.

        Raises OSError where there is none, UnicodeError where it is no name, and TimeoutError, at once, while
        an earlier question about the name is open, or too many are.
        """
        if host in self._open or len(self._open) >= MOST_OPEN:
            raise TimeoutError
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Sequence[str]] = loop.create_future()

        def come_back(deliver: Callable[[], None]) -> None:
            self._open.discard(host)
            # Who asked may have given up since.
            if not answer.done():
                deliver()

        def ask() -> None:
            deliver = _asked(answer, host, port)
            try:
                loop.call_soon_threadsafe(come_back, deliver)
            except RuntimeError:
                # The loop is closed, and with it whoever asked is gone.
                return

        # A daemon: the process ends without it.
        Thread(target=ask, name=f"resolve {host}", daemon=True).start()
        self._open.add(host)
        return await answer


def _asked(answer: "asyncio.Future[Sequence[str]]", host: str, port: int) -> Callable[[], None]:
    """Asks, however long it takes; what is to be done with the answer in the thread that it belongs to."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except Exception as error:
        failed = error
        return lambda: answer.set_exception(failed)
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    return lambda: answer.set_result(addresses)
