"""The benchmark runs from end to end and says what it is meant to say; how fast is for people to judge."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_bench_of_consent_has_a_comparison_for_each_batch_and_writes_what_it_found(
    tmp_path: Path,
) -> None:
    written = tmp_path / "figures.json"

    done = subprocess.run(
        [sys.executable, "-m", "bench.consent", "--quick", "--json", str(written)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip

    figures = json.loads(written.read_text())
    compared = [figure for figure in figures if figure["ratio"] is not None]
    assert len(compared) == 8
    assert all(figure["value"] > 0 for figure in figures)
    assert all(figure["ratio"] > 0 for figure in compared)
    assert "kernel, batch 10,000" in done.stdout
