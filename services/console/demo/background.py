"""Work that takes seconds, beside the event loop: Ctrl-C is heard at once, and waits for none of it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_background(work: Callable[[], T]) -> T:
    """What `work` returns or raises. If the caller is cancelled, the work is abandoned with the process.

    A thread of an executor would be waited for when the event loop ends.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def finish(settle: Callable[[], None]) -> None:
        # The loop may have been closed meanwhile: then nobody is left to hear of it.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if result.done() else settle())

    def run() -> None:
        try:
            value = work()
        except Exception as error:
            raised = error
            finish(lambda: result.set_exception(raised))
        else:
            finish(lambda: result.set_result(value))

    threading.Thread(target=run, daemon=True).start()
    return await result
