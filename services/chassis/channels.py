"""What both ends of a connection must agree on, and how a client spreads its calls over replicas."""

import json

from services.chassis.targets import is_of_replicas

Option = tuple[str, int | str]

LARGEST_REQUEST_BYTES = 4 * 1024 * 1024
"""An import sends rows of 3 MiB; the largest batch, 10,000 posts as messages with 100,000 embeds, has 2.8 MB.

More would only be parsed, which stops everything else in the process, to be refused.
"""
LARGEST_ANSWER_BYTES = 16 * 1024 * 1024
LARGEST_HEADERS_BYTES = 12 * 1024
"""The token of an agent for many (`verifying.LONGEST_TOKEN`) and as much again as others bring; beyond it a
call may be refused, beyond 16 KiB it is."""
PING_EVERY_MS = 30_000
PING_TIMEOUT_MS = 10_000
CONNECTING_MS = 2_000

SERVER_OPTIONS: tuple[Option, ...] = (
    ("grpc.max_receive_message_length", LARGEST_REQUEST_BYTES),
    ("grpc.max_send_message_length", LARGEST_ANSWER_BYTES),
    ("grpc.max_metadata_size", LARGEST_HEADERS_BYTES),
    # Otherwise a second server binds the same port without a word and gets a part of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # A little under the client's interval: pings that come early are answered by closing the connection.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_EVERY_MS // 2),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", PING_EVERY_MS // 2),
)

CLIENT_OPTIONS: tuple[Option, ...] = (
    ("grpc.max_receive_message_length", LARGEST_ANSWER_BYTES),
    ("grpc.max_send_message_length", LARGEST_REQUEST_BYTES),
    ("grpc.keepalive_time_ms", PING_EVERY_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A peer that was restarted is found again within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # To gRPC this is how long a connection may take to be made, whatever its name says: a handshake on a busy
    # node takes more than a moment, and 20 s (the default) is long to wait for packets that nobody answers.
    ("grpc.min_reconnect_backoff_ms", CONNECTING_MS),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A name is looked up again whenever one of its addresses is lost, which is when pods are replaced; gRPC's
    # own half a minute is longer than two of them in turn may take.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
)


def client_options(target: str) -> tuple[Option, ...]:
    """Those of a client of `target`: of several servers each has its turn, unless it says NOT_SERVING.

    A server that stands alone is asked whatever it says of itself: its own refusal tells more than that
    nobody was asked, and while it drains it still answers. One without a health service counts as well. And
    it is dialled by the call that needs it: one that comes back answers the first call that finds it there,
    where a client that takes turns would still be pausing between two looks of its own.
    """
    if not is_of_replicas(target):
        return CLIENT_OPTIONS
    # "" is the process as a whole (grpc.health.v1), which hears of the end before the port closes.
    config = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}}
    return (*CLIENT_OPTIONS, ("grpc.service_config", json.dumps(config)))


def server_options(max_connection_age_seconds: float, longest_ms: int | None = None) -> tuple[Option, ...]:
    """Those of a server whose connections take no more calls once they are so old; 0 is no limit.

    `longest_ms` is another limit, and the smaller one counts. Calls and streams that run then end by
    themselves, however long they take: their callers have new ones go over another connection.
    """
    ages = [age for age in (int(max_connection_age_seconds * 1_000), longest_ms) if age]
    return (*SERVER_OPTIONS, ("grpc.max_connection_age_ms", min(ages))) if ages else SERVER_OPTIONS
