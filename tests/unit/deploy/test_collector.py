"""The collector's files hang together, and choose traces by what the program really says on its spans."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from opentelemetry.sdk.resources import Resource
from opentelemetry.semconv._incubating.attributes import rpc_attributes
from opentelemetry.semconv.attributes import (
    code_attributes,
    db_attributes,
    error_attributes,
    http_attributes,
    server_attributes,
)

from services.chassis.deadlines import DEFAULT_DEADLINE_US
from services.chassis.dialing import REQUEST_ID
from services.chassis.span_queue import EXPORT_EVERY_SECONDS
from services.chassis.telemetry import EXPORT_SECONDS, instance_id
from services.consent.rpc import servicer as consent
from services.console.gateway.values import Limits, Values
from services.directory.rpc import servicer as directory
from services.licensing.domain.releases import Outcome
from services.licensing.rpc import decision_spans

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
COMPOSE, GATEWAY, SAMPLER = "compose", "gateway", "sampler"
EVERY = (COMPOSE, GATEWAY, SAMPLER)
JUDGES = (COMPOSE, SAMPLER)
ENVOY_HOLDS_SECONDS = 5
"""`tracing.opentelemetry.flush_interval_ms`, as it is by default."""
USUAL_SECONDS = 1
"""By which a decision has ended, but for one in a hundred."""
SPANS_OF_A_DECISION = 25
"""By post id through the gateway (`tests/e2e/test_complete_traces.py`)."""
SPAN_BYTES = 2_800
"""In a queue of ours (`tests/integration/chassis/test_exporting.py`); taken for a sampler's too."""
SAMPLER_BYTES = 4 * 2**30
"""What docs/telemetry.md gives a sampler."""
OF_DECISIONS = {
    value for name, value in vars(decision_spans).items() if name.isupper() and isinstance(value, str)
}
OURS = OF_DECISIONS | {
    consent.POSTS_ASKED,
    consent.CONSENT_REVISION,
    directory.POSTS_ASKED,
    directory.POSTS_KNOWN,
}
SAID = OURS | {
    rpc_attributes.RPC_SYSTEM_NAME,
    rpc_attributes.RPC_METHOD,
    rpc_attributes.RPC_RESPONSE_STATUS_CODE,
    f"{rpc_attributes.RPC_RESPONSE_METADATA_TEMPLATE}.{REQUEST_ID}",
    server_attributes.SERVER_ADDRESS,
    error_attributes.ERROR_TYPE,
    db_attributes.DB_SYSTEM_NAME,
    db_attributes.DB_NAMESPACE,
    db_attributes.DB_OPERATION_NAME,
    code_attributes.CODE_FUNCTION_NAME,
    http_attributes.HTTP_REQUEST_METHOD,
    http_attributes.HTTP_ROUTE,
    http_attributes.HTTP_RESPONSE_STATUS_CODE,
}
"""What services and pages put onto spans."""


