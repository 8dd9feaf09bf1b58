"""What deploy/compose.yaml describes makes a decision: its commands and variables, run as processes."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.command_line import Cli
from tests.support.composed import Composed, composed
from tests.support.composition import ROOT
from tests.support.postgres import PostgresServer, a_server

EXAMPLES = ROOT / "examples"
SERVICES = ("consent", "metering", "directory", "licensing")


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with a_server() as server:
        yield server


@pytest.fixture
def running(tmp_path: Path, server: PostgresServer) -> Iterator[Composed]:
    with composed(tmp_path, server) as running:
        running.make_databases()
        running.run("keys", *(f"migrate-{name}" for name in SERVICES))
        running.run("certificates", "gateway-configuration")
        running.start(*SERVICES)
        yield running


def test_it_decides_a_release_and_shows_it_to_those_who_come_in(
    running: Composed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    environment = running.environment("cli")
    for name in ("SLUICE_CA", "SLUICE_CERT", "SLUICE_KEY"):
        monkeypatch.setenv(name, environment[name])
    cli = Cli(Path(environment["SLUICE_STATE"]), capsys, monkeypatch)

    # Connected once, so that the time of the policy has not passed when it arrives.
    cli("policy", "list")
    began = time.monotonic()
    cli("policy", "publish", EXAMPLES / "policy.yaml", "--effective-in", "5")
    cli("subjects", "import", EXAMPLES / "subjects.csv")
    cli("choices", "import", EXAMPLES / "choices.csv")
    cli("licensee", "create", "acme", "--name", "Acme Models")
    cli("license", "create", EXAMPLES / "license.yaml")
    cli("license", "activate", "acme-training", "--reason", "signed")
    took = time.monotonic() - began
    # They have nothing to do with the policy, whose time comes meanwhile.
    running.start("gateway", "console", "settings-page")
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue
    began = time.monotonic()
    report = cli.json(
        *("release", EXAMPLES / "posts.jsonl", "--license", "acme-training"),
        *("--purpose", "ai_training_generative", "--out", tmp_path / "released.jsonl"),
    )
    took += time.monotonic() - began
    described = httpx.get(f"{running.published('gateway')}/openapi.json")
    strange = httpx.get(f"{running.published('gateway')}/v1/licenses/acme-training")
    figures = httpx.get(f"http://{running.address('gateway', '7699')}/stats/prometheus").text
    ended = httpx.get(f"http://{running.address('gateway', '7699')}/quitquitquit").status_code
    public = "SLUICE_CONSOLE_PUBLIC_URL"
    monkeypatch.setenv(public, running.environment("console")[public])
    link = cli("console", "link").strip()
    shown = httpx.get(link, follow_redirects=True)
    codes = running.stop()

    record_property("figures", f"the commands of the quick start over TLS and PostgreSQL in {took:.1f} s")
    assert (report["ended"], report["asked"], report["released"]) == ("finished", 10, 3)
    assert json.loads(described.text)["openapi"].startswith("3.")
    assert (strange.status_code, strange.json()["details"][0]["reason"]) == (401, "TOKEN_MISSING")
    assert 'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="gateway"}' in figures
    assert ended == 404
    assert link.startswith(f"{running.published('console')}/sign-in/link?code=")
    assert shown.status_code == 200
    assert set(codes.values()) == {0}
