"""What Prometheus and Grafana are given in a cluster is what deploy/prometheus and deploy/dashboards have."""

import json
from pathlib import Path

import pytest
import yaml

from deploy.prometheus.__main__ import objects
from tests.support.manifests import COMPONENT, KUBERNETES, manifests
from tests.support.rules import alerts, rule_files

MADE = KUBERNETES / "components" / "monitoring" / "rules"
BOARDS = KUBERNETES.parent / "dashboards"
MEBIBYTE = 1024 * 1024


def test_the_objects_of_rules_on_file_are_those_that_are_made() -> None:
    on_file = {path.name: path.read_text(encoding="utf-8") for path in MADE.iterdir()}

    assert on_file == objects()


@pytest.mark.parametrize("path", rule_files(), ids=lambda path: path.stem)
def test_an_object_of_rules_says_what_its_file_says(path: Path) -> None:
    spec = manifests("production").named("PrometheusRule", f"sluice-{path.stem}")["spec"]

    assert spec == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_alert_is_in_the_cluster() -> None:
    there = [
        rule["alert"]
        for each in manifests("production").of("PrometheusRule")
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]

    assert sorted(there) == sorted(alerts())


def test_jobs_are_named_by_what_a_pod_is_as_the_rules_have_it() -> None:
    given = manifests("production")
    of_ours = [each["spec"] for each in given.of("PodMonitor") if each["metadata"]["name"] != "databases"]

    read = {
        value
        for spec in of_ours
        for value in (
            spec["selector"].get("matchLabels", {}).get(COMPONENT),
            *(
                value
                for expression in spec["selector"].get("matchExpressions", ())
                if expression["key"] == COMPONENT
                for value in expression["values"]
            ),
        )
        if value is not None
    }

    assert {spec["jobLabel"] for spec in of_ours} == {COMPONENT}
    assert read == {"consent", "metering", "licensing", "gateway", "otel-collector", "otel-sampler"}


def test_monitors_ask_at_ports_that_their_pods_have() -> None:
    given = manifests("production")
    ports = {
        work.labels[COMPONENT]: {port["name"] for each in work.containers for port in each.get("ports", ())}
        for work in given.workloads()
    }
    asked = {
        each["metadata"]["name"]: (
            each["spec"]["podMetricsEndpoints"][0]["port"],
            each["spec"]["podMetricsEndpoints"][0]["path"],
        )
        for each in given.of("PodMonitor")
    }

    assert asked == {
        "services": ("metrics", "/metrics"),
        "gateway": ("figures", "/stats/prometheus"),
        "collectors": ("metrics", "/metrics"),
        "databases": ("metrics", "/metrics"),
    }
    for component in ("consent", "metering", "licensing", "otel-collector", "otel-sampler"):
        assert "metrics" in ports[component]
    assert "figures" in ports["gateway"]


def test_grafana_is_given_every_board_in_an_object_of_its_own() -> None:
    given = [
        each
        for each in manifests("production").of("ConfigMap")
        if each["metadata"].get("labels", {}).get("grafana_dashboard") == "1"
    ]

    shown = {each["metadata"]["name"]: each["data"] for each in given}

    assert shown == {
        f"board-{path.stem}": {path.name: path.read_text(encoding="utf-8")} for path in BOARDS.glob("*.json")
    }
    assert all(len(json.dumps(each)) < MEBIBYTE // 2 for each in given)
