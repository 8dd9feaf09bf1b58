"""The figures that licensing keeps beside those of every service.

Of several workers each reads the same database and the same peers: what they say of those is not added up.
"""

from prometheus_client import Counter, Gauge

PEER_BEHIND = Gauge(
    "sluice_peer_behind",
    "1 while a peer answers as of an older state than it has shown before; nothing is decided on that.",
    ["peer"],
    multiprocess_mode="livemax",
)
UNSCANNED_SECONDS = Gauge(
    "sluice_withdrawals_unscanned_seconds",
    "Seconds since the oldest withdrawal that was read and not scanned yet; 0 where there is none.",
    multiprocess_mode="livemax",
)
STREAM_SILENT_SECONDS = Gauge(
    "sluice_withdrawals_stream_silent_seconds",
    "Seconds since consent's stream of withdrawals has said anything; it does once in a few seconds.",
    multiprocess_mode="livemax",
)
RECALLS_COLLECTING = Gauge(
    "sluice_recalls_collecting",
    "Recalls that wait for their interval to end.",
    multiprocess_mode="livemostrecent",
)
RECALLS_OVERDUE = Gauge(
    "sluice_recalls_overdue",
    "Recalls whose time is over and that are not resolved.",
    multiprocess_mode="livemostrecent",
)
RECHECKS_OPEN = Gauge(
    "sluice_recall_rechecks_open",
    "Policies and halts, one for each licensee, whose releases consent is still being asked about.",
    multiprocess_mode="livemostrecent",
)
UNPUBLISHED_SECONDS = Gauge(
    "sluice_log_unpublished_seconds",
    "Seconds since the oldest receipt that no published checkpoint covers; 0 where there is none.",
    multiprocess_mode="livemax",
)
WEBHOOK_TRIES = Counter(
    "sluice_webhook_tries",
    "Tries to announce a recall at a webhook, by how they ended: delivered, failed, or given_up for good.",
    ["outcome"],
)
CHECKS = Counter(
    "sluice_gateway_checks",
    "Calls that the gateway has asked about, by what it was told: admitted, or the reason.",
    ["outcome"],
)
WALL_AGE_SECONDS = Gauge(
    "sluice_wall_age_seconds",
    "Age of what is known of the login wall; from 1 on anonymous callers are refused content.",
    multiprocess_mode="livemax",
)
NETWORK_CALLS = Counter(
    "sluice_gateway_network_calls",
    "Anonymous calls to content by what became of their count: told to metering, merged into the network"
    " called other for want of room, or refused by metering.",
    ["outcome"],
)
