"""Being told to stop (SIGTERM, SIGINT) where nothing is to be drained: before a service serves, in a command.

The kernel gives process 1 of a container no signal that it has no handler for, and one that has none yet is
never told. What was begun by then is what a power cut would leave as well. Whoever drains sets a handler of
its own later.
"""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from types import FrameType

STATUS_OF_SIGNALS = 128
"""A shell adds it to the number of the signal that has ended a program."""


def end_when_told(*, serves: bool) -> None:
    """Has both end this process at once, with one line on standard error.

    Its status is 0 where it was to serve, for then nothing has been asked of it; else something was to be
    done and is not, and the status is that of a program which the signal has ended.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        # Neither by an exception, which what runs may swallow, nor by a log that is just being written.
        with contextlib.suppress(OSError):
            os.write(2, _entry(signal.Signals(number)))
        os._exit(0 if serves else STATUS_OF_SIGNALS + number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


@contextlib.contextmanager
def interrupted_when_told() -> Iterator[None]:
    """Has SIGTERM interrupt the body as Ctrl-C does, and end the process with a status of its own.

    What a server works on for the body is called off by it, not left to run on without anybody.
    """
    told = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal told
        told = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as end:
        if told and (isinstance(end, KeyboardInterrupt) or end.code):
            raise SystemExit(STATUS_OF_SIGNALS + signal.SIGTERM) from end
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _entry(number: signal.Signals) -> bytes:
    """The line, like those that are logged."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    event = "told to stop before it served"
    entry = {"event": event, "signal": number.name, "level": "info", "timestamp": now}
    return json.dumps(entry).encode() + b"\n"
