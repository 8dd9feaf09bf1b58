"""A restore is accepted by a Job that has what its service has, and does it once, for it is no start."""

import re
from typing import Any

import jsonschema
import pytest
import yaml

from services.chassis.accepting import acceptance_of
from tests.support.by_hand import DOCUMENT
from tests.support.custom_resources import SPECS
from tests.support.manifests import Manifests, Object, manifests
from tests.support.network_policies import End, Flow, allowed
from tests.support.pod_policies import CHECKS, floating
from tests.support.quick_start import blocks

SERVICES = ("consent", "metering", "licensing")
ACCEPTANCE = "acceptance"
TOLD = {"ACCEPTANCE_REASON": "reason", "ACCEPTANCE_BY": "by"}
"""What an operator says, and the key of the ConfigMap that it is under."""


@pytest.fixture
def accepting() -> Manifests:
    return manifests(ACCEPTANCE)


def own_and_told(container: Object) -> tuple[list[Object], dict[str, Any]]:
    """Its environment without what the operator says, and that."""
    own = [each for each in container["env"] if each["name"] not in TOLD]
    told = {each["name"]: each["valueFrom"] for each in container["env"] if each["name"] in TOLD}
    return own, told


def with_values(arguments: list[str], values: dict[str, str]) -> list[str]:
    """As the kubelet fills in what they refer to."""
    return [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], each) for each in arguments]


def test_there_is_a_job_for_each_service_and_nothing_that_production_has_not(accepting: Manifests) -> None:
    configured = [each for each in accepting.objects if each["kind"] == "ConfigMap"]
    jobs = {(each["apiVersion"], each["kind"], each["metadata"]["name"]) for each in accepting.of("Job")}

    assert jobs == {("batch/v1", "Job", f"accept-{name}") for name in SERVICES}
    assert len(configured) + len(jobs) == len(accepting.objects)
    assert [each for each in configured if each not in manifests("production").of("ConfigMap")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_the_command_of_the_page_applies_the_job_of_one_service(accepting: Manifests, name: str) -> None:
    (applying,) = [block.text for block in blocks(DOCUMENT) if "overlays/acceptance" in block.text]
    (key, value) = re.findall(r"-k \S+overlays/acceptance -l (\S+)=(\w+)", applying)[0]

    applied = [
        each["metadata"]["name"]
        for each in accepting.objects
        if each["metadata"].get("labels", {}).get(key) == value.replace("consent", name)
    ]

    assert applied == [f"accept-{name}"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_job_is_tried_once(accepting: Manifests, name: str) -> None:
    spec = accepting.workload(f"accept-{name}").spec

    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert set(spec) == {"backoffLimit", "template"}


@pytest.mark.parametrize("name", SERVICES)
def test_the_job_has_all_that_its_service_has_but_what_others_ask_it(accepting: Manifests, name: str) -> None:
    service, job = manifests("production").workload(name), accepting.workload(f"accept-{name}")
    (serving,), (accepts,) = service.containers, job.containers

    own, _ = own_and_told(accepts)

    assert own == serving["env"]
    asked = {"ports", "startupProbe", "readinessProbe", "livenessProbe", "lifecycle"}
    assert serving.keys() - accepts.keys() == asked
    assert {key for key in accepts if accepts[key] != serving[key]} == {"args", "env"}
    assert service.pod.keys() - job.pod.keys() == {"topologySpreadConstraints"}
    assert {key for key in service.pod.keys() & job.pod.keys() if job.pod[key] != service.pod[key]} == {
        "containers"
    }
    assert job.labels == service.labels


@pytest.mark.parametrize("name", SERVICES)
def test_its_arguments_are_the_programs_and_say_what_the_operator_says(
    accepting: Manifests, name: str
) -> None:
    (container,) = accepting.workload(f"accept-{name}").containers
    values = {"ACCEPTANCE_REASON": "disk of db-3 died, backup of 03:00", "ACCEPTANCE_BY": "olga"}

    program, arguments = container["args"][:4], with_values(container["args"][4:], values)
    found = acceptance_of(arguments)

    assert program == ["python", "-P", "-m", f"services.{name}"]
    assert found is not None
    assert (found.reason, found.by, found.switches) == (*values.values(), frozenset())


@pytest.mark.parametrize("name", SERVICES)
def test_it_starts_only_once_somebody_has_said_why_and_who(accepting: Manifests, name: str) -> None:
    (container,) = accepting.workload(f"accept-{name}").containers
    (making,) = [block.text for block in blocks(DOCUMENT) if "create configmap acceptance" in block.text]

    _, told = own_and_told(container)

    assert told == {
        variable: {"configMapKeyRef": {"name": "acceptance", "key": key}} for variable, key in TOLD.items()
    }
    assert set(re.findall(r"--from-literal=(\w+)=", making)) == set(TOLD.values())


@pytest.mark.parametrize("name", SERVICES)
def test_policies_let_it_reach_its_database_and_the_names(accepting: Manifests, name: str) -> None:
    given, pod = manifests("production"), End(labels=accepting.workload(f"accept-{name}").labels)
    resolver = End(namespace="kube-system", labels={"k8s-app": "kube-dns"})

    assert allowed(given, Flow(pod, End(labels={"cnpg.io/cluster": f"{name}-db"}), 5432))
    assert allowed(given, Flow(pod, resolver, 53, "UDP"))


def test_it_keeps_the_policies_of_pods(accepting: Manifests) -> None:
    given = manifests("production")

    given.objects += accepting.of("Job")

    assert [fault for check in CHECKS.values() for fault in check(given)] == []
    assert list(floating(given)) == []


def test_the_recovery_of_the_page_is_a_cluster_that_its_operator_takes() -> None:
    cluster = manifests("production").named("Cluster", "consent-db")["spec"]
    was = cluster["plugins"][0]["parameters"]

    for operation in recovery():
        assert operation["op"] == "replace" if operation["path"] != "/spec/externalClusters" else "add"
        cluster[operation["path"].removeprefix("/spec/")] = operation["value"]

    jsonschema.Draft202012Validator(SPECS["postgresql.cnpg.io/v1", "Cluster"]).validate(cluster)
    (source,) = cluster["externalClusters"]
    assert source["name"] == cluster["bootstrap"]["recovery"]["source"]
    assert source["plugin"]["parameters"] == {**was, "serverName": "consent-db"}
    # What is archived anew goes elsewhere than what is read: an archive that is not empty is refused.
    assert cluster["plugins"][0]["parameters"] == {**was, "serverName": "consent-db-2"}


def recovery() -> list[Object]:
    """The patch of docs/kubernetes.md that has a Cluster begin with a backup."""
    (found,) = [block.text for block in blocks(DOCUMENT) if "externalClusters" in block.text]
    operations: list[Object] = yaml.safe_load(found)
    return operations
