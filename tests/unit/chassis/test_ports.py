"""A kept port is nobody else's, shared or not, but for those that share it as its keeper means it."""

import contextlib
import socket
from collections.abc import Iterator

import pytest

from services.chassis.addresses import parse_address
from services.chassis.ports import kept_port, sharing
from services.chassis.refusals import Refusal


@contextlib.contextmanager
def listening(address: str, *options: int) -> Iterator[socket.socket]:
    host, port = parse_address(address)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        for option in options:
            listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((host, port))
        listener.listen()
        yield listener


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "0.0.0.0"])
def test_a_kept_port_is_shared_by_those_that_ask_for_it(host: str) -> None:
    with kept_port(f"{host}:0") as address:
        at, port = parse_address(address)
        place = {"localhost": "127.0.0.1"}.get(at, f"[{at}]" if ":" in at else at)

        where, how = f"{place}:{port}", (socket.SO_REUSEADDR, socket.SO_REUSEPORT)

        with listening(where, *how), listening(where, *how) as second:
            assert second.getsockname()[1] == port


def test_whoever_shares_nothing_does_not_get_it() -> None:
    with (
        kept_port("127.0.0.1:0") as address,
        pytest.raises(OSError, match="in use"),
        listening(address, socket.SO_REUSEADDR),
    ):
        pass


@pytest.mark.parametrize("is_served", [False, True])
def test_a_second_keeper_is_refused(is_served: bool) -> None:
    with contextlib.ExitStack() as held:
        address = held.enter_context(kept_port("127.0.0.1:0"))
        if is_served:
            held.enter_context(listening(address, socket.SO_REUSEADDR, socket.SO_REUSEPORT))

        with pytest.raises(Refusal, match="ADDRESS_IN_USE"), kept_port(address):
            pass


@pytest.mark.parametrize("options", [(), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)])
def test_a_port_on_which_somebody_listens_is_not_kept(options: tuple[int, ...]) -> None:
    with kept_port("127.0.0.1:0") as address:
        pass
    with listening(address, *options), pytest.raises(Refusal, match="ADDRESS_IN_USE"), kept_port(address):
        pass


def test_what_remains_of_connections_is_in_nobodys_way() -> None:
    with kept_port("127.0.0.1:0") as address:
        pass
    with listening(address, socket.SO_REUSEADDR) as listener:
        caller = socket.create_connection(parse_address(address))
        answering, _ = listener.accept()
        # Whoever closes first keeps the connection for a minute.
        answering.close()
        caller.close()

    with kept_port(address) as again:
        assert again == address


def test_a_port_that_is_let_go_can_be_had() -> None:
    with kept_port("127.0.0.1:0") as address:
        pass

    with listening(address):
        pass


def test_a_server_shares_its_port_by_one_option() -> None:
    assert sharing((("grpc.so_reuseport", 0), ("grpc.max_metadata_size", 9))) == (
        ("grpc.max_metadata_size", 9),
        ("grpc.so_reuseport", 1),
    )
