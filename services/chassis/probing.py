"""Asks a service of this machine how it is: `python -P -m services.chassis.probing 127.0.0.1:7690`.

For containers that have no other program to ask with: it ends with 0 where the service says SERVING, else
with 1.
"""

import sys
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.addresses import parse_address

ANSWER_SECONDS = 2.0
WRONG_USAGE = 2


def is_serving(address: str) -> bool:
    """Whether the health service at host:port, its `health_listen`, says SERVING."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS
            )
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def main(arguments: Sequence[str]) -> int:
    """The exit code for one address."""
    try:
        (address,) = arguments
        parse_address(address)
    except ValueError:
        print("one address is expected, such as 127.0.0.1:7690", file=sys.stderr)
        return WRONG_USAGE
    return 0 if is_serving(address) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
