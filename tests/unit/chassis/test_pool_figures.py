"""Folders of figures: one for each pool, gone with it; what killed pools left goes at the next start."""

from pathlib import Path

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
