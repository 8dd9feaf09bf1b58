"""The figures every service keeps: calls by method and status, their durations, and the database's queue.

No label ever holds an id of anybody or anything. What a series counts first is hidden from rate() where the
series begins with it: defects, of which one is enough, are there from the start for each method. Each gauge
says how those of several workers become one figure (`multiprocess_mode`), and one that follows a value is set
by `show`.
"""

from collections.abc import Callable, Iterable

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from services.chassis.addresses import parse_address
from services.chassis.refusals import address_in_use

CALL_SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
GROUP_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
DEFECTS = ("INTERNAL", "UNKNOWN")
"""Codes of calls that ended on what nobody foresaw."""

CALLS = Counter(
    "sluice_rpc_calls",
    "RPCs answered, and requests of streams, by method and status code.",
    ["method", "code"],
)
CALL_SECONDS = Histogram(
    "sluice_rpc_seconds",
    "Seconds from the first byte read to the answer.",
    ["method"],
    buckets=CALL_SECONDS_BUCKETS,
)
CALLS_OVERLOADED = Counter(
    "sluice_rpc_overloaded",
    "Of those, the ones refused because too much was under way or waited, whoever called; not those whose"
    " caller had too much.",
    ["method"],
)
CALLS_IN_FLIGHT = Gauge(
    "sluice_rpc_in_flight",
    "RPCs and requests of streams being worked on, health checks not counted, and no stream for being open.",
    multiprocess_mode="livesum",
)
STREAMS_OPEN = Gauge(
    "sluice_rpc_streams_open",
    "RPCs that are streams and open, at work or idle, reflection among them.",
    multiprocess_mode="livesum",
)
GROUP_UNITS = Histogram(
    "sluice_database_group_units", "Units of work in one commit.", ["database"], buckets=GROUP_BUCKETS
)
QUEUE_DEPTH = Gauge(
    "sluice_database_queue_units",
    "Units of work that wait for the writer.",
    ["database"],
    multiprocess_mode="livesum",
)
DATABASE_REACHED = Gauge(
    "sluice_database_reached_timestamp_seconds",
    "When the database last answered the look that is made twice a second, seconds since the epoch.",
    ["database"],
    # No process has it before its first look, so that the oldest is that of one that has looked.
    multiprocess_mode="livemin",
)
HEAD_KEPT = Gauge(
    "sluice_head_kept_seconds",
    "When the head kept outside was last as far as the database, seconds since the epoch.",
    ["database"],
    multiprocess_mode="livemax",
)
CERTIFICATE_LEFT = Gauge(
    "sluice_certificate_left_seconds",
    "Seconds until the certificate that is shown ends; of several workers, the one that ends first.",
    ["use"],
    multiprocess_mode="livemin",
)
CERTIFICATE_FAILURES = Counter(
    "sluice_certificate_reload_failures",
    "Certificates, keys or CAs that were replaced by something that cannot be used.",
    ["use"],
)
WORKERS = Gauge(
    "sluice_workers",
    "Processes that serve on the port of this service: workers, or the one that it is without them.",
    multiprocess_mode="livesum",
)
WORKERS_CONFIGURED = Gauge(
    "sluice_workers_configured",
    "Processes that are to serve on the port of this service.",
    multiprocess_mode="livemax",
)
WORKERS_REPLACED = Counter(
    "sluice_workers_replaced",
    "Workers that were replaced: they ended by themselves (ended), did not beat (hangs) or called themselves"
    " NOT_SERVING (withdrew). Only the pool counts them; a process without workers has no such series.",
    ["reason"],
)
SPANS_EXPORTED = Counter("sluice_spans_exported", "Spans that a collector, or the file, has taken.")
SPANS_DROPPED = Counter(
    "sluice_spans_dropped",
    "Spans that were lost: for want of room (full), not taken (refused), or not in time at the end (ending).",
    ["reason"],
)

_shown: dict[Gauge, Callable[[], float]] = {}
_failing: set[Gauge] = set()

_log = structlog.get_logger(__name__)


def show(gauge: Gauge, value: Callable[[], float]) -> None:
    """Has a gauge, or one of its labelled ones, show what `value` says when the figures are read.

    In a worker, whose figures another process reads, what it said at the last `show_now`.
    """
    gauge.set_function(value)
    gauge.set(value())
    _shown[gauge] = value


def show_now() -> None:
    """Sets each gauge that follows a value to what that is now.

    One whose value cannot be had stays as it was, and is logged once until it can be had again.
    """
    for gauge, value in list(_shown.items()):
        try:
            gauge.set(value())
        except Exception:
            if gauge not in _failing:
                _log.exception("a figure cannot be read", figure=gauge._name)
            _failing.add(gauge)
        else:
            _failing.discard(gauge)


def expect_methods(names: Iterable[str]) -> None:
    """Begins the series of defects of each method at 0; `names` such as "sluice.consent.v1.X/Y"."""
    for name in names:
        for code in DEFECTS:
            CALLS.labels(name, code)


def serve_metrics(listen: str, registry: CollectorRegistry = REGISTRY) -> str:
    """Serves the figures over HTTP at `listen` ("host:port") from a daemon thread; returns the bound address.

    Raises Refusal (precondition, ADDRESS_IN_USE) when it cannot be bound.
    """
    host, port = parse_address(listen)
    try:
        server, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise address_in_use(listen) from error
    return f"{host}:{server.server_port}"
