"""The manifests of deploy/kubernetes as `kubectl kustomize` makes them, and what runs in them."""

import copy
import functools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
OVERLAYS = ("dev", "production")
COMPONENT = "app.kubernetes.io/component"
NAMESPACE = "sluice"

Object = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """What makes pods."""

    kind: str
    name: str
    spec: Object
    """Of the workload."""

    @property
    def pod(self) -> Object:
        """The specification of its pods."""
        found: Object = self.spec["template"]["spec"]
        return found

    @property
    def labels(self) -> dict[str, str]:
        """Those of its pods."""
        found: dict[str, str] = self.spec["template"]["metadata"]["labels"]
        return found

    @property
    def containers(self) -> list[Object]:
        """Those that run for as long as the pod does."""
        found: list[Object] = self.pod["containers"]
        return found

    @property
    def every_container(self) -> list[Object]:
        """With those that come first."""
        return [*self.pod.get("initContainers", ()), *self.containers]

    @property
    def is_lasting(self) -> bool:
        """Whether its pods have no end of their own."""
        return self.kind != "Job"


class Manifests:
    """The objects of one overlay."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = objects

    def of(self, kind: str) -> list[Object]:
        """All of one kind."""
        return [each for each in self.objects if each["kind"] == kind]

    def named(self, kind: str, name: str) -> Object:
        """The one of this kind and name."""
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def workloads(self) -> Iterator[Workload]:
        """Everything that makes pods."""
        for kind in ("Deployment", "StatefulSet", "Job"):
            for each in self.of(kind):
                yield Workload(kind, each["metadata"]["name"], each["spec"])

    def workload(self, name: str) -> Workload:
        """The one of this name."""
        (found,) = [each for each in self.workloads() if each.name == name]
        return found


def manifests(overlay: str) -> Manifests:
    """The objects of an overlay, the caller's own; skips the test where there is no kubectl."""
    return Manifests(copy.deepcopy(_rendered(overlay)))


@functools.lru_cache
def _rendered(overlay: str) -> list[Object]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl, which renders the manifests, is not installed")
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return [each for each in yaml.load_all(ended.stdout, Loader=yaml.CSafeLoader) if each is not None]
