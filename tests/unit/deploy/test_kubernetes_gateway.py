"""What the gateway is started with in a cluster is what the program makes, and Envoy takes it."""

import asyncio
import os
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.issuers import read_issuers
from services.console.gateway.binary import envoy_binary
from services.console.gateway.rendering import render
from services.console.gateway.values import Values, read_values
from tests.support.https import make_certificate
from tests.support.keys import some_keys
from tests.support.manifests import KUBERNETES, Object, manifests
from tests.support.pod_policies import bytes_of
from tests.support.ports import HOST, a_free_port
from tests.support.waiting import PATIENCE_SECONDS, until

ENVOY = KUBERNETES.parent / "envoy"
ELSEWHERE = (
    *(f"{name}-pods.sluice.svc.cluster.local" for name in ("consent", "metering", "licensing")),
    *("otel-collector.sluice.svc.cluster.local", "posts.platform.svc.cluster.local", "id.platform.example"),
)
"""Whom nobody is to be asked for here."""


def shipped_values() -> Values:
    return read_values((ENVOY / "cluster.yaml").read_text(encoding="utf-8"), "cluster.yaml")


def container() -> Object:
    (found,) = manifests("production").workload("gateway").containers
    return found


def configuration(name: str) -> dict[str, str]:
    """The files of a ConfigMap whose name carries a digest."""
    given = manifests("production")
    (found,) = [each for each in given.of("ConfigMap") if each["metadata"]["name"].startswith(f"{name}-")]
    files: dict[str, str] = found["data"]
    return files


class Here:
    """The gateway of a cluster on this machine: its files in a folder, its ports free ones."""

    def __init__(self, folder: Path) -> None:
        self.gateway, self.figures, self.administration = (a_free_port() for _ in range(3))
        self._folder = folder
        self._places = {
            f"/etc/sluice/{name}": str(folder / name) for name in ("gateway", "envoy", "tls", "public")
        }
        certificate, key = make_certificate(folder, "gateway.sluice.svc.cluster.local")
        self._places |= {
            "/etc/sluice/keys/token-jwks.json": str(some_keys(folder).token_jwks),
            "/etc/ssl/certs/ca-certificates.crt": str(certificate),
        }
        for name in ("tls", "public"):
            (folder / name).mkdir()
            shutil.copy(key, folder / name / "tls.key")
            for file in ("tls.crt", "ca.crt"):
                shutil.copy(certificate, folder / name / file)
        for name, files in (
            ("gateway", configuration("gateway-envoy")),
            ("envoy", configuration("gateway-sds")),
        ):
            (folder / name).mkdir()
            for file, text in files.items():
                (folder / name / file).write_text(self.here(text), encoding="utf-8")

    def here(self, text: str) -> str:
        """What is said of places and ports in a pod, of this machine."""
        for place, path in self._places.items():
            text = text.replace(place, path)
        ports = {"7600": self.gateway, "7699": self.figures, "9901": self.administration}
        for port, free in ports.items():
            for before in ("port_value: ", "127.0.0.1/"):
                text = text.replace(f"{before}{port}", f"{before}{free}")
        for name in ("0.0.0.0", *ELSEWHERE):
            text = text.replace(name, HOST)
        return text

    def command(self, *more: str) -> list[str]:
        """The program and its arguments, as the pod has them."""
        given = container()
        arguments: list[str] = given["args"]
        assert given["command"] == ["envoy"]
        return [str(envoy_binary()), *map(self.here, arguments), *more]

    def answer(self, port: int, path: str, method: str = "GET") -> tuple[int, str]:
        """Status and body; 0 where nobody answers."""
        scheme = "https" if port == self.gateway else "http"
        # Who it is, is not what is asked here.
        unchecked = ssl._create_unverified_context()
        request = urllib.request.Request(f"{scheme}://{HOST}:{port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5, context=unchecked) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


@pytest.fixture
def running(here: Here) -> Iterator[Here]:
    """Envoy, as the pod runs it."""
    process = subprocess.Popen(here.command(), env={"PATH": os.defpath}, stderr=subprocess.DEVNULL)
    try:
        yield here
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_the_configuration_is_what_the_program_makes_of_the_values_that_are_shipped() -> None:
    committed = (KUBERNETES / "base" / "gateway" / "envoy.yaml").read_text(encoding="utf-8")

    # `sluice gateway render --values deploy/envoy/cluster.yaml --out` this file makes it so again.
    assert committed == render(shipped_values())


def test_envoy_would_start_with_what_the_pod_gives_it(here: Here) -> None:
    ended = subprocess.run(here.command("--mode", "validate"), capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr


def test_what_is_wrong_in_the_arguments_of_the_pod_envoy_says(here: Here) -> None:
    command = [each.replace("STATIC", "STATICAL") for each in here.command("--mode", "validate")]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode != 0
    assert "STATICAL" in ended.stderr


async def test_figures_are_read_and_nothing_else_is_done_at_their_port(running: Here) -> None:
    await until(lambda: running.answer(running.gateway, "/healthz")[0] == 200, "the gateway answers")

    status, figures = running.answer(running.figures, "/stats/prometheus")

    assert status == 200
    assert (
        'envoy_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="gateway"}'
        in figures
    )
    others = [("/quitquitquit", "POST"), ("/stats/prometheus", "POST"), ("/config_dump", "GET"), ("/", "GET")]
    assert [running.answer(running.figures, *other)[0] for other in others] == [404, 404, 404, 404]


async def test_before_it_ends_a_gateway_says_that_it_does_and_lets_calls_go(running: Here) -> None:
    await until(lambda: running.answer(running.gateway, "/healthz")[0] == 200, "the gateway answers")
    program, option, script = container()["lifecycle"]["preStop"]["exec"]["command"]
    quickly = running.here(script).replace("sleep 30", "true").replace("sleep 5", "true")

    ended = await asyncio.to_thread(
        subprocess.run, [program, option, quickly], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("HTTP/1.1 200 OK") == 2
    assert running.answer(running.gateway, "/healthz")[0] == 503


def test_the_pod_has_more_memory_than_the_gateway_takes() -> None:
    limit = bytes_of(container()["resources"]["limits"]["memory"])

    assert limit >= shipped_values().limits.heap_bytes * 5 // 4


def test_envoy_drains_for_as_long_as_the_pod_waits() -> None:
    given = container()

    seconds = given["args"][given["args"].index("--drain-time-s") + 1]

    assert f"sleep {seconds}\n" in given["lifecycle"]["preStop"]["exec"]["command"][-1]


def test_metering_has_the_limits_that_are_shipped() -> None:
    limits = manifests("production").named("ConfigMap", "metering-limits")["data"]["limits.yaml"]

    assert limits == (ENVOY / "limits.yaml").read_text(encoding="utf-8")


def test_the_services_believe_the_issuers_whom_the_gateway_believes(tmp_path: Path) -> None:
    file = tmp_path / "issuers.yaml"
    file.write_text(configuration("token-issuers")["token-issuers.yaml"], encoding="utf-8")

    entries = {(each.name, each.issuer, each.jwks_url) for each in read_issuers(file)}

    assert entries == {(each.name, each.issuer, each.jwks_url) for each in shipped_values().issuers}
