"""Who the gateway is to licensing and metering: a token in a file, which is renewed while it runs."""

from pathlib import Path

import httpx

from services.console.gateway.credential import CredentialFile
from tests.support.envoy import an_envoy, some_values
from tests.support.gateway_world import GOOD, a_world
from tests.support.waiting import until


async def test_licensing_and_metering_are_shown_the_gateways_own_token_and_the_next_one_when_it_is_renewed(
    tmp_path: Path,
) -> None:
    tokens = ["first"]
    shown = CredentialFile(tmp_path / "credential.json", lambda: tokens[-1], print)
    shown.write()
    async with a_world() as world:
        values = some_values(tmp_path, world.upstreams, credential=tmp_path / "credential.json")
        async with an_envoy(values, tmp_path) as envoy, httpx.AsyncClient(base_url=envoy.url) as client:
            await client.get("/v1/decisions/1", headers=GOOD)
            first = world.licensing.shown[-1], world.metering.shown[-1]
            tokens.append("second")
            shown.write()
            while world.licensing.shown[-1] != "Bearer second":
                await client.get("/v1/decisions/1", headers=GOOD)
            await until(lambda: "Bearer second" in world.metering.shown, "metering is shown the next one")

    assert first == ("Bearer first", "Bearer first")
    assert set(world.licensing.shown) == {"Bearer first", "Bearer second"}
    path = "/sluice.licensing.v1.ReleaseService/GetDecision"
    assert {heard["authorization"] for heard in world.upstream.calls[path]} == {"Bearer good"}


def test_the_file_is_for_its_owner_alone_and_written_only_when_the_token_is_another_one(
    tmp_path: Path,
) -> None:
    shown = CredentialFile(tmp_path / "credential.json", lambda: "same", print)
    shown.write()
    before = (tmp_path / "credential.json").stat()

    shown.write()

    assert before.st_mode & 0o777 == 0o600
    assert (tmp_path / "credential.json").stat().st_ino == before.st_ino
