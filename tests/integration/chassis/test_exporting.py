"""Spans leave over TLS to a collector that is believed; one that hangs does not hold up an end."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from bench.timing import resident_bytes
from services.chassis.metrics import SPANS_DROPPED
from services.chassis.refusals import Refusal
from services.chassis.telemetry import tracer
from tests.support.collector import Hanging, a_collector
from tests.support.envoy import NOBODY
from tests.support.https import make_certificate
from tests.support.telemetry import recording

pytestmark = pytest.mark.slow


def end_a_span(folder: Path, **settings: Any) -> None:
    """One span called "job", by a process that ends after it."""
    with recording(folder / "unused.jsonl", **settings), tracer().start_as_current_span("job"):
        pass


def tls(folder: Path) -> tuple[Path, grpc.ServerCredentials]:
    """A certificate of 127.0.0.1, and what a server shows it with."""
    folder.mkdir()
    certificate, key = make_certificate(folder, "127.0.0.1")
    shown = [(key.read_bytes(), certificate.read_bytes())]
    return certificate, grpc.ssl_server_credentials(shown)


async def test_a_collector_is_believed_by_its_certificate(tmp_path: Path) -> None:
    certificate, credentials = tls(tmp_path / "collector")

    async with a_collector(credentials=credentials) as collector:
        end_a_span(tmp_path, otlp_endpoint=f"https://{collector.address}", otlp_ca=certificate)

    assert collector.names() == ["job"]


async def test_a_collector_with_a_certificate_of_others_gets_nothing(tmp_path: Path) -> None:
    _, credentials = tls(tmp_path / "collector")
    others, _ = tls(tmp_path / "others")

    async with a_collector(credentials=credentials) as collector:
        end_a_span(tmp_path, otlp_endpoint=f"https://{collector.address}", otlp_ca=others)

    assert collector.names() == []


def test_a_process_does_not_start_with_authorities_that_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="OTLP_CA_UNUSABLE"):
        end_a_span(tmp_path, otlp_endpoint="https://127.0.0.1:1", otlp_ca=tmp_path / "none.pem")


SPANS = 20_000
"""Some 1,600 decisions in licensing; held, they would take 56 MB."""
MOST_BYTES = 8 * 2**20
"""By which memory may grow meanwhile: far less than that, and more than an allocator's whims."""


def grown(**settings: Any) -> int:
    """Bytes of memory that this process grows by while it ends spans, once its queue is full."""

    def end_spans() -> None:
        for _ in range(SPANS):
            with tracer().start_as_current_span("job", attributes={"rpc.method": "a.Service/Act"}):
                pass

    with recording(Path("unused"), **settings):
        end_spans()
        before = resident_bytes()
        end_spans()
        return resident_bytes() - before


async def test_memory_stays_where_no_collector_is() -> None:
    before = SPANS_DROPPED.labels("full")._value.get()

    size = grown(otlp_endpoint=f"http://{NOBODY}")

    assert size < MOST_BYTES
    assert SPANS_DROPPED.labels("full")._value.get() - before > SPANS


async def test_memory_stays_where_a_collector_hangs() -> None:
    before = SPANS_DROPPED.labels("full")._value.get()

    async with a_collector(Hanging()) as collector:
        size = grown(otlp_endpoint=f"http://{collector.address}")

    assert size < MOST_BYTES
    assert SPANS_DROPPED.labels("full")._value.get() - before > SPANS


async def test_a_collector_that_hangs_is_left_at_the_end(tmp_path: Path) -> None:
    before = SPANS_DROPPED.labels("refused")._value.get()

    # Were it waited for, this would not end before the collector does.
    async with a_collector(Hanging()) as collector:
        end_a_span(tmp_path, otlp_endpoint=f"http://{collector.address}")

    assert SPANS_DROPPED.labels("refused")._value.get() - before == 1
