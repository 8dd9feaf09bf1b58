"""Files that are given as they come: so many at once, and only as long as somebody takes them.

Whoever asks for files and does not read them would hold memory, and streams of a service, without an end.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from services.chassis.refusals import exhausted, unavailable
from services.console.web.sessions import Session

AT_ONCE, OF_ONE = 32, 2
"""Files that are given at once, by one process: to all, and to one caller."""
PART_SECONDS = 30.0
"""In which a part of a file has to be taken."""
RETRY_AFTER_US = 5_000_000


class Downloads:
    """Who is being given files. For one event loop."""

    def __init__(
        self, at_once: int = AT_ONCE, of_one: int = OF_ONE, part_seconds: float = PART_SECONDS
    ) -> None:
        self._at_once, self._of_one, self._part_seconds = at_once, of_one, part_seconds
        self._given: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def place(self, session: Session) -> Iterator[None]:
        """A place for one file to whoever is signed in.

        Raises Refusal (exhausted), before anything is given: DOWNLOADS_OF_ONE where this caller has theirs
        already, DOWNLOADS_BUSY where there is none for anybody.
        """
        who = session.kind, session.party
        if self._given[who] >= self._of_one:
            raise exhausted(
                "DOWNLOADS_OF_ONE", "this caller is being given files", retry_after_us=RETRY_AFTER_US
            )
        if self._given.total() >= self._at_once:
            raise exhausted("DOWNLOADS_BUSY", "too many are being given files", retry_after_us=RETRY_AFTER_US)
        self._given[who] += 1
        try:
            yield
        finally:
            self._given[who] -= 1
            # Nobody is remembered who is given nothing.
            self._given += Counter()

    def in_time(self, send: Send) -> Send:
        """`send` that raises Refusal (unavailable, DOWNLOAD_NOT_TAKEN) where a part is not taken in time."""

        async def sending(message: Message) -> None:
            try:
                async with asyncio.timeout(self._part_seconds):
                    await send(message)
            except TimeoutError as error:
                raise unavailable("DOWNLOAD_NOT_TAKEN", "a part of a file was not taken in time") from error

        return sending


class Given(StreamingResponse):
    """A file that is given part by part, from a place of its own among the downloads."""

    def __init__(
        self,
        downloads: Downloads,
        session: Session,
        content: AsyncIterable[bytes] | Iterable[bytes],
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._downloads, self._session = downloads, session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Refusal as `Downloads.place` does, and DOWNLOAD_NOT_TAKEN after it has begun."""
        with self._downloads.place(self._session):
            await super().__call__(scope, receive, self._downloads.in_time(send))
