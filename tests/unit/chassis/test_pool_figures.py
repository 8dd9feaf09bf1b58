"""Folders of figures: one for each pool, gone with it; what killed pools left goes at the next start."""

from pathlib import Path

from prometheus_client import generate_latest

from services.chassis.pool_figures import PoolFigures, figures_folder


def test_a_folder_that_was_left_is_removed_and_one_in_use_stays(tmp_path: Path) -> None:
    left = tmp_path / "figures-left"
    left.mkdir()
    (left / "lock").touch()
    (left / "counter_1.db").touch()

    with figures_folder(tmp_path) as first, figures_folder(tmp_path) as second:
        present = set(tmp_path.glob("figures-*"))

    assert present == {first, second}
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_never_served_leaves_nothing(tmp_path: Path) -> None:
    for name in (
        "counter_7.db",
        "counter_8.db",
        "gauge_livesum_7.db",
        "gauge_livesum_8.db",
        "histogram_77.db",
    ):
        (tmp_path / name).touch()
    figures = PoolFigures(tmp_path, lambda: ())

    figures.bury(7, has_served=False)
    figures.bury(8, has_served=True)

    assert {file.name for file in tmp_path.iterdir()} == {"counter_8.db", "histogram_77.db"}


def test_workers_that_are_replaced_are_counted_from_0_for_each_reason(tmp_path: Path) -> None:
    told = generate_latest(PoolFigures(tmp_path, lambda: ()).registry).decode()

    for reason in ("ended", "hangs", "withdrew"):
        assert f'sluice_workers_replaced_total{{reason="{reason}"}} ' in told
