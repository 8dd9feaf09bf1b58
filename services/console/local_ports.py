"""The ports of a local installation: which is whose, and whether they are free.

It is said before anything is started; a service that loses a race for its port says so in its log.
"""

import socket
from collections.abc import Mapping

from services.chassis.refusals import precondition
from services.console.installation import HOST, PROGRAMS, StateFolder


def ports_of(base: int, given: Mapping[str, int | None]) -> dict[str, int]:
    """The port of each service in `given`: the one that is said, else the one counted from the base."""
    usual = {service: base + index if base else 0 for index, service in enumerate(PROGRAMS)}
    return {service: usual[service] if port is None else port for service, port in given.items()}


def announced_port(folder: StateFolder, service: str) -> int:
    """Where a service says that it listens; 0 where it says nothing."""
    address = folder.address(service)
    return int(address.rpartition(":")[2]) if address else 0


def check_free(ports: Mapping[str, int]) -> None:
    """Raises Refusal (precondition): PORT_IN_USE, PORT_TWICE where two are meant for one; 0 is any."""
    taken: dict[int, str] = {}
    for name, port in ports.items():
        if port and port in taken:
            raise precondition("PORT_TWICE", f"port {port} is meant for {taken[port]} and for {name}")
        taken[port] = name
        _check_free(name, port)


def _check_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            others = f"choose another with --{name}-port" + (
                "" if name not in PROGRAMS else " or --port-base"
            )
            raise precondition(
                "PORT_IN_USE", f"port {port} of {HOST}, meant for {name}, is in use; {others}"
            ) from None
