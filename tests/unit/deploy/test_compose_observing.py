"""What of deploy/compose.yaml watches the rest is led to where that is: metrics, traces and dashboards."""

import json
from typing import Any

import yaml

from services.chassis.addresses import parse_address
from services.console.gateway.values import read_values
from tests.support.composition import ROOT, composition, filled_in, mounts

SERVICES: dict[str, dict[str, Any]] = composition(filled_in())["services"]
WITH_METRICS = ("consent", "metering", "licensing", "directory")


def configuration(path: str) -> Any:
    return yaml.safe_load((ROOT / "deploy" / path).read_text(encoding="utf-8"))


def scraped() -> dict[str, Any]:
    """Targets by job."""
    jobs = configuration("prometheus/prometheus.yaml")["scrape_configs"]
    return {job["job_name"]: [each["targets"] for each in job["static_configs"]] for job in jobs}


def otel_collector() -> Any:
    return configuration("otel/compose.yaml")


def test_prometheus_reads_its_configuration_and_the_rules_where_they_are_mounted() -> None:
    (source, target) = next(
        (source, target) for target, (source, _) in mounts(SERVICES["prometheus"]).items() if source[0] == "."
    )
    (named,) = [word for word in SERVICES["prometheus"]["command"] if word.startswith("--config.file=")]
    place = named.removeprefix(f"--config.file={target}/")

    (rules,) = configuration(f"{source}/{place}")["rule_files"]
    assert len(list((ROOT / "deploy" / source).glob(rules))) > 0


def test_prometheus_asks_each_part_by_its_name_where_it_shows_metrics() -> None:
    gateway = read_values((ROOT / "deploy/compose/gateway.yaml").read_text(encoding="utf-8"), "gateway.yaml")
    (reader,) = otel_collector()["service"]["telemetry"]["metrics"]["readers"]
    shown = {
        name: parse_address(SERVICES[name]["environment"][f"SLUICE_{name.upper()}_METRICS_LISTEN"])[1]
        for name in WITH_METRICS
    }
    shown["gateway"] = parse_address(str(gateway.stats_listen))[1]
    shown["otel-collector"] = reader["pull"]["exporter"]["prometheus"]["port"]

    targets = scraped()

    assert targets.pop("prometheus") == [["localhost:9090"]]
    assert targets == {name: [[f"{name}:{port}"]] for name, port in shown.items()}


def test_the_collector_listens_where_spans_are_sent_and_sends_them_to_jaeger() -> None:
    config = otel_collector()
    (command,) = SERVICES["otel-collector"]["command"]

    assert command.removeprefix("--config=") in mounts(SERVICES["otel-collector"])
    assert config["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "0.0.0.0:4317"
    assert config["exporters"]["otlp_grpc"]["endpoint"] == "jaeger:4317"
    assert config["service"]["pipelines"]["traces"]["exporters"] == ["otlp_grpc"]
    # Else it would listen for itself alone.
    assert SERVICES["jaeger"]["environment"] == {"JAEGER_LISTEN_HOST": "0.0.0.0"}


def test_the_console_links_to_jaeger_and_draws_no_traces_itself() -> None:
    environment = SERVICES["console"]["environment"]
    (published,) = SERVICES["jaeger"]["ports"]
    address, _, _ = published.rpartition(":")

    assert environment["SLUICE_CONSOLE_TRACE_URL"] == f"http://{address}/trace/{{trace_id}}"
    assert "SLUICE_CONSOLE_TRACES" not in environment


def test_grafana_has_a_source_of_the_kind_that_dashboards_ask_for_and_no_other_of_it() -> None:
    folder = ROOT / "deploy" / "compose" / "grafana"
    sources = yaml.safe_load((folder / "datasources.yaml").read_text(encoding="utf-8"))["datasources"]
    boards = [
        json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "deploy/dashboards").glob("*.json")
    ]

    assert {each["uid"]: each["url"] for each in sources} == {
        "prometheus": "http://prometheus:9090",
        "jaeger": "http://jaeger:16686",
    }
    wanted = {choice["query"] for board in boards for choice in board["templating"]["list"]}
    assert wanted == {"prometheus"}
    assert [each["name"] for each in sources if each["type"] in wanted] == ["Prometheus"]


def test_grafana_finds_the_dashboards() -> None:
    folder = ROOT / "deploy" / "compose" / "grafana"
    (provider,) = yaml.safe_load((folder / "dashboards.yaml").read_text(encoding="utf-8"))["providers"]

    assert mounts(SERVICES["grafana"])[provider["options"]["path"]] == ("./dashboards", True)
