"""The services and the real Envoy before them, with parties that have something; for a matrix of callers."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.chassis.identity import PrincipalKind
from services.console.credentials import Local, own_tokens
from services.console.gateway import credential
from services.console.gateway.credential import CredentialFile
from services.console.installation import StateFolder
from tests.support.envoy import an_envoy, some_values
from tests.support.fleet import Fleet
from tests.support.forging import Workshop
from tests.support.keys import a_minter, some_keys
from tests.support.matrix.asking import Asking
from tests.support.matrix.callers import Caller, callers
from tests.support.matrix.holdings import Holdings, make_holdings
from tests.support.matrix.ways import Ways
from tests.support.oidc import ELSEWHERE, ENTRY, FOR_US, issuers_file

SERVICES = ("consent", "metering", "directory", "licensing")
_LIMITS = """\
domain: gateway
descriptors:
  - key: principal
    rate_limit: {name: one caller, unit: second, requests_per_unit: 10000}
  - key: remote_prefix
    rate_limit: {name: one network, unit: second, requests_per_unit: 10000}
"""


@dataclass(frozen=True)
class Matrix:
    """A gateway, who comes to it, and what is whose."""

    ways: Ways
    callers: list[Caller]
    holdings: Mapping[str, Holdings]
    """By licensee; the subject among them is the licensee's own release's."""


@contextlib.asynccontextmanager
async def a_matrix(folder: Path) -> AsyncIterator[Matrix]:
    """All of it runs while the context is open; its state is in `folder`."""
    state, elsewhere = StateFolder(folder / "state"), Workshop()
    keys = state.prepare()
    jwks = elsewhere.publish(folder / "elsewhere.json")
    issuers = issuers_file(folder, {**ENTRY, "jwks_file": str(jwks), "kinds": ["subject", "agent"]})
    fleet = Fleet(state, _settings(folder, issuers), directory=True)
    async with _running(fleet), _a_gateway(fleet, folder, jwks) as address:
        asking = Asking({name: fleet.address(name) for name in SERVICES}, a_minter(keys))
        ways = Ways(address)
        try:
            yield Matrix(ways, callers(keys, elsewhere), await make_holdings(asking))
        finally:
            await ways.close()
            await asking.close()


def _settings(folder: Path, issuers: Path) -> dict[str, dict[str, str]]:
    limits = folder / "limits.yaml"
    limits.write_text(_LIMITS, encoding="utf-8")
    # As many at once as a matrix has: what becomes of more is shown elsewhere.
    all_of_them = {"token_issuers": str(issuers), "max_streams": "512", "max_streams_each": "256"}
    return {
        "consent": all_of_them,
        "metering": {**all_of_them, "limits_file": str(limits)},
        "licensing": {**all_of_them, "recall_interval_seconds": "0.2"},
    }


@contextlib.asynccontextmanager
async def _running(fleet: Fleet) -> AsyncIterator[None]:
    await fleet.start()
    try:
        await fleet.publish_policy()
        yield
    finally:
        await fleet.stop()


@contextlib.asynccontextmanager
async def _a_gateway(fleet: Fleet, folder: Path, jwks: Path) -> AsyncIterator[str]:
    """Its address, host:port."""
    state = fleet.state
    shown = own_tokens(state, Local(PrincipalKind.SERVICE, credential.NAME))
    CredentialFile(state.gateway_credential(), shown, fleet.said.append).write()
    issuer = {"name": "users", "issuer": ELSEWHERE, "audiences": [FOR_US], "jwks_file": str(jwks)}
    values = some_values(
        state.root,
        {name: fleet.address(name) for name in SERVICES},
        credential=state.gateway_credential(),
        jwks=some_keys(state.root).token_jwks,
        issuers=[issuer],
    )
    async with an_envoy(values, folder) as envoy:
        yield envoy.address
