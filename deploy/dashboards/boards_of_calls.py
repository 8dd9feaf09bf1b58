"""Boards about calls: decisions, the gateway, and the processes that answer."""

from deploy.dashboards.panels import Board, Panel, Query, Row
from deploy.dashboards.queries import GATEWAY, RELEASES, burn, limit, percentiles

DECISIONS = Board(
    "sluice-decisions",
    "Sluice: decisions",
    "Whether requests for a decision are answered, how, and how fast.",
    (
        Row(
            "Objectives",
            (
                Panel(
                    "Failures, over three days",
                    "Requests in order that were not decided, of all. 0.1 % may.",
                    "percentunit",
                    (Query("job:sluice_decision_failures:ratio_rate3d", "failed"),),
                    6,
                    limit(0.001),
                    is_number=True,
                ),
                Panel(
                    "Late, over three days",
                    "Requests that took more than 250 ms, of all. 1 % may.",
                    "percentunit",
                    (Query("job:sluice_decision_slow:ratio_rate3d", "late"),),
                    6,
                    limit(0.01),
                    is_number=True,
                ),
                Panel(
                    "Burn rate: failures",
                    "1 uses up the budget of 30 days in 30 days. A page is at 14.4 for an hour or 6 for six.",
                    "short",
                    burn("failures", 0.001),
                    6,
                    limit(14.4, 6),
                ),
                Panel(
                    "Burn rate: lateness",
                    "1 uses up the budget of 30 days in 30 days. A page is at 14.4 for an hour or 6 for six.",
                    "short",
                    burn("slow", 0.01),
                    6,
                    limit(14.4, 6),
                ),
            ),
        ),
        Row(
            "Answers",
            (
                Panel(
                    "Decisions by outcome",
                    "replayed was answered before, under the same request id.",
                    "reqps",
                    (Query("sum by (outcome) (rate(sluice_decisions_total[5m]))", "{{outcome}}"),),
                ),
                Panel(
                    "Posts by verdict",
                    "As licensees are told: not_available is consent, a halt or an unknown post.",
                    "short",
                    (Query("sum by (verdict) (rate(sluice_decided_posts_total[5m]))", "{{verdict}}"),),
                ),
                Panel(
                    "Errors by code",
                    "Requests for a decision that were not answered with one.",
                    "reqps",
                    (
                        Query(
                            f'sum by (code) (rate(sluice_rpc_calls_total{{{RELEASES},code!="OK"}}[5m]))',
                            "{{code}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Time and room",
            (
                Panel(
                    "Time to decide",
                    "From the first byte read to the answer, failures among them.",
                    "s",
                    percentiles("sluice_rpc_seconds", where=RELEASES),
                    thresholds=limit(0.25),
                ),
                Panel(
                    "In flight",
                    "Requests being worked on, by process; the autoscaler goes by it.",
                    "short",
                    (Query("sum by (instance) (sluice_decisions_in_flight)", "{{instance}}"),),
                ),
                Panel(
                    "Turned away as overload",
                    "OVERLOADED and QUEUE_FULL, of all RPCs.",
                    "reqps",
                    (Query("sum by (job, method) (rate(sluice_rpc_overloaded_total[5m]))", "{{method}}"),),
                ),
            ),
        ),
    ),
)

GATEWAY_BOARD = Board(
    "sluice-gateway",
    "Sluice: gateway and limits",
    "Calls from outside: how they end, and what keeps them out.",
    (
        Row(
            "Envoy",
            (
                Panel(
                    "Calls by class",
                    "HTTP status. An error of gRPC is an answer of status 200.",
                    "reqps",
                    (
                        Query(
                            "sum by (envoy_response_code_class)"
                            f" (rate(envoy_http_downstream_rq_xx{{{GATEWAY}}}[5m]))",
                            "{{envoy_response_code_class}}xx",
                        ),
                    ),
                ),
                Panel(
                    "Time of calls",
                    "From the first byte from outside to the last one back.",
                    "ms",
                    percentiles("envoy_http_downstream_rq_time", where=GATEWAY),
                ),
                Panel(
                    "Connections",
                    "Open from outside, by process.",
                    "short",
                    (
                        Query(
                            f"sum by (instance) (envoy_http_downstream_cx_active{{{GATEWAY}}})",
                            "{{instance}}",
                        ),
                    ),
                ),
            ),
        ),
        Row(
            "Who comes in",
            (
                Panel(
                    "What licensing told the gateway",
                    "admitted, or the reason.",
                    "reqps",
                    (Query("sum by (outcome) (rate(sluice_gateway_checks_total[5m]))", "{{outcome}}"),),
                ),
                Panel(
                    "Not checked",
                    "Calls that were refused because licensing had not answered in time.",
                    "reqps",
                    (Query(f"sum(rate(envoy_http_ext_authz_error{{{GATEWAY}}}[5m]))", "errors"),),
                    thresholds=limit(0.1),
                ),
                Panel(
                    "Not counted",
                    "Calls that were refused because metering had not answered in time.",
                    "reqps",
                    (Query("sum(rate(envoy_cluster_ratelimit_error[5m]))", "errors"),),
                    thresholds=limit(0.1),
                ),
                Panel(
                    "Processes that are not reached",
                    "By cluster, as each gateway finds them; authz is licensing, limits is metering.",
                    "short",
                    (
                        Query(
                            "max by (envoy_cluster_name) (envoy_cluster_membership_total"
                            " - envoy_cluster_membership_healthy)",
                            "{{envoy_cluster_name}}",
                        ),
                    ),
                    thresholds=limit(1),
                ),
                Panel(
                    "What is known of the wall",
                    "Its age, by process. From 1 s on anonymous callers are refused content.",
                    "s",
                    (Query("sluice_wall_age_seconds", "{{instance}}"),),
                    thresholds=limit(1),
                ),
            ),
        ),
        Row(
            "Limits",
            (
                Panel(
                    "Denied",
                    "By limit; would_deny is one that is only tried out.",
                    "reqps",
                    (
                        Query(
                            "sum by (limit, outcome)"
                            ' (rate(sluice_limited_calls_total{outcome!="allowed"}[5m]))',
                            "{{limit}} {{outcome}}",
                        ),
                    ),
                ),
                Panel(
                    "Without a limit",
                    "Descriptors that no line of the file is for.",
                    "reqps",
                    (Query("sum(rate(sluice_unlimited_calls_total[5m]))", "descriptors"),),
                ),
                Panel(
                    "The file of limits",
                    "1 while it is good, by process of metering.",
                    "short",
                    (Query("sluice_limits_file_good", "{{instance}}"),),
                ),
                Panel(
                    "Counts of networks",
                    "Anonymous calls by what became of their count.",
                    "reqps",
                    (
                        Query(
                            "sum by (outcome) (rate(sluice_gateway_network_calls_total[5m]))", "{{outcome}}"
                        ),
                    ),
                    24,
                ),
            ),
        ),
    ),
)

FLEET = Board(
    "sluice-fleet",
    "Sluice: the fleet",
    "Processes, certificates, telemetry, and which alerts fire.",
    (
        Row(
            "Now",
            (
                Panel(
                    "Processes that answer",
                    "By part.",
                    "short",
                    (
                        Query(
                            'sum by (job) (up{job=~"consent|metering|licensing|directory|gateway"})',
                            "{{job}}",
                        ),
                    ),
                    12,
                    (("red", None), ("green", 1)),
                    is_number=True,
                ),
                Panel(
                    "Alerts that fire",
                    "What each means and what to do is in docs/alerts.md.",
                    "short",
                    (
                        Query(
                            'count by (alertname) (ALERTS{alertname=~"Sluice.*",alertstate="firing"})',
                            "{{alertname}}",
                        ),
                    ),
                    12,
                    limit(1),
                ),
            ),
        ),
        Row(
            "Calls",
            (
                Panel(
                    "Calls by part",
                    "All RPCs, and requests of streams.",
                    "reqps",
                    (Query("sum by (job) (rate(sluice_rpc_calls_total[5m]))", "{{job}}"),),
                ),
                Panel(
                    "In flight by process",
                    "Health checks are not counted, nor is a stream for being open.",
                    "short",
                    (Query("sum by (job, instance) (sluice_rpc_in_flight)", "{{job}} {{instance}}"),),
                ),
                Panel(
                    "Streams open by process",
                    "At work or idle: who watches does so for an hour.",
                    "short",
                    (Query("sum by (job, instance) (sluice_rpc_streams_open)", "{{job}} {{instance}}"),),
                ),
                Panel(
                    "Workers that do not serve",
                    "Of those that are to, by process.",
                    "short",
                    (
                        Query(
                            "max by (job, instance) (sluice_workers_configured)"
                            " - max by (job, instance) (sluice_workers)",
                            "{{job}} {{instance}}",
                        ),
                    ),
                    thresholds=limit(1),
                ),
                Panel(
                    "Workers replaced",
                    "In half an hour, by process and reason.",
                    "short",
                    (
                        Query(
                            "sum by (job, instance, reason) (increase(sluice_workers_replaced_total[30m]))",
                            "{{job}} {{instance}} {{reason}}",
                        ),
                    ),
                    thresholds=limit(3),
                ),
                Panel(
                    "Defects",
                    "INTERNAL and UNKNOWN: each is one.",
                    "short",
                    (
                        Query(
                            "sum by (job, method)"
                            ' (increase(sluice_rpc_calls_total{code=~"INTERNAL|UNKNOWN"}[15m]))',
                            "{{method}}",
                        ),
                    ),
                    thresholds=limit(1),
                ),
            ),
        ),
        Row(
            "Certificates and traces",
            (
                Panel(
                    "Certificates last",
                    "The one of each process and use that ends first.",
                    "s",
                    (
                        Query(
                            "min by (job, instance, use) (sluice_certificate_left_seconds)",
                            "{{job}} {{instance}} {{use}}",
                        ),
                    ),
                    thresholds=(("red", None), ("yellow", 86400), ("green", 604800)),
                ),
                Panel(
                    "Certificates that cannot be used",
                    "What was put in the place of one, and does not fit.",
                    "short",
                    (
                        Query(
                            "sum by (job, use) (increase(sluice_certificate_reload_failures_total[1h]))",
                            "{{job}} {{use}}",
                        ),
                    ),
                    thresholds=limit(1),
                ),
                Panel(
                    "Spans dropped",
                    "By part and reason. Decisions and receipts are not touched.",
                    "short",
                    (
                        Query(
                            "sum by (job, reason) (rate(sluice_spans_dropped_total[5m]))",
                            "{{job}} {{reason}}",
                        ),
                    ),
                ),
            ),
        ),
    ),
)
