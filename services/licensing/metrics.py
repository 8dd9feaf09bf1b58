"""The figures that licensing keeps beside those of every service."""

from prometheus_client import Gauge

UNPUBLISHED_SECONDS = Gauge(
    "sluice_log_unpublished_seconds",
    "Seconds since the oldest receipt that no published checkpoint covers; 0 where there is none.",
)
