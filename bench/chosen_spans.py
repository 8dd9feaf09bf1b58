"""The way that was not taken: a process holds the spans of a trace and chooses at the end of its own part.

A part is chosen by what this process knows of it. What another process chooses for the same trace is another
thing, which is why no service runs with this.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import StatusCode

LOW_BITS = 2**64 - 1


@dataclass
class Part:
    """What a process has of a trace so far."""

    roots: int = 0
    """Calls of this trace that are being answered here."""
    spans: list[ReadableSpan] = field(default_factory=list)


class ChosenSpans(SpanProcessor):
    """Hands on the spans of a part once its last call has been answered, or drops them all."""

    def __init__(self, inner: SpanProcessor, is_kept: Callable[[list[ReadableSpan]], bool]) -> None:
        self._inner = inner
        self._is_kept = is_kept
        self._parts: dict[int, Part] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Counts those that others have begun, or nobody."""
        if span.parent is None or span.parent.is_remote:
            self._parts.setdefault(span.context.trace_id, Part()).roots += 1

    def on_end(self, span: ReadableSpan) -> None:
        """Holds it, or is the end of its part."""
        trace_id = span.context.trace_id
        part = self._parts.get(trace_id)
        # Of a trace that has been chosen: too late.
        if part is None:
            return
        part.spans.append(span)
        part.roots -= span.parent is None or span.parent.is_remote
        if part.roots:
            return
        del self._parts[trace_id]
        if self._is_kept(part.spans):
            for each in part.spans:
                self._inner.on_end(each)

    def shutdown(self) -> None:
        """Ends what takes them."""
        self._inner.shutdown()


def worth_keeping(share: float, slow_us: int) -> Callable[[list[ReadableSpan]], bool]:
    """What the samplers of a cluster keep, as far as a process can tell; its share by the trace's id."""

    def is_kept(spans: list[ReadableSpan]) -> bool:
        by_id = (spans[0].context.trace_id & LOW_BITS) < share * LOW_BITS
        return by_id or any(_is_remarkable(each, slow_us) for each in spans)

    return is_kept


def _is_remarkable(span: ReadableSpan, slow_us: int) -> bool:
    lasted_us = ((span.end_time or 0) - (span.start_time or 0)) / 1_000
    is_denied = (span.attributes or {}).get("sluice.outcome") == "DENIED"
    return is_denied or span.status.status_code is StatusCode.ERROR or lasted_us >= slow_us
