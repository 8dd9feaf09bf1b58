"""Traces and logs of a process: where they go, and the trace id that ties them together.

Traces may be lost, receipts never: nothing waits for an exporter. No attribute and no log line holds the id
of a person or the text of a post.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, Tracer, format_trace_id
from opentelemetry.util.types import AttributeValue

from services.chassis.otlp_lines import OtlpLines
from services.chassis.refusals import precondition
from services.chassis.span_queue import Seldom, SpanQueue
from services.chassis.workers import this_worker

if TYPE_CHECKING:
    # Whoever only calls has no settings: what reads them is slow to load.
    from services.chassis.settings import ProcessSettings

EXPORT_SECONDS = 5.0
"""For one batch, tries again included; spans that end meanwhile wait in the queue."""
SCOPE = "sluice"

_seldom = Seldom()


@dataclass(frozen=True)
class Telemetry:
    """The running exporter of a process."""

    service_name: str
    provider: TracerProvider

    def shutdown(self) -> None:
        """Sends what is still to be sent, then records nothing any more.

        Blocks for as long as that takes: `span_queue.END_SECONDS` at most, whatever the collector does.
        """
        self.provider.shutdown()
        _Current.tracer = trace.NoOpTracer()


class _Current:
    """The tracer in use; until telemetry is started, one that records nothing."""

    tracer: Tracer = trace.NoOpTracer()


def start_telemetry(service_name: str, settings: ProcessSettings) -> Telemetry:
    """Starts tracing and JSON logs on standard error for this process, instead of any earlier ones.

    Raises Refusal (precondition, OTLP_CA_UNUSABLE) where `otlp_ca` cannot be read.
    """
    start_logs(service_name, settings.log_level)
    provider = TracerProvider(
        # A caller's decision holds below it, so that a trace is never half there.
        sampler=ParentBased(TraceIdRatioBased(settings.trace_ratio)),
        resource=Resource.create({"service.name": service_name, "service.instance.id": instance_id()}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SpanQueue(_exporter(service_name, settings), settings.trace_queue))
    _Current.tracer = provider.get_tracer(SCOPE)
    return Telemetry(service_name, provider)


def instance_id() -> str:
    """A name for this run of this process that no other has: host, worker if it is one, and a part by chance.

    In a cluster the host is the pod. The process id says nothing there: it is the same in every container.
    """
    worker = this_worker()
    # No "@" in it and no long number: the collectors would take it for an address or an id.
    parts = [] if worker is None else [f"worker-{worker.number}"]
    return "/".join([os.environ.get("HOSTNAME") or socket.gethostname(), *parts, uuid.uuid4().hex[:8]])


def tracer() -> Tracer:
    """The tracer of this process."""
    return _Current.tracer


def current_trace_id() -> str:
    """The id of the current trace, 32 hexadecimal digits; "" outside of any."""
    context = trace.get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


def set_attributes(attributes: Mapping[str, AttributeValue]) -> None:
    """Adds attributes to the current span, where that is recorded."""
    span: Span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes(attributes)


def traces_path(service_name: str, settings: ProcessSettings) -> Path:
    """Where the traces of a service go when there is no collector; each worker has a file of its own."""
    path = settings.traces_path or settings.state_dir / "traces" / f"{service_name}.jsonl"
    worker = this_worker()
    return path if worker is None else path.with_name(f"{path.stem}.worker-{worker.number}{path.suffix}")


def start_logs(service_name: str, level: str) -> None:
    """JSON lines on standard error, for our own log events and for those of libraries."""
    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_origin(service_name),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *processors,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=processors,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # It reports every migration that it looks at.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _add_origin(service_name: str) -> structlog.typing.Processor:
    worker = this_worker()

    def add(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service_name
        if worker is not None:
            event["worker"] = worker.number
        if trace_id := current_trace_id():
            event["trace_id"] = trace_id
        return event

    return add


def _exporter(service_name: str, settings: ProcessSettings) -> SpanExporter:
    if settings.otlp_endpoint is None:
        return OtlpLines(traces_path(service_name, settings))
    # A third of a second of imports, spared to those who have no collector.
    import grpc  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.grpc import exporter, trace_exporter  # noqa: PLC0415

    # It warns of each try, and has a line for each batch that it gives up.
    exporter.logger.setLevel(logging.ERROR)
    exporter.logger.addFilter(_seldom)
    believed = None if settings.otlp_ca is None else grpc.ssl_channel_credentials(_read(settings.otlp_ca))
    return trace_exporter.OTLPSpanExporter(
        endpoint=settings.otlp_endpoint,
        insecure=not settings.otlp_endpoint.startswith("https"),
        credentials=believed,
        timeout=EXPORT_SECONDS,
    )


def _read(ca: Path) -> bytes:
    try:
        return ca.read_bytes()
    except OSError as error:
        raise precondition("OTLP_CA_UNUSABLE", f"{ca} cannot be read: {error.strerror}") from error
