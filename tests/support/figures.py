"""Which metrics there are, and with which labels: those of this program out of its own modules, those of
others out of a table.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

ROOT = Path(__file__).resolve().parents[2]

Labels = frozenset[str]
Figures = Mapping[str, Labels]
"""Labels by the name of a series, as it is scraped."""

SCRAPED: Labels = frozenset({"job", "instance", "pod", "namespace"})
"""Labels that whoever scrapes puts onto each series."""

_NONE: Labels = frozenset()
_CONNECTIONS: Labels = frozenset({"envoy_http_conn_manager_prefix"})
_CLUSTER: Labels = frozenset({"envoy_cluster_name"})

OF_OTHERS: Figures = {
    # Prometheus itself.
    "up": _NONE,
    "prometheus_rule_evaluation_failures_total": frozenset({"rule_group"}),
    "prometheus_rule_group_iterations_missed_total": frozenset({"rule_group"}),
    "prometheus_notifications_alertmanagers_discovered": _NONE,
    "prometheus_notifications_dropped_total": _NONE,
    "prometheus_config_last_reload_successful": _NONE,
    # Alertmanager.
    "alertmanager_notifications_failed_total": frozenset({"integration"}),
    "alertmanager_config_last_reload_successful": _NONE,
    # prometheus_client, of each process.
    "process_start_time_seconds": _NONE,
    # kube-state-metrics.
    "kube_deployment_status_replicas_available": frozenset({"deployment"}),
    "kube_deployment_spec_replicas": frozenset({"deployment"}),
    # The OpenTelemetry Collector, with the ending of counters and without it.
    "otelcol_exporter_send_failed_spans_total": frozenset({"exporter"}),
    "otelcol_exporter_send_failed_spans": frozenset({"exporter"}),
    "otelcol_receiver_refused_spans_total": frozenset({"receiver"}),
    "otelcol_receiver_refused_spans": frozenset({"receiver"}),
    "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total": _NONE,
    "otelcol_processor_tail_sampling_sampling_trace_dropped_too_early": _NONE,
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
    # Envoy 1.40, as its /stats/prometheus gives them.
    "envoy_server_live": _NONE,
    "envoy_server_uptime": _NONE,
    "envoy_cluster_membership_healthy": _CLUSTER,
    "envoy_cluster_membership_total": _CLUSTER,
    "envoy_cluster_ratelimit_error": _CLUSTER,
    "envoy_http_downstream_rq_total": _CONNECTIONS,
    "envoy_http_downstream_rq_xx": _CONNECTIONS | {"envoy_response_code_class"},
    "envoy_http_downstream_rq_time_bucket": _CONNECTIONS | {"le"},
    "envoy_http_downstream_cx_active": _CONNECTIONS,
    "envoy_http_ext_authz_error": _CONNECTIONS,
    "envoy_http_ext_authz_denied": _CONNECTIONS,
    "envoy_cluster_upstream_rq_xx": _CLUSTER | {"envoy_response_code_class"},
    # CloudNativePG: what it predefines, and its queries for monitoring that are there by default.
    "cnpg_collector_up": frozenset({"cluster"}),
    "cnpg_collector_sync_replicas": frozenset({"value"}),
    "cnpg_collector_pg_wal_archive_status": frozenset({"value"}),
    "cnpg_pg_replication_lag": _NONE,
    "cnpg_pg_replication_in_recovery": _NONE,
    "cnpg_pg_replication_streaming_replicas": _NONE,
}


def figures_of_the_program() -> dict[str, Labels]:
    """Every series that a module of metrics of a service defines."""
    found: dict[str, Labels] = {}
    for path in sorted((ROOT / "services").glob("*/metrics.py")):
        module = importlib.import_module(f"services.{path.parent.name}.metrics")
        for metric in vars(module).values():
            if isinstance(metric, Counter | Gauge | Histogram):
                found |= _series_of(metric)
    return found


def gauges_of_the_program() -> dict[str, Gauge]:
    """Every gauge, by its name."""
    found: dict[str, Gauge] = {}
    for path in sorted((ROOT / "services").glob("*/metrics.py")):
        module = importlib.import_module(f"services.{path.parent.name}.metrics")
        found |= {each._name: each for each in vars(module).values() if isinstance(each, Gauge)}
    return found


def _series_of(metric: Counter | Gauge | Histogram) -> dict[str, Labels]:
    name, labels = metric._name, frozenset(metric._labelnames)
    if isinstance(metric, Counter):
        return {f"{name}_total": labels}
    if isinstance(metric, Histogram):
        return {f"{name}_bucket": labels | {"le"}, f"{name}_count": labels, f"{name}_sum": labels}
    return {name: labels}
