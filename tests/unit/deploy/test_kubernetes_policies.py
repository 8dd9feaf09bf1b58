"""The manifests keep the policies of pods, and each check sees what it is there for."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.manifests import OVERLAYS, Manifests, Object, manifests
from tests.support.pod_policies import CHECKS, floating


def pod_of(given: Manifests, name: str) -> Object:
    return given.workload(name).pod


def container_of(given: Manifests, name: str) -> Object:
    found: Object = pod_of(given, name)["containers"][0]
    return found


def deployment(given: Manifests, name: str) -> Object:
    found: Object = given.named("Deployment", name)["spec"]
    return found


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_keeps_the_policy(overlay: str, check: str) -> None:
    assert list(CHECKS[check](manifests(overlay))) == []


WRONGS: list[tuple[str, Callable[[Manifests], Any], str]] = [
    (
        "unconfined",
        lambda m: container_of(m, "gateway")["securityContext"].update(readOnlyRootFilesystem=False),
        "gateway/envoy: readOnlyRootFilesystem is False",
    ),
    (
        "unconfined",
        lambda m: pod_of(m, "migrate-consent-0-1-0")["securityContext"].pop("seccompProfile"),
        "migrate-consent-0-1-0: seccompProfile is None",
    ),
    (
        "unconfined",
        lambda m: pod_of(m, "consent")["initContainers"][0]["securityContext"].pop("capabilities"),
        "consent/wait-for-schema: capabilities is None",
    ),
    (
        "unconfined",
        lambda m: pod_of(m, "console")["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
        "console: a volume of another kind, host",
    ),
    (
        "tokens",
        lambda m: pod_of(m, "console").update(automountServiceAccountToken=True),
        "console mounts a token",
    ),
    (
        "tokens",
        lambda m: m.named("ServiceAccount", "consent").pop("automountServiceAccountToken"),
        "the account consent mounts its token",
    ),
    (
        "tokens",
        lambda m: pod_of(m, "metering").pop("serviceAccountName"),
        "metering has no account of its own",
    ),
    (
        "unprobed",
        lambda m: container_of(m, "licensing").pop("startupProbe"),
        "licensing/licensing: no startupProbe",
    ),
    (
        "unprobed",
        lambda m: container_of(m, "consent")["livenessProbe"]["grpc"].update(port=7601 + 99),
        "consent/consent: livenessProbe asks a port that it has not, 7700",
    ),
    (
        "unbounded",
        lambda m: container_of(m, "settings-page")["resources"].pop("limits"),
        "settings-page/settings-page: no limit on memory",
    ),
    (
        "unbounded",
        lambda m: container_of(m, "settings-page")["resources"]["requests"].pop("cpu"),
        "settings-page/settings-page: no request for cpu",
    ),
    (
        "unnamed_images",
        lambda m: container_of(m, "gateway").update(image="registry.example:5000/envoy"),
        "gateway: registry.example:5000/envoy has neither digest nor tag",
    ),
    (
        "unnamed_images",
        lambda m: m.named("Cluster", "consent-db")["spec"].update(imageName="postgresql:latest"),
        "consent-db: postgresql:latest has neither digest nor tag",
    ),
    (
        "undrained",
        lambda m: pod_of(m, "licensing").update(terminationGracePeriodSeconds=23),
        "licensing: its end takes 18 s, and there is no time for that",
    ),
    (
        "undrained",
        lambda m: pod_of(m, "gateway").update(terminationGracePeriodSeconds=30),
        "gateway: its end takes 35 s, and there is no time for that",
    ),
    (
        "undrained",
        lambda m: deployment(m, "consent")["strategy"]["rollingUpdate"].update(maxUnavailable=1),
        "consent: a rolling update takes pods away first",
    ),
    (
        "unspread",
        lambda m: pod_of(m, "gateway")["topologySpreadConstraints"].pop(0),
        "gateway: not spread by topology.kubernetes.io/zone",
    ),
    (
        "unspread",
        lambda m: pod_of(m, "consent")["topologySpreadConstraints"][1].pop("nodeTaintsPolicy"),
        "consent: nodes that take no pods count as a kubernetes.io/hostname without any",
    ),
    (
        "misselected",
        lambda m: m.named("Service", "consent-pods")["spec"]["selector"].update(
            {"app.kubernetes.io/component": "cnsent"}
        ),
        "the Service consent-pods selects pods of []",
    ),
    (
        "misselected",
        lambda m: m.named("Service", "console")["spec"]["ports"][0].update(targetPort="web"),
        "the Service console leads to no port web",
    ),
    (
        "misselected",
        lambda m: deployment(m, "console")["selector"]["matchLabels"].update(tier="front"),
        "console does not select its own pods",
    ),
    (
        "interrupted",
        lambda m: m.objects.remove(m.named("PodDisruptionBudget", "metering")),
        "metering: 0 budgets for its disruption",
    ),
    (
        "interrupted",
        lambda m: m.named("PodDisruptionBudget", "metering")["spec"].update(maxUnavailable=0),
        "metering: its budget is not one at a time",
    ),
    (
        "interrupted",
        lambda m: m.named("HorizontalPodAutoscaler", "licensing")["spec"].update(minReplicas=1),
        "licensing: its autoscaler goes below two",
    ),
    (
        "interrupted",
        lambda m: deployment(m, "licensing").update(replicas=2),
        "licensing: its replicas are said twice, here and by an autoscaler",
    ),
]


@pytest.mark.parametrize(("check", "break_it", "fault"), WRONGS, ids=[wrong[2] for wrong in WRONGS])
def test_what_breaks_a_policy_is_seen(check: str, break_it: Callable[[Manifests], Any], fault: str) -> None:
    given = manifests("production")

    break_it(given)

    assert list(CHECKS[check](given)) == [fault]


def test_the_namespace_lets_restricted_pods_in_alone() -> None:
    (namespace,) = manifests("production").of("Namespace")

    labels = namespace["metadata"]["labels"]

    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_autoscalers_go_by_what_is_under_way() -> None:
    scalers = manifests("production").of("HorizontalPodAutoscaler")

    metrics = {
        each["metadata"]["name"]: [metric.get("pods", {}).get("metric") for metric in each["spec"]["metrics"]]
        for each in scalers
    }

    assert metrics == {
        "consent": [{"name": "sluice_rpc_in_flight"}],
        "metering": [{"name": "sluice_rpc_in_flight"}],
        "licensing": [{"name": "sluice_decisions_in_flight"}],
        "gateway": [None],
    }


@pytest.mark.parametrize(
    ("name", "drain", "whole"), [("consent", 5, 20), ("metering", 5, 20), ("licensing", 10, 25)]
)
def test_a_service_ends_in_the_time_that_decision_26_reckons_with(name: str, drain: int, whole: int) -> None:
    given = manifests("production")
    container = container_of(given, name)
    told = {each["name"]: each.get("value") for each in container["env"]}

    assert container["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert told[f"SLUICE_{name.upper()}_DRAIN_GRACE"] == "3"
    assert told[f"SLUICE_{name.upper()}_DRAIN_SECONDS"] == str(drain)
    assert pod_of(given, name)["terminationGracePeriodSeconds"] == whole
    assert deployment(given, name)["minReadySeconds"] == 10


def test_each_release_migrates_with_jobs_of_its_own() -> None:
    given = manifests("production")

    tags = {
        work.containers[0]["image"].partition("@")[0].rpartition(":")[2]
        for work in given.workloads()
        if work.kind == "Job"
    }

    assert tags == {"0.1.0"}
    assert sorted(each["metadata"]["name"] for each in given.of("Job")) == [
        "migrate-consent-0-1-0",
        "migrate-licensing-0-1-0",
        "migrate-metering-0-1-0",
    ]


def test_what_takes_away_from_a_schema_is_a_job_of_the_same_release_that_an_operator_applies() -> None:
    given, apart = manifests("production"), manifests("production/contraction")
    expanding = {each["metadata"]["name"]: each["spec"] for each in given.of("Job")}
    taking = {each["metadata"]["name"]: each["spec"] for each in apart.of("Job")}

    assert [each for each in apart.objects if each["kind"] != "Job"] == []
    assert set(taking) == {f"{name}-contract" for name in expanding}
    for name, spec in expanding.items():
        (container,) = spec["template"]["spec"]["containers"]
        container["args"].append("--contract")
        assert taking[f"{name}-contract"] == spec


def test_production_names_every_image_by_its_digest() -> None:
    given = manifests("production")

    assert list(floating(given)) == []
    assert list(floating(manifests("production/contraction"))) == []


def test_an_image_without_a_digest_is_seen() -> None:
    given = manifests("production")
    container_of(given, "gateway").update(image="envoyproxy/envoy:v1.40.0")
    given.named("Cluster", "consent-db")["spec"].update(imageName="postgresql:18-standard-trixie")

    found = list(floating(given))

    assert found == [
        "gateway: envoyproxy/envoy:v1.40.0 has no digest",
        "consent-db: postgresql:18-standard-trixie has no digest",
    ]


@pytest.mark.parametrize("name", ["consent", "metering", "licensing"])
def test_a_rollout_is_not_given_up_while_its_job_may_still_migrate(name: str) -> None:
    given = manifests("production")
    job = given.named("Job", f"migrate-{name}-0-1-0")["spec"]
    probe = container_of(given, name)["startupProbe"]
    start = probe["periodSeconds"] * probe["failureThreshold"]
    wait = int(pod_of(given, name)["initContainers"][0]["args"][-1])

    left = deployment(given, name)["progressDeadlineSeconds"] - job["activeDeadlineSeconds"]

    assert job["activeDeadlineSeconds"] == 86_400
    assert left >= wait + start


def test_what_cannot_be_made_again_is_not_pruned_with_the_rest() -> None:
    given = manifests("production")
    kinds = ("Namespace", "PersistentVolumeClaim", "Cluster")
    kept = [each["metadata"] for kind in kinds for each in given.of(kind)]

    assert len(kept) == 8
    for each in kept:
        assert each["annotations"]["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
        assert each["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"