def read(name: str) -> dict[str, Any]:
    """One of the collector's files."""
    text = (DEPLOY / "otel" / f"{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read


def pipeline(name: str) -> dict[str, list[str]]:
    """The one of the traces; there is no other."""
    pipelines = read(name)["service"]["pipelines"]
    assert set(pipelines) == {"traces"}
    found: dict[str, list[str]] = pipelines["traces"]
    return found


def policies(name: str) -> dict[str, dict[str, Any]]:
    """By name, each with what it decides by."""
    rules = read(name)["processors"]["tail_sampling"]["policies"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    return {rule["name"]: rule[rule["type"]] for rule in rules}


def seconds(duration: str) -> float:
    """Of Go's "25s" and "200ms"."""
    return float(duration[:-2]) / 1_000 if duration.endswith("ms") else float(duration[:-1])


@pytest.mark.parametrize("name", EVERY)
def test_what_a_pipeline_uses_is_declared_and_what_is_declared_is_used(name: str) -> None:
    file = read(name)

    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline(name)[kind]) == set(file[kind])
    assert set(file["service"]["extensions"]) == set(file["extensions"])
    assert set(file) == {"receivers", "processors", "exporters", "extensions", "service"}


@pytest.mark.parametrize("name", EVERY)
def test_memory_is_limited_first_and_batches_are_made_last_in_the_queue_of_the_exporter(name: str) -> None:
    (exporter,) = read(name)["exporters"].values()

    assert pipeline(name)["processors"][0] == "memory_limiter"
    assert "batch" not in pipeline(name)["processors"]
    assert exporter["sending_queue"]["batch"]["max_size"] <= exporter["sending_queue"]["queue_size"]
    assert exporter["retry_on_failure"]["enabled"] is True


@pytest.mark.parametrize("name", EVERY)
def test_every_collector_says_how_it_is_and_counts_what_it_does(name: str) -> None:
    file = read(name)

    assert file["extensions"]["health_check"] == {"endpoint": "0.0.0.0:13133"}
    (reader,) = file["service"]["telemetry"]["metrics"]["readers"]
    assert reader["pull"]["exporter"]["prometheus"] == {"host": "0.0.0.0", "port": 8888}


@pytest.mark.parametrize("name", EVERY)
def test_spans_are_taken_on_the_port_that_the_gateway_sends_them_to(name: str) -> None:
    gateway = yaml.safe_load((DEPLOY / "envoy" / "cluster.yaml").read_text(encoding="utf-8"))
    host, _, port = gateway["collector"].rpartition(":")

    assert read(name)["receivers"] == {"otlp": {"protocols": {"grpc": {"endpoint": f"0.0.0.0:{port}"}}}}
    assert host == "otel-collector.sluice.svc.cluster.local"


def test_what_is_to_be_judged_at_its_end_is_recorded_from_its_beginning() -> None:
    gateway = yaml.safe_load((DEPLOY / "envoy" / "cluster.yaml").read_text(encoding="utf-8"))

    assert gateway["sampled_percent"] == 100
    assert Values.model_fields["sampled_percent"].default == 100


def test_the_spans_of_a_trace_go_to_one_sampler_and_to_another_one_when_it_is_gone() -> None:
    balancing = read(GATEWAY)["exporters"]["load_balancing"]

    assert balancing["routing_key"] == "traceID"
    assert (
        balancing["resolver"]["dns"]["port"]
        == read(SAMPLER)["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].rpartition(":")[2]
    )
    assert "tail_sampling" not in read(GATEWAY)["processors"]
    # A queue behind the choice of a sampler would wait for the one that has gone.
    assert balancing["protocol"]["otlp"]["sending_queue"] == {"enabled": False}


@pytest.mark.parametrize("name", JUDGES)
def test_denials_errors_and_slow_decisions_are_kept(name: str) -> None:
    kept = policies(name)

    assert kept["denied"] == {"key": decision_spans.OUTCOME, "values": [Outcome.DENIED.name]}
    assert kept["errors"] == {"status_codes": ["ERROR"]}
    assert kept["slow"] == {"threshold_ms": 250}


def test_of_all_others_a_hundredth_is_kept_in_a_cluster_and_all_on_one_machine() -> None:
    assert policies(SAMPLER).pop("share") == {"sampling_percentage": 1}
    assert policies(COMPOSE).pop("share") == {"sampling_percentage": 100}
    assert {*policies(SAMPLER)} == {*policies(COMPOSE)} == {"denied", "errors", "slow", "share"}


def first_tier_seconds() -> float:
    """The longest that it has a span: until its batch is made, and the tries, and the last one of them."""
    balancing = read(GATEWAY)["exporters"]["load_balancing"]
    return (
        seconds(balancing["sending_queue"]["batch"]["flush_timeout"])
        + seconds(balancing["retry_on_failure"]["max_elapsed_time"])
        + seconds(balancing["protocol"]["otlp"]["timeout"])
    )


def envoy_seconds() -> float:
    """The longest that the gateway has a span that has ended: held, and then tried."""
    template = (DEPLOY / "envoy" / "envoy.yaml.j2").read_text(encoding="utf-8")
    (tried,) = re.findall(r"cluster_name: collector}, timeout: (\d+)s}", template)
    return ENVOY_HOLDS_SECONDS + float(tried)


def test_a_trace_is_judged_after_its_last_span_can_have_come() -> None:
    call = Limits().longest_call_seconds
    services = EXPORT_EVERY_SECONDS + EXPORT_SECONDS
    longest = call + max(services, envoy_seconds()) + first_tier_seconds()

    assert call > DEFAULT_DEADLINE_US / 1e6
    assert longest == pytest.approx(77.2)
    assert seconds(read(SAMPLER)["processors"]["tail_sampling"]["decision_wait"]) > longest
    assert seconds(read(COMPOSE)["processors"]["tail_sampling"]["decision_wait"]) >= envoy_seconds()


def test_a_trace_whose_root_has_come_is_judged_after_what_ended_before_it_can_have_come() -> None:
    longest = EXPORT_EVERY_SECONDS + EXPORT_SECONDS + first_tier_seconds()

    assert longest == pytest.approx(12.7)
    assert (
        seconds(read(SAMPLER)["processors"]["tail_sampling"]["decision_wait_after_root_received"]) > longest
    )


def test_a_sampler_has_room_and_memory_for_the_traces_of_the_rate_that_is_stated() -> None:
    sampling = read(SAMPLER)["processors"]["tail_sampling"]
    rate, in_the_end = sampling["expected_new_traces_per_sec"], 0.01
    limits = read(SAMPLER)["processors"]["memory_limiter"]
    usual = USUAL_SECONDS + ENVOY_HOLDS_SECONDS + seconds(sampling["decision_wait_after_root_received"])

    held = rate * ((1 - in_the_end) * usual + in_the_end * seconds(sampling["decision_wait"]))
    # Above the softer limit spans are refused.
    room = SAMPLER_BYTES * (limits["limit_percentage"] - limits["spike_limit_percentage"]) / 100

    assert rate == 1_000
    assert held == pytest.approx(21_590)
    assert sampling["num_traces"] > held
    assert sampling["num_traces"] * SPANS_OF_A_DECISION * SPAN_BYTES < room


@pytest.mark.parametrize("name", JUDGES)
def test_what_has_been_judged_is_remembered_for_longer_than_traces_are_held(name: str) -> None:
    sampling = read(name)["processors"]["tail_sampling"]

    assert min(sampling["decision_cache"].values()) > sampling["num_traces"]


@pytest.mark.parametrize("name", JUDGES)
def test_the_fence_lets_through_what_the_program_says_and_takes_off_what_nobody_named(name: str) -> None:
    fence = read(name)["processors"]["redaction"]

    assert pipeline(name)["processors"].index("redaction") > pipeline(name)["processors"].index(
        "tail_sampling"
    )
    assert fence["allow_all_keys"] is False
    assert set(fence["allowed_keys"]) >= SAID | set(Resource.create({}).attributes) | {"service.instance.id"}
    assert {key for key in fence["allowed_keys"] if key.startswith("sluice.")} == OURS


@pytest.mark.parametrize("name", JUDGES)
def test_which_pod_it_was_passes_the_fence_unmasked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTNAME", "licensing-7d9f8b6c5-x2x4z.licensing-pods.sluice.svc.cluster.local")
    fence = read(name)["processors"]["redaction"]

    masked = [pattern for pattern in fence["blocked_values"] if re.search(pattern, instance_id())]

    assert "service.instance.id" in fence["allowed_keys"]
    assert masked == []


@pytest.mark.parametrize("name", JUDGES)
def test_addresses_browsers_and_paths_do_not_pass_the_fence(name: str) -> None:
    allowed = set(read(name)["processors"]["redaction"]["allowed_keys"])

    assert allowed.isdisjoint({"peer.address", "user_agent", "http.url", "url.path", "client.address"})


def test_both_that_judge_have_the_same_fence() -> None:
    assert read(COMPOSE)["processors"]["redaction"] == read(SAMPLER)["processors"]["redaction"]


def test_the_backend_of_a_cluster_is_named_by_its_environment_and_spoken_to_over_tls() -> None:
    exporter = read(SAMPLER)["exporters"]["otlp_grpc"]

    assert exporter["endpoint"] == "${env:OTLP_BACKEND}"
    assert exporter["tls"] == {"insecure": False, "ca_file": "${env:OTLP_BACKEND_CA:-}"}
