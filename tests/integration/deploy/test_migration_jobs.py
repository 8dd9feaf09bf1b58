"""What the manifests have a Job and a pod's init container run is what brings a database about."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.figures import ROOT
from tests.support.manifests import Object, manifests
from tests.support.postgres import PostgresServer

SERVICES = ("consent", "metering", "licensing")


def started(container: Object, url: str, folder: Path) -> subprocess.Popen[str]:
    """The container's program with its arguments, on a database of the tests, in an empty folder."""
    program, *arguments = container["args"]
    assert program == "sluice"
    names = [each["name"] for each in container["env"] if each["name"].endswith("_DATABASE_URL")]
    path = os.pathsep.join([str(ROOT), str(ROOT / "protos" / "python")])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "services.console", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **dict.fromkeys(names, url)},
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("name", SERVICES)
def test_a_pod_waits_until_the_job_has_brought_its_schema_about(
    name: str, postgres: PostgresServer, tmp_path: Path
) -> None:
    given, url = manifests("production"), postgres.new_database()
    (waits,) = given.workload(name).pod["initContainers"]
    (migrates,) = given.workload(f"migrate-{name}-0-1-0").containers
    (contracts,) = manifests("production/contraction").workload(f"migrate-{name}-0-1-0-contract").containers

    with started(waits, url, tmp_path) as pod:
        with started(migrates, url, tmp_path) as job:
            told, _ = job.communicate(timeout=120)
        seen, _ = pod.communicate(timeout=120)
    with started(contracts, url, tmp_path) as later:
        left, _ = later.communicate(timeout=120)

    assert job.returncode == 0, told
    assert pod.returncode == 0, seen
    assert f"{name}: the schema is there, at" in seen
    assert later.returncode == 0, left
    assert list(tmp_path.iterdir()) == []
