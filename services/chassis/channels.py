"""What both ends of a connection must agree on."""

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

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
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

CLIENT_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", LARGEST_ANSWER_BYTES),
    ("grpc.max_send_message_length", LARGEST_REQUEST_BYTES),
    ("grpc.keepalive_time_ms", PING_EVERY_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A peer that was restarted is found again within a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
