"""The figures that licensing keeps beside those of every service."""

from prometheus_client import Gauge

PEER_BEHIND = Gauge(
    "sluice_peer_behind",
    "1 while a peer answers as of an older state than it has shown before; nothing is decided on that.",
    ["peer"],
)
UNPUBLISHED_SECONDS = Gauge(
    "sluice_log_unpublished_seconds",
    "Seconds since the oldest receipt that no published checkpoint covers; 0 where there is none.",
)
