"""In a cluster spans go through the two tiers of docs/telemetry.md, in `dev` to one pod that shows them."""

import re
from pathlib import PurePosixPath

import pytest
import yaml

from tests.support.manifests import KUBERNETES, Manifests, Object, manifests
from tests.support.pod_policies import bytes_of

DEPLOY = KUBERNETES.parent
TIERS = {"otel-collector": "gateway", "otel-sampler": "sampler"}
"""Each with its file in deploy/otel."""


def container(given: Manifests, name: str) -> Object:
    (found,) = given.workload(name).containers
    return found


def environment(given: Manifests, name: str) -> dict[str, str | None]:
    return {each["name"]: each.get("value") for each in container(given, name)["env"]}


def files_of(given: Manifests, name: str) -> dict[PurePosixPath, str]:
    """What is mounted of ConfigMaps that are among the manifests, by its path."""
    volumes = {each["name"]: each for each in given.workload(name).pod["volumes"]}
    made = {each["metadata"]["name"]: each["data"] for each in given.of("ConfigMap")}
    return {
        PurePosixPath(mount["mountPath"], file): text
        for mount in container(given, name)["volumeMounts"]
        for file, text in made.get(volumes[mount["name"]].get("configMap", {}).get("name"), {}).items()
    }


@pytest.mark.parametrize(("name", "file"), TIERS.items())
def test_a_tier_is_started_with_its_file_word_for_word(name: str, file: str) -> None:
    given = manifests("production")
    (argument,) = container(given, name)["args"]

    text = files_of(given, name)[PurePosixPath(argument.removeprefix("--config="))]

    assert text == (DEPLOY / "otel" / f"{file}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "file"), TIERS.items())
def test_a_tier_is_told_every_variable_that_its_file_asks_for(name: str, file: str) -> None:
    text = (DEPLOY / "otel" / f"{file}.yaml").read_text(encoding="utf-8")

    asked = set(re.findall(r"\$\{env:([A-Z_]+)", text))

    assert asked == set(environment(manifests("production"), name)) - {"GOMEMLIMIT"}


@pytest.mark.parametrize(("name", "file"), TIERS.items())
def test_the_ports_of_a_tier_are_those_of_its_file(name: str, file: str) -> None:
    read = yaml.safe_load((DEPLOY / "otel" / f"{file}.yaml").read_text(encoding="utf-8"))
    (reader,) = read["service"]["telemetry"]["metrics"]["readers"]

    ports = {
        each["name"]: each["containerPort"] for each in container(manifests("production"), name)["ports"]
    }

    assert read["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == f"0.0.0.0:{ports['otlp']}"
    assert read["extensions"]["health_check"]["endpoint"] == f"0.0.0.0:{ports['health']}"
    assert reader["pull"]["exporter"]["prometheus"]["port"] == ports["metrics"]


@pytest.mark.parametrize(("name", "file"), TIERS.items())
def test_garbage_is_collected_before_spans_are_refused_and_that_before_the_pod_is_killed(
    name: str, file: str
) -> None:
    given = manifests("production")
    read = yaml.safe_load((DEPLOY / "otel" / f"{file}.yaml").read_text(encoding="utf-8"))
    limit = bytes_of(container(given, name)["resources"]["limits"]["memory"])
    refused = limit * read["processors"]["memory_limiter"]["limit_percentage"] // 100

    collected = bytes_of((environment(given, name)["GOMEMLIMIT"] or "").removesuffix("B"))

    assert limit // 2 < collected < refused < limit


def test_a_sampler_goes_only_when_the_first_tier_has_learnt_of_it() -> None:
    given = manifests("production")
    resolver = yaml.safe_load((DEPLOY / "otel" / "gateway.yaml").read_text(encoding="utf-8"))
    dns = resolver["exporters"]["load_balancing"]["resolver"]["dns"]
    answers_are_kept = 5

    stop = container(given, "otel-sampler")["lifecycle"]["preStop"]["sleep"]["seconds"]

    assert stop > int(dns["interval"][:-1]) + int(dns["timeout"][:-1]) + answers_are_kept
    assert given.workload("otel-sampler").pod["terminationGracePeriodSeconds"] >= stop + 30


def test_each_trace_has_one_sampler_which_is_found_by_a_headless_service() -> None:
    given = manifests("production")
    spec = given.named("Service", "otel-sampler")["spec"]

    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", False)
    assert environment(given, "otel-collector")["OTEL_SAMPLERS"] == "otel-sampler.sluice.svc.cluster.local"
    assert "clusterIP" not in given.named("Service", "otel-collector")["spec"]


def test_what_lets_the_sampler_in_at_the_backend_is_in_a_secret() -> None:
    told = {each["name"]: each for each in container(manifests("production"), "otel-sampler")["env"]}

    assert told["OTLP_BACKEND_AUTHORIZATION"]["valueFrom"] == {
        "secretKeyRef": {"name": "otlp-backend", "key": "authorization"}
    }


def test_the_images_are_those_of_the_compose_file() -> None:
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]

    for overlay, name, service in (
        ("production", "otel-collector", "otel-collector"),
        ("production", "otel-sampler", "otel-collector"),
        ("dev", "otel-collector", "jaeger"),
    ):
        image = composed[service]["image"].removeprefix("docker.io/").partition("$")[0]
        assert container(manifests(overlay), name)["image"].partition("@")[0] == image


def test_in_dev_the_collector_is_one_pod_and_no_span_is_written_to_a_volume() -> None:
    given = manifests("dev")

    assert [work.name for work in given.workloads() if work.name.startswith("otel-")] == ["otel-collector"]
    assert container(given, "otel-collector")["ports"][0] == {"name": "otlp", "containerPort": 4317}
