"""What traces cost: `python -m bench.telemetry`, with decisions that are not recorded in the same run.

The services run four times over, each as processes of their own: nothing recorded, one trace in a hundred,
all of them, and all of them with each process choosing by itself what it hands on (`chosen_spans.py`).
A collector is a process too. They decide in turns. Beside it one span is measured through its stages.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import grpc
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as pb_grpc
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind

from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.span_queue import BATCH
from tests.support.traced import AT_ONCE, SERVICES, Traced, a_traced_fleet

ONE = 1
"""Decision, or span."""
CHOSEN = "all recorded, 1 % chosen by each process"
RATIOS = {"nothing recorded": "0", "1 % recorded": "0.01", "all recorded": "1", CHOSEN: "1"}
CHOOSING = Path(__file__).parent / "choosing_spans"
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Effort:
    """How long it is measured; more gives steadier figures."""

    decisions: int
    """Of each way in each round."""
    rounds: int
    spans: int


@dataclass
class Way:
    """One of the installations, and what was measured of it, a round at a time."""

    traced: Traced
    cpu_us: list[float] = field(default_factory=list)
    """Of all services together, a decision."""
    rate: list[float] = field(default_factory=list)
    median_ms: list[float] = field(default_factory=list)

    async def round(self, decisions: int) -> None:
        """Decides, and keeps what it took."""
        before, began = self._cpu_us(), time.perf_counter()
        seconds = await self.traced.decide(decisions)
        self.rate.append(decisions / (time.perf_counter() - began))
        # The last spans are exported within half a second.
        await asyncio.sleep(0.7)
        self.cpu_us.append((self._cpu_us() - before) / decisions)
        self.median_ms.append(statistics.median(seconds) * 1e3)

    def _cpu_us(self) -> float:
        pids = [self.traced.fleet.pid(service) for service in SERVICES]
        return sum(cpu_us(pid) for pid in pids)


MEASURED: Sequence[tuple[str, str, Callable[[Way], list[float]]]] = (
    ("processors a decision, all services", "us", lambda way: way.cpu_us),
    (f"decisions, {AT_ONCE} at once", "a second", lambda way: way.rate),
    (f"a decision, {AT_ONCE} at once, median", "ms", lambda way: way.median_ms),
)


def cpu_us(pid: int) -> float:
    """What a process has used of processors so far, in microseconds."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) * TICK_US


class Taker(pb_grpc.TraceServiceServicer):
    """A collector that does no more than take what comes."""

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Takes it."""
        return pb.ExportTraceServiceResponse()


def collect(told: Connection) -> None:
    """A process that collects until it is ended; says where."""
    server = grpc.server(ThreadPoolExecutor(4))
    # Generated without annotations.
    add: Any = pb_grpc.add_TraceServiceServicer_to_server
    add(Taker(), server)
    told.send(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    server.start()
    server.wait_for_termination()


@contextlib.contextmanager
def a_taker() -> Iterator[str]:
    """host:port of a collector in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=collect, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


@contextlib.asynccontextmanager
async def all_ways(folder: Path, collector: str) -> AsyncIterator[dict[str, Way]]:
    """All installations, running."""
    async with contextlib.AsyncExitStack() as stack:
        ways = {}
        for number, (name, ratio) in enumerate(RATIOS.items()):
            own = folder / str(number)
            own.mkdir()
            entered = a_traced_fleet(own, f"http://{collector}", {"trace_ratio": ratio})
            with choosing() if name == CHOSEN else contextlib.nullcontext():
                ways[name] = Way(await stack.enter_async_context(entered))
        yield ways


@contextlib.contextmanager
def choosing() -> Iterator[None]:
    """Processes that are started meanwhile choose among their spans by themselves."""
    sys.path.insert(0, str(CHOOSING))
    os.environ["CHOSEN_SHARE"] = "0.01"
    try:
        yield
    finally:
        sys.path.remove(str(CHOOSING))
        del os.environ["CHOSEN_SHARE"]


