"""Rules for Prometheus ask for what there is, say what to do, and fire when they are to and not before."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.figures import OF_OTHERS, ROOT, figures_of_the_program, gauges_of_the_program
from tests.support.promql import faults_in, series_of
from tests.support.rules import alerts, known_figures, records, rule_files

pytestmark = pytest.mark.slow

RUNBOOK = ROOT / "docs" / "alerts.md"
TESTS = ROOT / "deploy" / "prometheus" / "tests"
SETUP = ROOT / "deploy" / "prometheus" / "prometheus.yaml"
WATCHDOG = "SluiceWatchdog"
"""It always fires: that it stops is what it is for."""
LEVEL_METRIC_OPERATIONS = re.compile(r"[a-z_]+:[a-z_]+:[a-z0-9_]+")


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs it, from the folder of the tests; skips where it is not installed."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: it is in Debian's package prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, cwd=TESTS, check=False)


def test_prometheus_takes_the_rules_and_what_it_is_started_with() -> None:
    checked = promtool("check", "rules", *rule_files())
    configured = promtool("check", "config", SETUP)

    assert checked.returncode == 0, checked.stderr
    assert configured.returncode == 0, configured.stderr


@pytest.mark.parametrize("path", sorted(TESTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_alerts_fire_when_they_are_to_and_not_before(path: Path) -> None:
    tested = promtool("test", "rules", path)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_alert_is_shown_to_fire_and_not_to_fire() -> None:
    fires: set[str] = set()
    stays: set[str] = set()
    for path in TESTS.glob("*.yaml"):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]:
            for case in group["alert_rule_test"]:
                (fires if case.get("exp_alerts") else stays).add(case["alertname"])

    assert fires == set(alerts())
    assert stays == set(alerts()) - {WATCHDOG}


def test_rules_ask_for_series_and_labels_that_there_are() -> None:
    known = known_figures()

    faults = {
        name: found
        for name, rule in (alerts() | records()).items()
        if (found := faults_in(rule["expr"], known))
    }

    assert faults == {}


def test_series_and_labels_that_are_not_there_are_noticed() -> None:
    known = known_figures()

    assert faults_in("rate(sluice_never_total[5m])", known) == ["there is no sluice_never_total"]
    assert faults_in("sum by (party) (sluice_rpc_calls_total)", known) == [
        "sluice_rpc_calls_total has no label party"
    ]
    assert faults_in('sluice_recalls_overdue{licensee="acme"}', known) == [
        "sluice_recalls_overdue has no label licensee"
    ]
    assert faults_in("max by (job, pod) (sluice_recalls_overdue)", known) == []
    assert faults_in("sluice_rpc_calls_total + on (job) sluice_recalls_overdue", known) == []


def test_what_is_kept_of_the_series_of_others_is_asked_for_and_not_ours() -> None:
    ours = figures_of_the_program()

    assert not set(OF_OTHERS) & set(ours)
    assert all(not name.startswith("sluice_") for name in OF_OTHERS)


def test_no_label_of_the_program_names_anybody() -> None:
    labels = {label for labels in figures_of_the_program().values() for label in labels}

    assert labels <= {
        *("method", "code", "le", "database", "use", "reason"),
        *("outcome", "verdict", "peer", "limit", "form"),
    }


def test_what_is_recorded_is_named_for_its_level_its_metric_and_its_operations() -> None:
    for name in records():
        assert LEVEL_METRIC_OPERATIONS.fullmatch(name), name


def test_every_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on() -> None:
    for name, rule in alerts().items():
        notes = rule["annotations"]
        assert name.startswith("Sluice"), name
        severities = {"none"} if name == WATCHDOG else {"critical", "warning"}
        assert rule["labels"]["severity"] in severities, name
        assert set(notes) == {"summary", "description", "runbook_url"}, name
        assert notes["summary"].endswith("."), name
        assert notes["description"].endswith("."), name
        assert notes["runbook_url"] == f"docs/alerts.md#{name.lower()}", name


def test_every_alert_has_its_part_of_the_runbook_and_every_part_an_alert() -> None:
    parts = re.findall(r"^### (\S+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(parts) == sorted(alerts())


def test_every_alert_that_is_about_time_has_a_gauge_that_says_how_workers_become_one() -> None:
    gauges = gauges_of_the_program()
    times = {name for name in gauges if name.endswith("_timestamp_seconds")}

    modes = {name: gauges[name]._multiprocess_mode for name in times}

    assert modes == {
        "sluice_database_reached_timestamp_seconds": "livemin",
        "sluice_consent_index_current_timestamp_seconds": "livemin",
        "sluice_log_covered_timestamp_seconds": "livemax",
        "sluice_sweep_completed_timestamp_seconds": "livemax",
    }


def test_where_one_process_is_enough_the_best_of_workers_is_what_their_pool_shows() -> None:
    gauges = gauges_of_the_program()
    enough = {"sluice_withdrawals_stream_silent_seconds", "sluice_wall_age_seconds"}

    asked = {
        name: rule["expr"].split("(")[0]
        for rule in alerts().values()
        for name in enough & series_of(rule["expr"])
    }

    assert asked == dict.fromkeys(enough, "min by ")
    assert {gauges[name]._multiprocess_mode for name in enough} == {"livemin"}


def test_recorded_series_are_used_by_some_alert_or_board() -> None:
    boards = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "dashboards").glob("*.json")
    )
    asked = {name for rule in (alerts() | records()).values() for name in series_of(rule["expr"])}

    assert {name for name in records() if name not in asked and name not in boards} == set()
