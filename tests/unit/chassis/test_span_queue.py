"""Spans leave a process by a queue that is bounded, and whoever takes them holds nothing up."""

import logging
import threading
from collections.abc import Iterator, Sequence

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer
from structlog.testing import capture_logs

from services.chassis.metrics import SPANS_DROPPED, SPANS_EXPORTED
from services.chassis.span_queue import BATCH, Losses, Seldom, SpanQueue


class Taking(SpanExporter):
    """Takes spans while it may, answers as it is told, and is called off by its end."""

    def __init__(self, answer: SpanExportResult | Exception = SpanExportResult.SUCCESS) -> None:
        self.answer = answer
        self.batches: list[list[str]] = []
        self.asked = threading.Event()
        self.may_take = threading.Event()
        self.may_take.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.asked.set()
        self.may_take.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is SpanExportResult.SUCCESS:
            self.batches.append([span.name for span in spans])
        return self.answer

    def shutdown(self) -> None:
        self.may_take.set()


def dropped(reason: str) -> float:
    """So far, in this process."""
    value: float = SPANS_DROPPED.labels(reason)._value.get()
    return value


def exported() -> float:
    """Likewise."""
    value: float = SPANS_EXPORTED._value.get()
    return value


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    """What is logged."""
    with capture_logs() as lines:
        yield lines


def a_queue(exporter: SpanExporter, room: int = 4_096) -> tuple[SpanQueue, Tracer]:
    """A queue, and what fills it."""
    queue, provider = SpanQueue(exporter, room), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(queue)
    return queue, provider.get_tracer("test")


def end_spans(tracer: Tracer, *names: str) -> None:
    """Spans of these names, one after the other."""
    for name in names:
        tracer.start_span(name).end()


def test_spans_are_taken_in_the_order_in_which_they_ended() -> None:
    exporter = Taking()
    queue, tracer = a_queue(exporter)
    before = exported()

    end_spans(tracer, "one", "two", "three")
    queue.shutdown()

    assert [name for batch in exporter.batches for name in batch] == ["one", "two", "three"]
    assert exported() - before == 3


def test_a_full_batch_does_not_wait_for_its_time() -> None:
    exporter = Taking()
    queue, tracer = a_queue(exporter)

    end_spans(tracer, *["span"] * BATCH)

    assert exporter.asked.wait(30)
    queue.shutdown()
    assert sum(len(batch) for batch in exporter.batches) == BATCH


def test_what_has_no_room_is_dropped_and_counted_and_what_was_there_stays() -> None:
    exporter = Taking()
    exporter.may_take.clear()
    queue, tracer = a_queue(exporter, room=2)
    end_spans(tracer, "under way")
    assert exporter.asked.wait(30)
    before = dropped("full")

    end_spans(tracer, "one", "two", "three", "four")
    lost = dropped("full") - before
    exporter.may_take.set()
    queue.shutdown()

    assert lost == 2
    assert [name for batch in exporter.batches for name in batch] == ["under way", "one", "two"]


@pytest.mark.parametrize(
    "answer", [SpanExportResult.FAILURE, ValueError("closed")], ids=["refused", "raised"]
)
def test_what_is_not_taken_is_counted_and_the_queue_goes_on(answer: SpanExportResult | Exception) -> None:
    exporter = Taking(answer)
    queue, tracer = a_queue(exporter)
    before = dropped("refused")

    end_spans(tracer, *["lost"] * BATCH)
    assert exporter.asked.wait(30)
    exporter.answer = SpanExportResult.SUCCESS
    end_spans(tracer, "taken")
    queue.shutdown()

    assert dropped("refused") - before == BATCH
    assert exporter.batches == [["taken"]]


def test_an_end_calls_off_an_export_that_hangs_and_counts_what_was_waiting() -> None:
    exporter = Taking(SpanExportResult.FAILURE)
    exporter.may_take.clear()
    queue, tracer = a_queue(exporter)
    end_spans(tracer, "under way")
    assert exporter.asked.wait(30)
    end_spans(tracer, "one", "two")
    refused, ending = dropped("refused"), dropped("ending")

    queue.shutdown()

    assert (dropped("refused") - refused, dropped("ending") - ending) == (1, 2)
    assert not queue._thread.is_alive()


def test_what_ends_after_the_end_is_counted() -> None:
    queue, tracer = a_queue(Taking())
    queue.shutdown()
    before = dropped("ending")

    end_spans(tracer, "late")

    assert dropped("ending") - before == 1


def test_losses_are_told_at_once_and_then_once_a_minute(logs: list[structlog.typing.EventDict]) -> None:
    time = 1_000.0
    losses = Losses(lambda: time)

    for second in range(120):
        time = 1_000.0 + second
        losses.add("full", 10)
        losses.tell()

    assert [(line["event"], line["full"]) for line in logs] == [
        ("spans were dropped", 10),
        ("spans were dropped", 600),
    ]


def test_the_lines_of_an_exporter_pass_once_a_minute() -> None:
    seldom = Seldom()
    records = [logging.makeLogRecord({"msg": "failed", "created": 1_000.0 + each}) for each in range(61)]

    assert [each for each, record in enumerate(records) if seldom.filter(record)] == [0, 60]
