"""The way of sampling that was measured and not taken does what it is measured for."""

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import Status, StatusCode, Tracer, set_span_in_context

from bench.chosen_spans import ChosenSpans, worth_keeping

SLOW_US = 10_000_000


class Taken(SpanProcessor):
    """What was handed on."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keeps its name."""
        self.names.append(span.name)


def choosing(share: float, slow_us: int = SLOW_US) -> tuple[Tracer, Taken]:
    """A tracer whose spans are chosen, and what comes of them."""
    taken, provider = Taken(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(ChosenSpans(taken, worth_keeping(share, slow_us)))
    return provider.get_tracer("test"), taken


def test_an_ordinary_part_is_dropped_and_one_of_the_share_is_kept_whole() -> None:
    found = []

    for share in (0.0, 1.0):
        tracer, taken = choosing(share)
        with tracer.start_as_current_span("call"), tracer.start_as_current_span("work"):
            pass
        found.append(taken.names)

    assert found == [[], ["work", "call"]]


def test_denials_errors_and_slow_parts_are_kept_whole() -> None:
    tracer, taken = choosing(0.0)
    with tracer.start_as_current_span("denied") as span, tracer.start_as_current_span("its work"):
        span.set_attribute("sluice.outcome", "DENIED")
    with tracer.start_as_current_span("refused") as span:
        span.set_status(Status(StatusCode.ERROR))
    slow_tracer, slow_taken = choosing(0.0, slow_us=0)
    with slow_tracer.start_as_current_span("slow"):
        pass

    assert taken.names == ["its work", "denied", "refused"]
    assert slow_taken.names == ["slow"]


def test_a_part_is_chosen_when_the_last_of_its_calls_has_ended() -> None:
    tracer, taken = choosing(1.0)

    call = tracer.start_span("call")
    tracer.start_span("work", context=set_span_in_context(call)).end()
    before = list(taken.names)
    call.end()

    assert before == []
    assert taken.names == ["work", "call"]
