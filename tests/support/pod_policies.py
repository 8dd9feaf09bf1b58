"""What is wrong with pods, by the policies that deploy/kubernetes keeps; each check gives what it finds."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.manifests import Manifests, Object, Workload

SLACK_SECONDS = 6
"""What is left, at least, between the end of a drain and the end of the pod: 3 s for spans that wait, and 3 s
in which a pool of workers closes."""
_DIGITS = re.compile(r"(\d+)(Ki|Mi|Gi|)")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_UNITS = {"": 1, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


def bytes_of(quantity: str) -> int:
    """1536Mi as a number."""
    found = _DIGITS.fullmatch(quantity)
    assert found is not None, quantity
    return int(found[1]) * _UNITS[found[2]]


def unconfined(given: Manifests) -> Iterator[str]:
    """Pods and containers that the restricted Pod Security Standard, or ours beyond it, does not let in."""
    for work in given.workloads():
        pod = work.pod.get("securityContext", {})
        wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        yield from _differences(f"{work.name}", wanted, pod)
        if not pod.get("runAsUser") or not pod.get("runAsGroup"):
            yield f"{work.name}: no user and group of its own"
        for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            if work.pod.get(shared):
                yield f"{work.name}: {shared}"
        for volume in work.pod.get("volumes", ()):
            if not {"configMap", "secret", "emptyDir", "persistentVolumeClaim"} & set(volume):
                yield f"{work.name}: a volume of another kind, {volume['name']}"
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{work.name}: {volume['name']} has no sizeLimit"
        for container in work.every_container:
            where = f"{work.name}/{container['name']}"
            yield from _differences(where, _CONFINED, container.get("securityContext", {}))


_CONFINED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def tokens(given: Manifests) -> Iterator[str]:
    """Tokens of the API server that nobody needs, and accounts that several share."""
    accounts = {each["metadata"]["name"]: each for each in given.of("ServiceAccount")}
    for name, account in accounts.items():
        if account.get("automountServiceAccountToken") is not False:
            yield f"the account {name} mounts its token"
    for work in given.workloads():
        if work.pod.get("automountServiceAccountToken") is not False:
            yield f"{work.name} mounts a token"
        if work.pod.get("serviceAccountName") not in accounts:
            yield f"{work.name} has no account of its own"


def unprobed(given: Manifests) -> Iterator[str]:
    """Containers that run on and that nobody asks how they are."""
    for work in given.workloads():
        for container in work.containers if work.is_lasting else ():
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe not in container:
                    yield f"{work.name}/{container['name']}: no {probe}"
                elif (port := _port_of(container[probe])) and not _has_port(container, port):
                    yield f"{work.name}/{container['name']}: {probe} asks a port that it has not, {port}"


def unbounded(given: Manifests) -> Iterator[str]:
    """Containers without requests, or without a limit on memory."""
    for work in given.workloads():
        for container in work.every_container:
            where = f"{work.name}/{container['name']}"
            resources = container.get("resources", {})
            for name in ("cpu", "memory"):
                if name not in resources.get("requests", {}):
                    yield f"{where}: no request for {name}"
            limit = resources.get("limits", {}).get("memory")
            if limit is None:
                yield f"{where}: no limit on memory"
            elif bytes_of(limit) < bytes_of(resources.get("requests", {}).get("memory", "0")):
                yield f"{where}: a limit below its request"


def unnamed_images(given: Manifests) -> Iterator[str]:
    """Images that are the newest of their kind, whatever that is."""
    for name, image in _images(given):
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in {"", "latest"}:
            yield f"{name}: {image} has neither digest nor tag"


def floating(given: Manifests) -> Iterator[str]:
    """Images that somebody may change under their name: those without a digest; not a check of trials."""
    for name, image in _images(given):
        if not _DIGEST.search(image):
            yield f"{name}: {image} has no digest"


def undrained(given: Manifests) -> Iterator[str]:
    """Deployments whose pods can end before their calls have, or that have less room during an update."""
    for each in given.of("Deployment"):
        name, spec = each["metadata"]["name"], each["spec"]
        if spec.get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{name}: a rolling update takes pods away first"
        (container,) = spec["template"]["spec"]["containers"]
        needed = _stopping_seconds(container) + _draining_seconds(container)
        if spec["template"]["spec"].get("terminationGracePeriodSeconds", 30) < needed + SLACK_SECONDS:
            yield f"{name}: its end takes {needed} s, and there is no time for that"


def unspread(given: Manifests) -> Iterator[str]:
    """Deployments that may all be in one zone or on one node."""
    for each in given.of("Deployment"):
        name, template = each["metadata"]["name"], each["spec"]["template"]
        constraints = template["spec"].get("topologySpreadConstraints", ())
        keys = {constraint["topologyKey"] for constraint in constraints}
        for key in {"topology.kubernetes.io/zone", "kubernetes.io/hostname"} - keys:
            yield f"{name}: not spread by {key}"
        for constraint in constraints:
            if not _selects(constraint["labelSelector"], template["metadata"]["labels"]):
                yield f"{name}: spread by the labels of others"
            if constraint.get("nodeTaintsPolicy") != "Honor":
                yield f"{name}: nodes that take no pods count as a {constraint['topologyKey']} without any"


def misselected(given: Manifests) -> Iterator[str]:
    """Selectors that choose other pods than they are meant to."""
    for work in given.workloads():
        if work.is_lasting and not _selects(work.spec["selector"], work.labels):
            yield f"{work.name} does not select its own pods"
    for each in given.of("Service"):
        found = _chosen(given, {"matchLabels": each["spec"]["selector"]})
        if len(found) != 1:
            yield f"the Service {each['metadata']['name']} selects pods of {found}"
        ports = {port["targetPort"] for port in each["spec"]["ports"]}
        for container in (each for name in found for each in given.workload(name).containers):
            for port in ports - {port["name"] for port in container.get("ports", ())}:
                yield f"the Service {each['metadata']['name']} leads to no port {port}"


def interrupted(given: Manifests) -> Iterator[str]:
    """Deployments of which all pods may be taken at once, or none ever; too few of them."""
    scalers = {each["spec"]["scaleTargetRef"]["name"]: each for each in given.of("HorizontalPodAutoscaler")}
    budgets = given.of("PodDisruptionBudget")
    for each in given.of("Deployment"):
        name, labels = each["metadata"]["name"], each["spec"]["template"]["metadata"]["labels"]
        own = [budget for budget in budgets if _selects(budget["spec"]["selector"], labels)]
        if len(own) != 1:
            yield f"{name}: {len(own)} budgets for its disruption"
        for budget in own:
            if budget["spec"].get("maxUnavailable") != 1 or "minAvailable" in budget["spec"]:
                yield f"{name}: its budget is not one at a time"
        if name in scalers and "replicas" in each["spec"]:
            yield f"{name}: its replicas are said twice, here and by an autoscaler"
    for name, scaler in scalers.items():
        if scaler["spec"]["minReplicas"] < 2:
            yield f"{name}: its autoscaler goes below two"
        down = scaler["spec"].get("behavior", {}).get("scaleDown", {})
        if down.get("stabilizationWindowSeconds", 0) < 300:
            yield f"{name}: scaled down in haste"


CHECKS: dict[str, Callable[[Manifests], Iterator[str]]] = {
    check.__name__: check
    for check in (
        *(unconfined, tokens, unprobed, unbounded, unnamed_images),
        *(undrained, unspread, misselected, interrupted),
    )
}


def _images(given: Manifests) -> Iterator[tuple[str, str]]:
    for work in given.workloads():
        yield from ((work.name, each["image"]) for each in work.every_container)
    for each in given.of("Cluster"):
        yield each["metadata"]["name"], each["spec"]["imageName"]


def _differences(where: str, wanted: Object, found: Object) -> Iterator[str]:
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"{where}: {name} is {found.get(name)}"


def _port_of(probe: Object) -> Any:
    for how in ("grpc", "httpGet", "tcpSocket"):
        if how in probe:
            return probe[how]["port"]
    return None


def _has_port(container: Object, port: Any) -> bool:
    return any(port in (each["name"], each["containerPort"]) for each in container["ports"])


def _stopping_seconds(container: Object) -> int:
    """What preStop takes, a script by its own words."""
    stop = container.get("lifecycle", {}).get("preStop", {})
    if "sleep" in stop:
        return int(stop["sleep"]["seconds"])
    script = stop.get("exec", {}).get("command", [""])[-1]
    return sum(int(seconds) for seconds in re.findall(r"^ *sleep (\d+)$", script, re.MULTILINE))


def _draining_seconds(container: Object) -> int:
    drain = ("_DRAIN_GRACE", "_DRAIN_SECONDS")
    return sum(int(each["value"]) for each in container.get("env", ()) if each["name"].endswith(drain))


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    wanted: dict[str, str] = selector["matchLabels"]
    return bool(wanted) and wanted.items() <= labels.items()


def _chosen(given: Manifests, selector: Object) -> list[str]:
    lasting: list[Workload] = [work for work in given.workloads() if work.is_lasting]
    return [work.name for work in lasting if _selects(selector, work.labels)]
