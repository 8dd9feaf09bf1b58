"""The figures that licensing keeps beside those of every service. No label holds an id of anybody.

What a series counts first is hidden from rate() where the series begins with it: those whose labels are known
are there from the beginning. Of several workers each reads the same database and the same peers: what they
say of those is not added up, but the worst of it, or the best where one of them is enough.
"""

from prometheus_client import Counter, Gauge

DECISION_OUTCOMES = ("released", "partial", "denied", "replayed")
VERDICTS = ("released", "not_covered", "not_available", "no_room", "duplicate")
WEBHOOK_OUTCOMES = ("delivered", "failed", "given_up")
NETWORK_OUTCOMES = ("told", "merged", "refused")

DECISIONS = Counter(
    "sluice_decisions",
    "Requests that were answered with a decision: released, partial or denied where it is new, replayed where"
    " it had been given before. Those of the sandbox are not among them.",
    ["outcome"],
)
DECIDED_POSTS = Counter(
    "sluice_decided_posts", "Posts of new decisions, by the verdict that licensees are told.", ["verdict"]
)
DECISIONS_IN_FLIGHT = Gauge(
    "sluice_decisions_in_flight",
    "Requests for a decision that are being worked on.",
    multiprocess_mode="livesum",
)
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
    # One that hears is enough: the others read from the database what it has moved on.
    multiprocess_mode="livemin",
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
LOG_COVERED = Gauge(
    "sluice_log_covered_timestamp_seconds",
    "When the published log was last found to cover every receipt there was, seconds since the epoch.",
    multiprocess_mode="livemax",
)
OUTBOX_WAITING = Gauge(
    "sluice_outbox_messages", "Messages to metering that wait to be sent.", multiprocess_mode="livemax"
)
OUTBOX_AGE_SECONDS = Gauge(
    "sluice_outbox_oldest_seconds",
    "Seconds since the first message that waits for metering was written; 0 where none waits.",
    multiprocess_mode="livemax",
)
OUTBOX_PARKED = Gauge(
    "sluice_outbox_parked",
    "Messages to metering that it has refused for good: somebody is to look at them.",
    multiprocess_mode="livemax",
)
ANNOUNCEMENTS_WAITING = Gauge(
    "sluice_webhook_announcements", "Announcements that wait for their webhooks.", multiprocess_mode="livemax"
)
ANNOUNCEMENT_AGE_SECONDS = Gauge(
    "sluice_webhook_oldest_seconds",
    "Age of the oldest announcement that waits; 0 where none does.",
    multiprocess_mode="livemax",
)
HOLDS_OVERDUE = Gauge(
    "sluice_holds_overdue",
    "Holds older than the sweep age that the last sweep found at metering, and resolved.",
    multiprocess_mode="livemax",
)
SWEPT = Gauge(
    "sluice_sweep_completed_timestamp_seconds",
    "When a sweep of holds last came to its end, seconds since the epoch.",
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
    # What is said of it is that nobody knows; one that cannot read its database says so by that.
    multiprocess_mode="livemin",
)
NETWORK_CALLS = Counter(
    "sluice_gateway_network_calls",
    "Anonymous calls to content by what became of their count: told to metering, merged into the network"
    " called other for want of room, or refused by metering.",
    ["outcome"],
)

for _outcome in DECISION_OUTCOMES:
    DECISIONS.labels(_outcome)
for _verdict in VERDICTS:
    DECIDED_POSTS.labels(_verdict)
for _outcome in WEBHOOK_OUTCOMES:
    WEBHOOK_TRIES.labels(_outcome)
for _outcome in NETWORK_OUTCOMES:
    NETWORK_CALLS.labels(_outcome)
