"""How a target is written, and which options a client and a server have for it."""

import json

import pytest

from services.chassis.channels import client_options, server_options
from services.chassis.targets import checked_target, is_of_replicas
from services.licensing.settings import LicensingSettings

ONE = ["127.0.0.1:7601", "consent:7601", "[::1]:7601", "consent.sluice.svc.cluster.local:7601"]
REPLICAS = [
    "dns:///consent-pods.sluice.svc.cluster.local:7601",
    "dns:consent-pods:7601",
    "dns://10.0.0.10/consent-pods:7601",
    "dns:///[::1]:7601",
    "ipv4:127.0.0.1:7601",
    "ipv4:127.0.0.1:7601,127.0.0.1:7611",
    "ipv6:[::1]:7601,[2001:db8::1]:7601",
]
AGE = "grpc.max_connection_age_ms"


@pytest.mark.parametrize("target", [*ONE, *REPLICAS])
def test_a_target_is_one_server_or_all_replicas_of_one(target: str) -> None:
    assert checked_target(target) == target
    assert is_of_replicas(target) is (target in REPLICAS)


@pytest.mark.parametrize(
    "target",
    [
        "",
        "consent",
        "consent:0",
        "consent:70000",
        ":7601",
        "::1:7601",
        "http://consent:7601",
        "dns:///consent",
        "dns:///:7601",
        "dns://consent:7601",
        "dns:////consent:7601",
        "ipv4:consent:7601",
        "ipv4:127.0.0.1:7601,",
        "ipv4:127.0.0.1:7601, 127.0.0.1:7611",
        "ipv4:[::1]:7601",
        "ipv6:::1:7601",
        "127.0.0.1:7601,127.0.0.1:7611",
    ],
)
def test_what_names_no_server_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_target(target)


def test_licensing_checks_its_targets() -> None:
    given = {"database_url": "sqlite:///unused", "token_jwks": "unused"}

    settings = LicensingSettings.model_validate({**given, "consent_target": REPLICAS[0]})

    assert (settings.consent_target, settings.directory_target) == (REPLICAS[0], "")
    for name in ("consent_target", "metering_target", "directory_target"):
        with pytest.raises(ValueError, match=name):
            LicensingSettings.model_validate({**given, name: "http://elsewhere:7601"})
    with pytest.raises(ValueError, match="consent_target"):
        LicensingSettings.model_validate({**given, "consent_target": ""})


def test_servers_take_turns_and_only_of_replicas_those_that_say_that_they_serve() -> None:
    several = json.loads(str(dict(client_options(REPLICAS[0]))["grpc.service_config"]))

    assert "grpc.service_config" not in dict(client_options(ONE[0]))
    assert several == {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
    }


def test_connections_get_as_old_as_the_smaller_limit_says() -> None:
    assert AGE not in dict(server_options(0))
    assert dict(server_options(300))[AGE] == 300_000
    assert dict(server_options(0, 600_000))[AGE] == 600_000
    assert dict(server_options(300, 600_000))[AGE] == 300_000
    assert dict(server_options(900, 600_000))[AGE] == 600_000
