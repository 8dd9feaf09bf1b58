"""`sluice up --gateway --tls`: Envoy and the services know each other by certificates of `sluice certs`."""

import asyncio
import os
import signal
from collections.abc import Iterator

import httpx
import pytest

from services.chassis.identity import PrincipalKind
from services.console.credentials import Local, own_tokens
from services.console.installation import StateFolder
from tests.support.commands import sluice
from tests.support.up import Up, runs, up
from tests.support.waiting import until

LIMITS = """\
domain: gateway
descriptors:
  - key: principal
    value: licensee:often
    rate_limit: {name: two an hour, unit: hour, requests_per_unit: 2}
"""
ACME = Local(PrincipalKind.LICENSEE, "acme")
ADA = Local(PrincipalKind.SUBJECT, "1001")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("gateway-tls")
    (folder / "limits.yaml").write_text(LIMITS, encoding="utf-8")
    limits = ("--limits", str(folder / "limits.yaml"))
    with up(folder / "state", "--gateway", "--tls", *limits) as running:
        yield running


def url(running: Up, path: str) -> str:
    return f"http://{running.services()['gateway']['address']}{path}"


def shown(running: Up, who: Local) -> dict[str, str]:
    return {"authorization": f"Bearer {own_tokens(StateFolder(running.state), who)()}"}


def call(running: Up, path: str, who: Local | None) -> httpx.Response:
    return httpx.get(url(running, path), headers=shown(running, who) if who else {})


def reason_of(answer: httpx.Response) -> str:
    return str(answer.json()["details"][0]["reason"])


def test_callers_are_let_in_and_kept_out_as_without_certificates(running: Up) -> None:
    licenses, policies = call(running, "/v1/licenses", ACME), call(running, "/v1/policies", ADA)
    stranger = call(running, "/v1/licenses", None)

    assert (licenses.status_code, licenses.json()["licenses"]) == (200, [])
    assert (policies.status_code, policies.json()["policies"]) == (200, [])
    assert (stranger.status_code, reason_of(stranger)) == (401, "TOKEN_MISSING")


def test_metering_counts_for_the_gateway_by_its_certificate(running: Up) -> None:
    often = [call(running, "/v1/licenses", Local(PrincipalKind.LICENSEE, "often")) for _ in range(3)]

    assert [answer.status_code for answer in often] == [200, 200, 429]
    assert reason_of(often[2]) == "RATE_LIMITED"


def test_the_gateway_has_no_token_of_its_own(running: Up) -> None:
    assert not StateFolder(running.state).gateway_credential().exists()


async def test_envoy_is_content_with_what_an_installation_with_certificates_gives_it(running: Up) -> None:
    checked = await sluice(running.state, "gateway", "check")

    assert (checked.status, checked.out) == (0, "Envoy would start with it.\n")


def test_certificates_of_another_ca_take_the_place_of_all_while_everything_runs(running: Up) -> None:
    before = running.pids()

    for command in (("authority", "add"), ("renew",), ("authority", "drop")):
        changed = asyncio.run(sluice(running.state, "certs", *command, "--json"))
        assert changed.status == 0, changed.err
    # On new connections alone it shows which certificates are believed.
    for service in ("metering", "licensing", "consent"):
        os.kill(before[service], signal.SIGKILL)
    # A service that was gone is asked again once the gateway has found it healthy, a second or two later.
    until_answered(running, "/v1/licenses", ACME)
    until_answered(running, "/v1/policies", ADA)

    assert runs(before["gateway"])
    # Nothing but the answer came to stdout meanwhile.
    assert running.pids() == before


def until_answered(running: Up, path: str, who: Local) -> None:
    address, headers = url(running, path), shown(running, who)
    asyncio.run(until(lambda: httpx.get(address, headers=headers).is_success, f"{path} is answered", 0.1))
