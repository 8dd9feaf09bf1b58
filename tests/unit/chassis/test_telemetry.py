"""Logs are JSON and carry the trace they belong to; spans follow the caller's choice to record or not."""

import json
import logging
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
import structlog
from opentelemetry.trace import get_current_span

from services.chassis import telemetry
from services.chassis.metrics import CALLS, serve_metrics
from services.chassis.refusals import Refusal
from services.chassis.telemetry import current_trace_id, instance_id, set_attributes, tracer
from services.chassis.tracing import client_span, server_span
from services.chassis.workers import Worker
from tests.support.telemetry import recording, spans_in

METHOD = "a.Service/Act"


def test_a_log_line_is_json_and_names_its_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with recording(tmp_path / "traces.jsonl", level="INFO"), tracer().start_as_current_span("job"):
        trace_id = current_trace_id()
        structlog.get_logger("ours").info("something happened", units=3)
        logging.getLogger("theirs").warning("something of %s", "theirs")

    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (ours["event"], ours["units"], ours["level"], ours["service"]) == (
        "something happened",
        3,
        "info",
        "test",
    )
    assert theirs["event"] == "something of theirs"
    assert ours["trace_id"] == theirs["trace_id"] == trace_id


def test_the_text_of_an_exception_stays_out_of_the_trace(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"

    with recording(path), pytest.raises(LookupError), server_span(METHOD, {}):
        raise LookupError("subject 4711")

    assert "4711" not in path.read_text()
    assert spans_in(path)[0]["status"] == {"code": 2, "message": "LookupError"}


def test_what_the_caller_does_not_record_is_not_recorded_here(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    with recording(path):
        for flags in ("00", "01"):
            with server_span(METHOD, {"traceparent": f"00-{trace_id}-b7ad6b7169203331-{flags}"}):
                assert current_trace_id() == trace_id

    assert [span["parentSpanId"] for span in spans_in(path)] == ["b7ad6b7169203331"]


def test_an_unsampled_trace_is_handed_on_unsampled(tmp_path: Path) -> None:
    with (
        recording(tmp_path / "traces.jsonl", ratio=0.0),
        server_span(METHOD, {}),
        client_span(METHOD, "peer") as carrier,
    ):
        trace_id = current_trace_id()

    _, handed_on, _, flags = carrier["traceparent"].split("-")
    assert handed_on == trace_id
    assert int(flags, 16) & 1 == 0


def test_attributes_go_onto_the_current_span(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"

    with recording(path), tracer().start_as_current_span("job"):
        set_attributes({"sluice.posts_asked": 1_000})

    assert spans_in(path)[0]["attributes"] == [{"key": "sluice.posts_asked", "value": {"intValue": "1000"}}]


def instance(path: Path) -> str:
    """What the process of the traces in a file calls itself."""
    (resource,) = {json.dumps(json.loads(line)["resourceSpans"][0]["resource"]) for line in path.open()}
    said = {each["key"]: each["value"]["stringValue"] for each in json.loads(resource)["attributes"]}
    name: str = said["service.instance.id"]
    return name


def test_each_run_of_a_process_has_a_name_of_its_own_that_begins_with_its_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in containers, where the process id is the same too.
    monkeypatch.setenv("HOSTNAME", "licensing-7d9f8b6c5-x2x4z")

    for run in ("first", "second"):
        with recording(tmp_path / run), tracer().start_as_current_span("job"):
            pass

    names = [instance(tmp_path / run) for run in ("first", "second")]
    assert names[0] != names[1]
    assert {name.rpartition("/")[0] for name in names} == {"licensing-7d9f8b6c5-x2x4z"}


def test_two_processes_of_one_machine_have_different_names() -> None:
    say = "from services.chassis.telemetry import instance_id; print(instance_id())"

    names = {subprocess.check_output([sys.executable, "-c", say], text=True) for _ in range(2)}

    assert len(names) == 2


def test_a_worker_is_named_by_its_number_too(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    monkeypatch.setenv("HOSTNAME", "consent-0")
    monkeypatch.setattr(telemetry, "this_worker", lambda: Worker(2, here, 1.0))

    name = instance_id()

    assert name.rpartition("/")[0] == "consent-0/worker-2"
    here.close()
    there.close()


def test_without_telemetry_nothing_is_recorded_and_nothing_breaks() -> None:
    with server_span(METHOD, {}), client_span(METHOD, "peer"):
        set_attributes({"outcome": "x"})

        assert not get_current_span().is_recording()
        assert current_trace_id() == ""


def test_metrics_are_served_over_http() -> None:
    CALLS.labels("a.Service/Act", "OK").inc()

    address = serve_metrics("127.0.0.1:0")

    with urlopen(f"http://{address}/metrics") as answer:
        assert b'sluice_rpc_calls_total{code="OK",method="a.Service/Act"} 1.0' in answer.read()
    with pytest.raises(Refusal, match="ADDRESS_IN_USE"):
        serve_metrics(address)