async def decisions(folder: Path, effort: Effort) -> list[Figure]:
    """The ways in turns."""
    with a_taker() as collector:
        async with all_ways(folder, collector) as ways:
            say("warming up")
            for way in ways.values():
                await way.traced.decide(effort.decisions)
            for number in range(effort.rounds):
                say(f"round {number + 1} of {effort.rounds}")
                for at in range(len(ways)):
                    # Each is the first in its turn.
                    await [*ways.values()][(number + at) % len(ways)].round(effort.decisions)
    plain, *others = ways
    return [
        figure
        for what, unit, of in MEASURED
        for figure in (
            Figure(f"{plain}, {what}", statistics.median(of(ways[plain])), unit, ONE),
            *(
                each
                for name in others
                for each in compared(name, what, unit, of(ways[name]), of(ways[plain]))
            ),
        )
    ]


def compared(
    name: str, what: str, unit: str, each: Sequence[float], plain: Sequence[float]
) -> Iterator[Figure]:
    """The median of the ratios of the rounds, and how far they lie apart.

    Of ratios, for a machine that slows down slows down both.
    """
    ratios = [one / other for one, other in zip(each, plain, strict=True)]
    yield Figure(f"{name}, {what}", statistics.median(each), unit, ONE, statistics.median(ratios))
    for end, of in (("least", min), ("most", max)):
        yield Figure(f"{name}, {what}, {end} of the rounds", of(each), unit, ONE, of(ratios))


class Holding(SpanProcessor):
    """Keeps spans, as a process would that decides at a decision's end."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keeps it."""
        self.spans.append(span)


def stages(effort: Effort) -> list[Figure]:
    """A span from its beginning until a collector has it, a stage at a time."""
    say("one span")
    holding, provider = Holding(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(holding)
    tracer = provider.get_tracer("bench")
    attributes = {"rpc.system.name": "grpc", "rpc.method": "a.Service/Act", "server.address": "consent"}

    def record() -> None:
        for _ in range(effort.spans):
            with tracer.start_as_current_span("a.Service/Act", kind=SpanKind.CLIENT, attributes=attributes):
                pass

    record()
    holding.spans.clear()
    recorded = per_span(record, effort)
    batches = [holding.spans[at : at + BATCH] for at in range(0, effort.spans, BATCH)]
    encoded = per_span(lambda: [encode_spans(batch) for batch in batches], effort)
    messages = [encode_spans(batch) for batch in batches]
    with a_taker() as collector, grpc.insecure_channel(collector) as channel:
        make: Any = pb_grpc.TraceServiceStub
        stub = make(channel)
        stub.Export(messages[0])
        sent = per_span(lambda: [stub.Export(message) for message in messages], effort)
    return [
        Figure("a span recorded and held", recorded, "us", ONE),
        Figure("  encoded, in a batch", encoded, "us", ONE, encoded / recorded),
        Figure("  sent, in a batch", sent, "us", ONE, sent / recorded),
    ]


def per_span(run: Callable[[], object], effort: Effort) -> float:
    """Microseconds of this process's processor time."""
    began = time.process_time()
    run()
    return (time.process_time() - began) / effort.spans * 1e6


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.telemetry", description="What traces cost.")
    parser.add_argument("--quick", action="store_true", help="not for long")
    parser.add_argument("--decisions", type=int, default=100, help="of each way in each round")
    parser.add_argument("--rounds", type=int, default=8, help="in which the ways take turns")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about = machine()
    thorough = Effort(options.decisions, options.rounds, 40 * BATCH)
    effort = Effort(100, 1, 10 * BATCH) if options.quick else thorough
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        figures = [*stages(effort), *asyncio.run(decisions(Path(name), effort))]
    report = Report("traces", "sqlite", "at a time", about, figures)
    report.print()
    if options.json:
        report.write(options.json)


if __name__ == "__main__":
    main()
