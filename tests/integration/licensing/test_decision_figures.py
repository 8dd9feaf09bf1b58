"""What a service shows at its port of metrics after decisions: the figures that rules and boards rest on."""

from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.metrics import serve_metrics
from services.licensing.backlogs import BacklogWatch
from services.licensing.publishing import Publisher
from services.licensing.sweeper import Sweeper
from tests.support.cluster import Cluster, a_post

DECIDE = "sluice.licensing.v1.ReleaseService/Decide"


@pytest.fixture
def engine() -> str:
    return "sqlite"


def scraped(address: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every series by its name and labels."""
    with urlopen(f"http://{address}/metrics") as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def series(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_decisions_show_at_the_port_of_metrics(cluster: Cluster) -> None:
    address = serve_metrics("127.0.0.1:0")
    before = scraped(address)
    request_id = cluster.new_id()
    await cluster.opt_out(2)

    await cluster.decide([a_post(101, 1)], request_id=request_id)
    await cluster.decide([a_post(101, 1)], request_id=request_id)
    await cluster.decide([a_post(102, 1), a_post(103, 2)])
    after = scraped(address)

    grown = {
        key: after[key] - before[key]
        for key in (
            series("sluice_decisions_total", outcome="released"),
            series("sluice_decisions_total", outcome="partial"),
            series("sluice_decisions_total", outcome="denied"),
            series("sluice_decisions_total", outcome="replayed"),
            series("sluice_decided_posts_total", verdict="released"),
            series("sluice_decided_posts_total", verdict="not_available"),
            series("sluice_rpc_calls_total", method=DECIDE, code="OK"),
            series("sluice_rpc_calls_total", method=DECIDE, code="UNAVAILABLE"),
            series("sluice_rpc_overloaded_total", method=DECIDE),
        )
    }
    assert list(grown.values()) == [1, 1, 0, 1, 2, 1, 3, 0, 0]
    assert after[series("sluice_decisions_in_flight")] == 0
    assert after[series("sluice_consent_index_wait_seconds_count")] > 0
    assert after[series("sluice_consent_index_current_timestamp_seconds", database="consent")] > 0
    assert after[series("sluice_choice_to_effect_seconds_count")] > 0


async def test_what_runs_beside_decisions_shows_how_far_it_has_come(cluster: Cluster) -> None:
    address = serve_metrics("127.0.0.1:0")
    await cluster.decide([a_post(101, 1)])
    now = cluster.clock.now_us() / 1_000_000

    await cluster.task(Publisher).look()
    await cluster.task(Sweeper).sweep()
    await cluster.task(BacklogWatch).look()

    shown = scraped(address)
    assert shown[series("sluice_log_covered_timestamp_seconds")] == pytest.approx(now)
    assert shown[series("sluice_sweep_completed_timestamp_seconds")] == pytest.approx(now)
    assert shown[series("sluice_outbox_messages")] == 0
    assert shown[series("sluice_outbox_oldest_seconds")] == 0
