"""What is wrong with ports is said before anything is started, with the option that helps."""

import socket

import pytest

from services.chassis.refusals import Refusal
from services.console.local_ports import check_free, ports_of


def test_ports_are_counted_from_the_base_unless_they_are_said() -> None:
    assert ports_of(7601, {"consent": None, "metering": 9000, "licensing": None}) == {
        "consent": 7601,
        "metering": 9000,
        "licensing": 7603,
    }
    assert ports_of(0, {"consent": None}) == {"consent": 0}


def test_two_that_are_meant_for_one_port_are_named() -> None:
    with pytest.raises(Refusal, match="is meant for metering and for gateway") as refused:
        check_free({"consent": 0, "licensing": 0, "metering": 17_699, "gateway": 17_699})

    assert refused.value.reason == "PORT_TWICE"


@pytest.mark.parametrize(
    ("name", "helps"), [("metering", "--metering-port or --port-base"), ("gateway", "--gateway-port")]
)
def test_a_port_that_is_in_use_is_named_with_the_option_that_helps(name: str, helps: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Refusal) as refused:
        check_free({name: taken.getsockname()[1]})

    assert refused.value.reason == "PORT_IN_USE"
    assert refused.value.message.endswith(f"choose another with {helps}")
