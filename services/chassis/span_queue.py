"""Spans on their way out of a process: a bounded queue, and the thread that empties it.

Nothing waits for whoever takes the spans. Where they are taken too slowly or not at all, what has no room is
dropped and counted (`sluice_spans_dropped`), and an end is never held up for longer than `END_SECONDS`.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

import structlog
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from services.chassis.metrics import SPANS_DROPPED, SPANS_EXPORTED

BATCH = 512
"""Spans in one message, at most; 90 KB. A larger one costs no less for each span."""
EXPORT_EVERY_SECONDS = 0.5
"""Or as soon as a batch is full."""
FLUSH_SECONDS = 2.0
"""For what is still waiting when the process ends."""
ABORT_SECONDS = 1.0
"""For an export to notice that it has been called off; it does so at once."""
END_SECONDS = FLUSH_SECONDS + ABORT_SECONDS
TELL_EVERY_SECONDS = 60.0

FULL, REFUSED, ENDING = "full", "refused", "ending"

_log = structlog.get_logger(__name__)


class SpanQueue(SpanProcessor):
    """Holds spans that have ended until they are taken.

    The processor of the SDK counts what it drops nowhere that can be read, waits 30 s for a collector that
    hangs when the process is to end, and writes a log line for each span that it has no room for.
    """

    def __init__(
        self, exporter: SpanExporter, room: int, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`room` is for so many spans, of some 3 KB each; `now` is in seconds. Starts a thread."""
        self._exporter = exporter
        self._room = room
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._ending = False
        self._losses = Losses(now)
        self._thread = threading.Thread(target=self._run, name="spans", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Takes a span, or drops it: never the ones before it, which may be all but whole traces."""
        if self._ending or len(self._waiting) >= self._room:
            self._losses.add(ENDING if self._ending else FULL, 1)
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH and not self._wake.is_set():
            self._wake.set()

    def shutdown(self) -> None:
        """Exports what is waiting; calls that off after a while. Takes `END_SECONDS` at most."""
        self._ending = True
        self._wake.set()
        self._thread.join(FLUSH_SECONDS)
        self._exporter.shutdown()
        self._thread.join(ABORT_SECONDS)
        self._losses.add(ENDING, len(self._waiting))
        self._waiting.clear()
        self._losses.tell(at_once=True)

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            self._wake.wait(EXPORT_EVERY_SECONDS)
            self._wake.clear()
            # Read before: what was put in until then is exported now.
            is_ending = self._ending
            goes_on = self._export_waiting() and not is_ending

    def _export_waiting(self) -> bool:
        """False where there is no more time for what still waits."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if self._is_taken(batch):
                SPANS_EXPORTED.inc(len(batch))
                continue
            self._losses.add(REFUSED, len(batch))
            if self._ending:
                return False
        self._losses.tell()
        return True

    def _is_taken(self, batch: list[ReadableSpan]) -> bool:
        try:
            return self._exporter.export(batch) is SpanExportResult.SUCCESS
        except Exception as error:
            # One that is called off raises whatever its library does then. The thread has to go on.
            self._losses.why(type(error).__name__)
            return False


class Losses:
    """Counts what is dropped, and writes it into the log once in a while."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._untold: dict[str, int] = {}
        self._why = ""
        self._tell_at = now()
        self._counters = {reason: SPANS_DROPPED.labels(reason) for reason in (FULL, REFUSED, ENDING)}

    def add(self, reason: str, spans: int) -> None:
        """So many more, for this reason."""
        if not spans:
            return
        self._counters[reason].inc(spans)
        with self._lock:
            self._untold[reason] = self._untold.get(reason, 0) + spans

    def why(self, error: str) -> None:
        """What an exporter failed with."""
        self._why = error

    def tell(self, *, at_once: bool = False) -> None:
        """Writes what has not been told yet, where the last time is long enough ago."""
        if not self._untold or (self._now() < self._tell_at and not at_once):
            return
        with self._lock:
            told, self._untold = self._untold, {}
        self._tell_at = self._now() + TELL_EVERY_SECONDS
        _log.warning("spans were dropped", **told, error=self._why)


class Seldom(logging.Filter):
    """Lets one line through in a while, for a logger that writes one for each failure."""

    def __init__(self) -> None:
        super().__init__()
        self._pass_at = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is time again."""
        if record.created < self._pass_at:
            return False
        self._pass_at = record.created + TELL_EVERY_SECONDS
        return True
