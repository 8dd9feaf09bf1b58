"""What replicas are scaled by is there to be read, and databases have room for all of them."""

import re
from typing import Any

import pytest
import yaml

from services.licensing.settings import LicensingSettings
from tests.support.by_hand import DOCUMENT
from tests.support.figures import SCRAPED, figures_of_the_program
from tests.support.manifests import KUBERNETES, Manifests, Object, manifests
from tests.support.pod_policies import CHECKS, bytes_of
from tests.support.quick_start import blocks

SERVICES = ("consent", "metering", "licensing")
SESSIONS_OF_A_PROCESS = 9
"""As docs/workers.md has it."""
SESSIONS_OF_OTHERS = 10
"""Three that PostgreSQL keeps for superusers, the Jobs of migrations, CloudNativePG, an operator."""


def adapter() -> list[dict[str, Any]]:
    """The rules of prometheus-adapter."""
    path = KUBERNETES / "components" / "autoscaling" / "prometheus-adapter.yaml"
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["rules"]
    return found


def scaled_by(given: Manifests) -> dict[str, str]:
    """The metric of each autoscaler that goes by one of ours."""
    return {
        each["metadata"]["name"]: metric["pods"]["metric"]["name"]
        for each in given.of("HorizontalPodAutoscaler")
        for metric in each["spec"]["metrics"]
        if metric["type"] == "Pods"
    }


def offered() -> set[str]:
    """The metrics of the program that prometheus-adapter makes some of the cluster's."""
    found = set()
    for rule in adapter():
        name = re.search(r'__name__=~"([^"]+)"', rule["seriesQuery"])
        assert name is not None
        found |= {each for each in figures_of_the_program() if re.search(name[1], each)}
    return found


def workers(container: Object) -> int:
    """How many processes share the port of a pod."""
    told = {each["name"]: each.get("value") for each in container["env"]}
    return int(next((value for name, value in told.items() if name.endswith("_WORKERS")), None) or 1)


def sessions(given: Manifests, name: str) -> int:
    """Those that all processes of a service have at most, one pod more than usual in an update."""
    (container,) = given.workload(name).containers
    replicas = given.named("HorizontalPodAutoscaler", name)["spec"]["maxReplicas"]
    surge = given.named("Deployment", name)["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
    return int(replicas + surge) * workers(container) * SESSIONS_OF_A_PROCESS


def room(given: Manifests, name: str) -> int:
    return int(given.named("Cluster", f"{name}-db")["spec"]["postgresql"]["parameters"]["max_connections"])


def documented_patch() -> Object:
    """The patch of docs/kubernetes.md that gives a pod several workers."""
    (found,) = [block.text for block in blocks(DOCUMENT) if "_WORKERS" in block.text]
    patch: Object = yaml.safe_load(found)
    return patch


def with_workers(given: Manifests) -> Object:
    """The container of licensing as the patch makes it."""
    (container,) = given.workload("licensing").containers
    (patch,) = documented_patch()["spec"]["template"]["spec"]["containers"]
    assert patch["name"] == container["name"]
    container["env"] += patch["env"]
    container["resources"] = patch["resources"]
    return container


def test_autoscalers_go_by_metrics_that_the_program_has_and_the_adapter_offers() -> None:
    wanted = set(scaled_by(manifests("production")).values())

    assert wanted <= figures_of_the_program().keys()
    assert wanted == offered() == {"sluice_rpc_in_flight", "sluice_decisions_in_flight"}


def test_the_adapter_goes_by_labels_that_a_series_of_ours_has() -> None:
    for rule in adapter():
        asked = set(re.findall(r"(\w+)!?=~?\"", rule["seriesQuery"])) - {"__name__"}

        assert asked == set(rule["resources"]["overrides"]) == {"namespace", "pod"}
        assert asked <= SCRAPED
        assert {each["resource"] for each in rule["resources"]["overrides"].values()} == asked


@pytest.mark.parametrize("name", SERVICES)
def test_a_database_has_room_for_all_pods_that_there_may_be(name: str) -> None:
    given = manifests("production")

    assert sessions(given, name) + SESSIONS_OF_OTHERS <= room(given, name)


def test_a_pod_with_the_workers_of_the_page_is_one_that_the_program_and_the_database_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = manifests("production")
    usual = given.workload("licensing").containers[0]["resources"]

    container = with_workers(given)

    monkeypatch.setenv("SLUICE_LICENSING_DATABASE_URL", "postgresql://licensing@127.0.0.1/licensing")
    for each in container["env"]:
        if "value" in each:
            monkeypatch.setenv(each["name"], each["value"])
    assert LicensingSettings.from_environment().workers == workers(container) == 3
    assert sessions(given, "licensing") + SESSIONS_OF_OTHERS <= room(given, "licensing")
    for what in ("requests", "limits"):
        memory = bytes_of(container["resources"][what]["memory"])
        assert memory == 3 * bytes_of(usual[what]["memory"])
    assert [fault for check in CHECKS.values() for fault in check(given)] == []


def test_more_workers_than_a_database_has_room_for_are_seen() -> None:
    given = manifests("production")
    given.workload("licensing").containers[0]["env"].append(
        {"name": "SLUICE_LICENSING_WORKERS", "value": "4"}
    )

    assert sessions(given, "licensing") == 252 > room(given, "licensing")


def test_the_memory_of_consent_is_enough_for_the_start_that_the_page_names() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    (formula,) = re.findall(r"^> (\d+) MiB \+ (\d+) bytes . subjects \+ ([\d.]+) kB . distinct", text, re.M)
    program, subject, standing = int(formula[0]) * 2**20, int(formula[1]), float(formula[2]) * 1000
    given = manifests("production")
    memory = given.workload("consent").containers[0]["resources"]

    needed = program + subject * 10_000_000 + standing * 2_000_000

    assert "4 GiB (production) with 2 million" in text
    assert memory["requests"]["memory"] == memory["limits"]["memory"] == "4Gi"
    assert needed <= bytes_of(memory["limits"]["memory"])
