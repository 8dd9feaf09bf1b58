"""`sluice up --gateway` as people run it: Envoy before the services, from the first call to the last."""

import asyncio
import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from services.chassis.identity import PrincipalKind
from services.console.credentials import Local, own_tokens
from services.console.installation import StateFolder
from services.console.traces import Span, find_trace
from tests.support.commands import sluice
from tests.support.up import Up, runs, up
from tests.support.waiting import until

GATEWAY = ("--gateway", "--origin", "https://settings.example")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("up") / "state", *GATEWAY) as running:
        yield running


def shown(running: Up) -> dict[str, str]:
    token = own_tokens(StateFolder(running.state), Local(PrincipalKind.SUBJECT, "1001"))()
    return {"authorization": f"Bearer {token}"}


def policies(running: Up, **headers: str) -> httpx.Response:
    address = running.services()["gateway"]["address"]
    return httpx.get(f"http://{address}/v1/policies", headers={**shown(running), **headers})


def test_a_subject_comes_in_by_the_gateway_and_nobody_without_a_token(running: Up) -> None:
    answer = policies(running, origin="https://settings.example")

    assert (answer.status_code, answer.json()) == (200, {"policies": [], "nextPageToken": ""})
    assert answer.headers["access-control-allow-origin"] == "https://settings.example"
    assert policies(running, authorization="").status_code == 401


def test_the_gateways_span_is_the_root_of_what_the_services_trace(running: Up) -> None:
    folder = StateFolder(running.state)
    policies(running)

    def all_three() -> list[Span]:
        lines = folder.access_log().read_text(encoding="utf-8").splitlines()
        spans = find_trace(folder.traces, json.loads(lines[-1])["trace_id"]) if lines else []
        return spans if len(spans) == 3 else []

    gateway, consent, database = asyncio.run(until(all_three, "the spans are written", 0.05))

    assert (gateway.service, consent.service, database.name) == ("gateway", "consent", "read consent")
    assert (gateway.parent_id, consent.parent_id, database.parent_id) == (
        "",
        gateway.span_id,
        consent.span_id,
    )
    assert gateway.name == consent.name == "sluice.consent.v1.ConsentService/ListPolicies"


def test_files_of_the_gateway_hold_no_token_that_others_can_read(running: Up) -> None:
    folder = StateFolder(running.state)
    policies(running)

    assert folder.gateway_credential().stat().st_mode & 0o777 == 0o600
    token = shown(running)["authorization"].removeprefix("Bearer ")
    for path in (
        folder.access_log(),
        folder.log("gateway"),
        folder.trace_file("gateway"),
        folder.gateway_config(),
    ):
        assert token not in path.read_text(encoding="utf-8"), path


async def test_tokens_of_a_new_key_are_believed_after_a_rotation(running: Up) -> None:
    before = await asyncio.to_thread(policies, running)

    rotated = await sluice(running.state, "keys", "rotate", "token")
    await asyncio.to_thread(running.says, "gateway is running again")
    after = await asyncio.to_thread(policies, running)

    assert rotated.status == 0, rotated.err
    assert (before.status_code, after.status_code) == (200, 200)


async def test_a_port_that_is_in_use_is_named(running: Up, tmp_path: Path) -> None:
    services = await asyncio.to_thread(running.services)
    port = services["gateway"]["address"].rpartition(":")[2]

    second = await sluice(tmp_path, "up", "--port-base", "0", "--gateway", "--gateway-port", port)

    assert second.status == 1
    assert f"PORT_IN_USE: port {port} of 127.0.0.1, meant for gateway, is in use" in second.err


async def test_an_origin_that_is_none_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    ended = await sluice(
        tmp_path, "up", "--port-base", "0", "--gateway", "--gateway-port", "0", "--origin", "*"
    )

    assert ended.status == 1
    assert "VALUES_INVALID: the gateway: origins: Value error, '*' is no origin" in ended.err


async def test_limits_that_are_wrong_are_refused_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "limits.yaml").write_text("domain: gateway\ndescriptors: [{key: kind, rate: 3}]\n")
    named = ("--limits", str(tmp_path / "limits.yaml"))

    ended = await sluice(tmp_path, "up", "--port-base", "0", "--gateway-port", "0", *GATEWAY, *named)
    without = await sluice(tmp_path, "up", "--port-base", "0", *named)

    assert (ended.status, without.status) == (1, 1)
    assert ended.err.startswith("LIMITS_FILE_INVALID: descriptors[0]")
    assert without.err == "GATEWAY_NOT_ASKED: --limits is for the gateway: add --gateway\n"


def test_the_gateway_is_drained_with_the_rest_and_nothing_is_left(tmp_path: Path) -> None:
    with up(tmp_path / "state", *GATEWAY) as running:
        pids = [service["pid"] for service in running.services().values()]
        calling = threading.Thread(target=policies, args=(running,))
        calling.start()
        calling.join()

        running.send(signal.SIGINT)
        status = running.ending()

    assert status == 0
    assert not any(runs(pid) for pid in pids)
