"""What each service did for a decision: its trace, from the files of a local installation, or a link to it.

Spans may be lost, were perhaps never kept, or are elsewhere; that is said, and nothing is made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from services.console.decisions import EXPORT_LAG_US
from services.console.operations.one_by_one import OneByOne
from services.console.traces import ERROR, Span, find_trace
from services.console.waterfall import arrange, duration_ns, label, remarks
from sluice.licensing.v1 import release_service_pb2 as pb

MOST_BARS = 300
DEEPEST = 8
"""Steps to the right that are drawn; what lies deeper stands below each other."""
COLOURS = 5
SCALE = 1000
"""Units in which the length of the whole trace is drawn."""
TRACE_ID = "{trace_id}"
"""What an address of traces has in the place of the id."""


@dataclass(frozen=True)
class Bar:
    """One span where it stands in the drawing."""

    service: str
    name: str
    depth: int
    begin: int
    length: int
    """Of SCALE: at least 1."""
    offset_ns: int
    """From the start of the trace."""
    duration_ns: int
    colour: int
    """From 0; one for each service, and below COLOURS."""
    is_failed: bool
    remarks: str
    """How it failed, and what the service noted; "" where there is neither."""


@dataclass(frozen=True)
class Trace:
    """What is known of the trace of a decision."""

    trace_id: str
    """"" where it was decided outside of any."""
    bars: Sequence[Bar] = ()
    left_out: int = 0
    """Spans that are not drawn, for there are too many."""
    is_early: bool = False
    """Whether services may not have written it out yet."""
    is_unreadable: bool = False
    """Whether the files of traces could not be read."""
    is_kept_here: bool = False
    """Whether there are such files at all."""
    link: str = ""
    """Where it is shown by another program."""


class Traces:
    """Where traces are."""

    def __init__(self, folder: Path | None, url: str) -> None:
        """`folder` has the files of a local installation; `url` leads to a trace, TRACE_ID being its id."""
        self._folder = folder
        self._url = url
        # Files are a few times 64 MiB at most (`chassis.otlp_lines`), and read whole.
        self._searching = OneByOne("traces", most_waiting=8)

    async def look(self, decision: pb.Decision, now_us: int) -> Trace:
        """The trace of a decision. Raises Refusal (exhausted, PAGES_BUSY)."""
        trace_id = decision.trace_id
        if not trace_id:
            return Trace("")
        link = self._url.replace(TRACE_ID, trace_id)
        if self._folder is None:
            return Trace(trace_id, link=link)
        try:
            spans = await self._searching.do(partial(find_trace, self._folder, trace_id))
        except OSError:
            return Trace(trace_id, is_kept_here=True, is_unreadable=True, link=link)
        bars = bars_of(spans)
        return Trace(
            trace_id,
            bars[:MOST_BARS],
            left_out=max(0, len(bars) - MOST_BARS),
            is_early=now_us < decision.decided_at.ToMicroseconds() + EXPORT_LAG_US,
            is_kept_here=True,
            link=link,
        )


def bars_of(spans: Sequence[Span]) -> list[Bar]:
    """The spans of one trace as bars, each under its parent."""
    lines = arrange(spans)
    total_ns = max((line.offset_ns + duration_ns(line.span) for line in lines), default=0) or 1
    services = list(dict.fromkeys(line.span.service for line in lines))
    bars = list[Bar]()
    for line in lines:
        begin = min(SCALE - 1, line.offset_ns * SCALE // total_ns)
        length = max(1, min(SCALE - begin, duration_ns(line.span) * SCALE // total_ns))
        bars.append(
            Bar(
                line.span.service,
                label(line.span),
                min(line.depth, DEEPEST),
                begin,
                length,
                line.offset_ns,
                duration_ns(line.span),
                services.index(line.span.service) % COLOURS,
                line.span.status == ERROR,
                remarks(line.span).plain,
            )
        )
    return bars
