"""Which targets lead to this machine; what is not understood leads elsewhere. And which are balanced."""

import json

import pytest

from sluice_gate.targets import balancing, is_this_machine


@pytest.mark.parametrize(
    "target",
    [
        "127.0.0.1:7603",
        "127.0.0.1",
        "127.8.9.10:7603",
        "localhost:7603",
        "LocalHost",
        "[::1]:7603",
        "dns:///localhost:7603",
        "dns:127.0.0.1:7603",
        "ipv4:127.0.0.1:7603",
        "ipv6:[::1]:7603",
        "ipv4:127.0.0.1:7603,127.0.0.1:7613",
        "ipv6:[::1]:7603,[::1]:7613",
        "unix:/run/sluice/licensing.sock",
        "unix:///run/sluice/licensing.sock",
    ],
)
def test_loopback_and_sockets_in_a_folder_are_this_machine(target: str) -> None:
    assert is_this_machine(target)


@pytest.mark.parametrize(
    "target",
    [
        "licensing:7603",
        "licensing.example:7603",
        "10.0.0.7:7603",
        "0.0.0.0:7603",
        "[2001:db8::1]:7603",
        "localhost.example:7603",
        "127.0.0.1.example:7603",
        "dns://127.0.0.1/licensing.example:7603",
        "ipv4:127.0.0.1:7603,10.0.0.7:7603",
        "ipv4:127.0.0.1:7603,",
        "127.0.0.1:7603,127.0.0.1:7613",
        "xds:///localhost",
        "vsock:2:7603",
        "",
        ":7603",
        "::1:7603",
    ],
)
def test_whatever_else_is_named_is_another_machine(target: str) -> None:
    assert not is_this_machine(target)


@pytest.mark.parametrize(
    "target",
    [
        "dns:///licensing-pods:7603",
        "ipv4:10.0.0.7:7603,10.0.0.8:7603",
        "ipv6:[2001:db8::1]:7603",
    ],
)
def test_calls_take_turns_and_replicas_that_say_that_they_do_not_serve_get_none(target: str) -> None:
    ((name, text),) = balancing(target)

    assert name == "grpc.service_config"
    assert json.loads(text) == {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
    }


def test_one_server_is_dialled_by_the_call_that_needs_it() -> None:
    assert balancing("licensing:7603") == ()
