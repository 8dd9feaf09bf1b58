"""The benchmark runs from end to end and says what it is meant to say; how fast is for people to judge."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_bench_of_consent_has_comparisons_at_each_size_of_a_batch_and_writes_what_it_found(
    tmp_path: Path,
) -> None:
    written = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, "-m", "bench.consent", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    told = json.loads(written.read_text())
    figures = {figure["what"]: figure for figure in told["figures"]}
    assert told["engine"] == "sqlite"
    assert set(told["machine"]) == {"processor", "cores", "load", "python", "numpy", "sqlite"}
    assert all(figure["value"] > 0 and figure["unit"] for figure in told["figures"])
    assert all(figure["size"] == 100_000 for figure in told["figures"])
    assert all(
        (figure["met"] is None) == (figure["aim"] is None and figure["least"] is None)
        for figure in told["figures"]
    )
    for size in ("1", "100", "1,000", "10,000"):
        assert figures[f"kernel, batch {size}"]["ratio"] is None
        assert figures[f"  query for the profiles, batch {size}"]["ratio"] > 0
        assert figures[f"  dict of the profiles, batch {size}"]["ratio"] > 0
        assert figures[f"  set of the denied alone, batch {size}"]["ratio"] > 0
    assert "kernel, batch 10,000" in done.stdout


def test_the_bench_of_metering_compares_both_engines_with_one_update_a_reservation(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.metering", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    told = json.loads(written.read_text())
    figures = {(figure["what"], figure["size"]): figure for figure in told["figures"]}
    for engine in ("sqlite", "postgresql"):
        for parties in (1, 1_000):
            assert figures[f"{engine}: one UPDATE a reservation, one by one", parties]["value"] > 0
            for in_flight in (1, 64):
                reservations = figures[f"{engine}: reservations, {in_flight} in flight", parties]
                assert reservations["value"] > 0
                assert reservations["ratio"] > 0
        for stretch in ("a day", "90 days"):
            assert figures[f"{engine}: fullest hour of {stretch}", 20_000]["value"] > 0
            assert figures[f"{engine}:   by every moment of {stretch}", 20_000]["ratio"] > 0
            assert figures[f"{engine}: a reservation meanwhile, {stretch}, median", 20_000]["value"] > 0


def test_the_bench_of_limits_on_calls_compares_windows_with_a_row_a_call(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.limits", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    told = json.loads(written.read_text())
    figures = {(figure["what"], figure["size"]): figure for figure in told["figures"]}
    for engine in ("sqlite", "postgresql"):
        for keys in (1, 64, 1_000):
            assert figures[f"{engine}: calls counted", keys]["value"] > 0
            assert figures[f"{engine}:   a row a call", keys]["ratio"] > 0
            assert figures[f"{engine}: calls denied, known to be full", keys]["ratio"] > 0


def test_the_bench_of_the_gateway_compares_each_way_with_calls_to_the_service(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.gateway", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    told = json.loads(written.read_text())
    figures = {(figure["what"], figure["size"]): figure for figure in told["figures"]}
    calls = [("GetChoices", 0), ("ListLicenses", 0), *(("RequestRelease", size) for size in (1, 100, 1_000))]
    for call, size in calls:
        for in_flight in (1, 32):
            assert figures[f"{call} x{in_flight}, direct, median", size]["ratio"] is None
            for way in ("gRPC", "gRPC-Web", "JSON"):
                assert figures[f"{call} x{in_flight}, {way}, 99 %", size]["ratio"] > 0
    assert figures["one caller as shipped, let through", 0]["value"] > 0


def test_the_bench_of_claims_compares_sums_with_every_access(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.damages", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {figure["what"]: figure for figure in json.loads(written.read_text())["figures"]}
    assert figures["periods under the policy, by sums"]["value"] > 0
    assert figures["  by every access"]["ratio"] > 0
    for part in ("all 64 readings", "bundle written", "bundle verified, all readings"):
        assert figures[part]["value"] > 0
        assert figures[f"  memory of its process, {part}"]["value"] > 0


def test_the_bench_of_streams_compares_them_with_single_calls_at_each_size_of_a_batch(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.stream", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {
        (figure["what"], figure["size"]): figure for figure in json.loads(written.read_text())["figures"]
    }
    for size in (1, 100, 1_000):
        assert figures["decisions, 32 in flight, single calls", size]["value"] > 0
        assert figures["decisions, 32 in flight, a stream", size]["ratio"] > 0
    for size in (100, 1_000):
        assert figures["job, file to file, single calls", size]["value"] > 0
        assert figures["job, file to file, a stream", size]["ratio"] > 0


def test_the_bench_of_the_log_compares_it_with_a_tree_that_is_hashed_anew(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.ledger", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {figure["what"]: figure for figure in json.loads(written.read_text())["figures"]}
    assert figures["appended, of a backlog"]["value"] > 0
    for compared in ("the tree hashed anew", "from all leaves", "by an inclusion proof that is there"):
        assert figures[f"  {compared}"]["ratio"] > 0
    assert figures["oldest receipt without a checkpoint, at most"]["value"] > 0
    assert figures["  with nobody publishing"]["ratio"] > 0


def test_the_bench_of_disclosures_compares_the_index_with_rows_and_with_every_manifest(
    tmp_path: Path,
) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.disclosures", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {figure["what"]: figure for figure in json.loads(written.read_text())["figures"]}
    assert figures["page of 20 releases of a subject, 99th percentile"]["met"] is not None
    assert figures["recall entries on record"]["value"] > 0
    for whose in ("of one who withdrew", "of anyone"):
        told = figures[f"page of 20 releases over gRPC, {whose}, 99th percentile"]
        assert told["met"] is not None
    assert 0 < figures["size of a pair"]["value"] < figures["  size of a row"]["value"]
    for compared in ("by a row for each", "through all manifests", "with nobody indexing, median"):
        assert figures[f"  {compared}"]["ratio"] > 0


def test_the_bench_of_workers_compares_pools_with_one_process(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.workers", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    told = json.loads(written.read_text())
    figures = {(figure["what"], figure["size"]): figure for figure in told["figures"]}
    for posts in (1, 1_000):
        assert figures["one process, checks", posts]["value"] > 0
        assert figures["a pool of 2, checks", posts]["ratio"] > 0
        assert figures["a pool of 3, checks", posts]["ratio"] > 0
    assert figures["one process, memory of all", 1]["value"] > 0


def test_the_bench_of_traces_compares_decisions_that_are_recorded_with_those_that_are_not(
    tmp_path: Path,
) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.telemetry", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {figure["what"]: figure for figure in json.loads(written.read_text())["figures"]}
    assert figures["  encoded, in a batch"]["ratio"] > 0
    for what in ("processors a decision, all services", "decisions, 16 at once"):
        assert figures[f"nothing recorded, {what}"]["ratio"] is None
        assert figures[f"1 % recorded, {what}"]["ratio"] > 0
        assert figures[f"all recorded, {what}"]["ratio"] > 0
        assert figures[f"all recorded, 1 % chosen by each process, {what}"]["ratio"] > 0


def test_the_bench_of_confirmations_compares_them_with_plain_reads(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    subprocess.run(
        [sys.executable, "-m", "bench.confirming", "--seconds", "0.2", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = {
        (figure["what"], figure["size"]): figure for figure in json.loads(written.read_text())["figures"]
    }
    for in_flight in (1, 8, 64):
        assert figures["plain reads", in_flight]["value"] > 0
        assert figures["confirmed reads", in_flight]["ratio"] > 0
