"""Boards about what is on record: consent and withdrawals, the databases and the log."""

from deploy.dashboards.panels import Board, Panel, Query, Row
from deploy.dashboards.queries import limit, percentiles

CONSENT = Board(
    "sluice-consent",
    "Sluice: consent and withdrawals",
    "Whether what people choose reaches decisions, and what was released before.",
    (
        Row(
            "The index",
            (
                Panel(
                    "Behind at a look",
                    "Revisions that each look had to take in. It looks ten times a second and at each check.",
                    "short",
                    (Query("max by (instance) (sluice_consent_index_lag_revisions)", "{{instance}}"),),
                ),
                Panel(
                    "Since it was at the head",
                    "Seconds since a look began that brought the index to the head.",
                    "s",
                    (
                        Query(
                            "time() - min by (instance) (sluice_consent_index_current_timestamp_seconds)",
                            "{{instance}}",
                        ),
                    ),
                    thresholds=limit(10),
                ),
                Panel(
                    "Checks wait for it",
                    "Until it is at a head that was read after the check arrived.",
                    "s",
                    percentiles("sluice_consent_index_wait_seconds"),
                    thresholds=limit(0.1),
                ),
            ),
        ),
        Row(
            "Choices",
            (
                Panel(
                    "Choices",
                    "Live choices and objections; imports are not among them.",
                    "reqps",
                    (Query("sum by (form) (rate(sluice_choices_total[5m]))", "{{form}}"),),
                    12,
                ),
                Panel(
                    "From commit to the index",
                    "In the process that recorded it. Checks that come in between wait.",
                    "s",
                    percentiles("sluice_choice_to_effect_seconds"),
                    12,
                    limit(2.5),
                ),
            ),
        ),
        Row(
            "Withdrawals and recalls",
            (
                Panel(
                    "Stream silent",
                    "Seconds since it has said anything, by process of licensing.",
                    "s",
                    (Query("sluice_withdrawals_stream_silent_seconds", "{{instance}}"),),
                    thresholds=limit(60),
                ),
                Panel(
                    "Withdrawals not scanned",
                    "Age of the oldest that was read and not looked for in what was released.",
                    "s",
                    (Query("sluice_withdrawals_unscanned_seconds", "{{instance}}"),),
                    thresholds=limit(120),
                ),
                Panel(
                    "Recalls",
                    "Collecting: within their interval. Overdue: past their time, and not resolved.",
                    "short",
                    (
                        Query("max(sluice_recalls_collecting)", "collecting"),
                        Query("max(sluice_recalls_overdue)", "overdue"),
                        Query("max(sluice_recall_rechecks_open)", "rechecks"),
                    ),
                ),
                Panel(
                    "Webhook tries",
                    "By how they ended; given_up was tried for 3 days.",
                    "reqps",
                    (Query("sum by (outcome) (rate(sluice_webhook_tries_total[5m]))", "{{outcome}}"),),
                    12,
                ),
                Panel(
                    "Announcements that wait",
                    "How many, and for how long the oldest has.",
                    "short",
                    (
                        Query("max(sluice_webhook_announcements)", "announcements"),
                        Query("max(sluice_webhook_oldest_seconds)", "oldest, seconds"),
                    ),
                    12,
                ),
            ),
        ),
    ),
)

DATABASE = Board(
    "sluice-database",
    "Sluice: databases and the log",
    "Writers and their queues, kept heads, the log of receipts, and what metering is told.",
    (
        Row(
            "Writers",
            (
                Panel(
                    "Waiting for the writer",
                    "Units of work. From 4,096 on, calls are refused as QUEUE_FULL.",
                    "short",
                    (
                        Query(
                            "max by (database, instance) (sluice_database_queue_units)",
                            "{{database}} {{instance}}",
                        ),
                    ),
                    thresholds=limit(4096, 500),
                ),
                Panel(
                    "Units in a commit",
                    "The mean. It grows under load: what arrives together shares a commit.",
                    "short",
                    (
                        Query(
                            "sum by (database) (rate(sluice_database_group_units_sum[5m]))"
                            " / sum by (database) (rate(sluice_database_group_units_count[5m]))",
                            "{{database}}",
                        ),
                    ),
                ),
                Panel(
                    "Commits",
                    "Groups a second.",
                    "ops",
                    (
                        Query(
                            "sum by (database) (rate(sluice_database_group_units_count[5m]))", "{{database}}"
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Reach",
            (
                Panel(
                    "Since the database answered",
                    "It is asked twice a second.",
                    "s",
                    (
                        Query(
                            "time()"
                            " - min by (database, instance) (sluice_database_reached_timestamp_seconds)",
                            "{{database}} {{instance}}",
                        ),
                    ),
                    thresholds=limit(15),
                ),
                Panel(
                    "Since the head was kept",
                    "The head kept outside is written twice a second.",
                    "s",
                    (
                        Query(
                            "time() - max by (database, instance) (sluice_head_kept_seconds)",
                            "{{database}} {{instance}}",
                        ),
                    ),
                    thresholds=limit(60),
                ),
                Panel(
                    "Peers behind",
                    "1 while a peer answers from an older state than it has shown.",
                    "short",
                    (Query("max by (peer) (sluice_peer_behind)", "{{peer}}"),),
                    thresholds=limit(1),
                ),
            ),
        ),
        Row(
            "The log, and what metering is told",
            (
                Panel(
                    "Since the log covered all",
                    "The newest of all processes: one that publishes is enough.",
                    "s",
                    (Query("time() - max(sluice_log_covered_timestamp_seconds)", "fleet"),),
                    thresholds=limit(30),
                ),
                Panel(
                    "Receipts not published",
                    "Age of the oldest that no published checkpoint covers, by process.",
                    "s",
                    (Query("sluice_log_unpublished_seconds", "{{instance}}"),),
                    thresholds=limit(10),
                ),
                Panel(
                    "Messages to metering",
                    "Those that wait, and those refused for good. Up to 10,000 are counted.",
                    "short",
                    (
                        Query("max(sluice_outbox_messages)", "waiting"),
                        Query("max(sluice_outbox_parked)", "parked"),
                    ),
                ),
                Panel(
                    "The oldest message waits",
                    "Since it was written, whichever process wrote it.",
                    "s",
                    (Query("max(sluice_outbox_oldest_seconds)", "oldest"),),
                    thresholds=limit(60),
                ),
                Panel(
                    "Holds left behind",
                    "Found by the last sweep, and resolved.",
                    "short",
                    (Query("max(sluice_holds_overdue)", "holds"),),
                    thresholds=limit(1000),
                ),
                Panel(
                    "Since a sweep",
                    "Sweeps come to their end once a minute.",
                    "s",
                    (Query("time() - max(sluice_sweep_completed_timestamp_seconds)", "fleet"),),
                    thresholds=limit(900),
                ),
            ),
        ),
    ),
)
