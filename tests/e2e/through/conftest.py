"""One installation behind its gateway, for all tests of this folder: they leave it as they found it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.forging import Workshop
from tests.support.oidc import ELSEWHERE, ENTRY, issuers_file
from tests.support.through import Through, a_platform, through
from tests.support.through_world import settle

SHIPPED = Path(__file__).resolve().parents[3] / "deploy" / "envoy" / "limits.yaml"
GUESSES = 5
"""Calls of GetToken that the networks below may make, in any minute and in any second."""
MINUTE_NETWORK, SECOND_NETWORK = 9, 8
KEYS = "/keys"
GET_TOKEN = "/sluice.licensing.v1.TokenService/GetToken"
QUICKLY = (
    *("--set", "licensing.recall_interval_seconds=1", "--set", "licensing.fence_seconds=0.2"),
    *("--set", "licensing.peer_deadline_seconds=2", "--set", "directory.drain_grace=0"),
    *("--set", "licensing.sweep_age_seconds=1", "--set", "licensing.sweep_interval_seconds=0.5"),
    *("--set", "licensing.network_interval_seconds=1"),
    *("--set", "licensing.permit_seconds=3", "--set", "consent.permit_seconds=3"),
)


def limits_in(folder: Path) -> Path:
    """The limits that are shipped, and two networks that may guess less."""
    limits = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    for network, unit in ((MINUTE_NETWORK, "minute"), (SECOND_NETWORK, "second")):
        method = {
            "key": "method",
            "value": GET_TOKEN,
            "rate_limit": {"name": f"guesses in a {unit}", "unit": unit, "requests_per_unit": GUESSES},
        }
        limits["descriptors"].append(
            {"key": "remote_prefix", "value": f"network-127.0.{network}.0-24", "descriptors": [method]}
        )
    path = folder / "limits.yaml"
    path.write_text(yaml.safe_dump(limits), encoding="utf-8")
    return path


def believing(folder: Path, shop: Workshop, platform: str) -> Iterator[str]:
    """Has the services that subjects call believe two providers: one at a URL, one with keys in a file."""
    kinds = ["subject", "agent"]
    by_url = {**ENTRY, "jwks_url": f"{platform}{KEYS}", "kinds": kinds}
    keys = str(shop.publish(folder / "elsewhere.json"))
    by_file = {**ENTRY, "name": "phones", "issuer": f"{ELSEWHERE}/phones", "jwks_file": keys, "kinds": kinds}
    file = issuers_file(folder, by_url, by_file)
    for service in ("consent", "licensing"):
        yield from ("--set", f"{service}.token_issuers={file}")


@pytest.fixture(scope="package")
def shop() -> Workshop:
    """Keys of a provider elsewhere."""
    return Workshop()


@pytest.fixture(scope="package")
def gateway(shop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Through]:
    """It is running, and people, posts and licenses are there."""
    folder = tmp_path_factory.mktemp("through")
    jwks = shop.publish(folder / "published.json").read_bytes()
    with a_platform({KEYS: jwks}) as platform:
        limits = ("--limits", str(limits_in(folder)))
        with through(folder, platform, *limits, *believing(folder, shop, platform), *QUICKLY) as running:
            asyncio.run(settle(running))
            yield running
