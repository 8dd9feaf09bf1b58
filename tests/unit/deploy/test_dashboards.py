"""Boards for Grafana are what their Python says, fit on the grid, and ask for what there is."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards.__main__ import BOARDS, text_of
from deploy.dashboards.panels import SCHEMA_VERSION, WIDTH
from tests.support.figures import ROOT
from tests.support.promql import faults_in
from tests.support.rules import known_figures

FOLDER = ROOT / "deploy" / "dashboards"
FILES = sorted(FOLDER.glob("*.json"))
UNITS = {"s", "ms", "reqps", "ops", "short", "percentunit"}


def boards() -> dict[str, Any]:
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}


def panels(board: Any) -> list[Any]:
    """Those with something in them."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def cells(panel: Any) -> set[tuple[int, int]]:
    """The places of the grid that a panel takes."""
    place = panel["gridPos"]
    columns = range(place["x"], place["x"] + place["w"])
    return set(itertools.product(columns, range(place["y"], place["y"] + place["h"])))


def test_the_boards_on_file_are_those_that_are_made() -> None:
    made = {f"{board.uid}.json": text_of(board) for board in BOARDS}

    on_file = {path.name: path.read_text(encoding="utf-8") for path in FILES}

    assert on_file == made, "make dashboards"


def test_a_board_is_one_that_grafana_reads_and_nobody_confuses() -> None:
    found = boards()

    assert len({board["title"] for board in found.values()}) == 5
    for name, board in found.items():
        ids = [panel["id"] for panel in board["panels"]]
        assert board["uid"] == name
        assert board["schemaVersion"] == SCHEMA_VERSION
        assert len(set(ids)) == len(ids)
        assert [each["type"] for each in board["templating"]["list"]] == ["datasource"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_panel_lies_on_another_or_outside_of_the_grid(path: Path) -> None:
    board = boards()[path.stem]

    taken = [cell for panel in board["panels"] for cell in cells(panel)]

    assert len(set(taken)) == len(taken)
    assert all(0 <= column < WIDTH for column, _ in taken)


def test_every_panel_says_what_it_is_in_which_unit_and_asks_the_source_of_the_board() -> None:
    for board in boards().values():
        titles = [panel["title"] for panel in panels(board)]
        assert len(set(titles)) == len(titles)
        for panel in panels(board):
            assert panel["description"].endswith("."), panel["title"]
            assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
            assert panel["targets"], panel["title"]
            for target in (panel, *panel["targets"]):
                assert target["datasource"] == {"type": "prometheus", "uid": "${source}"}, panel["title"]
            assert all(target["legendFormat"] for target in panel["targets"]), panel["title"]


def test_boards_ask_for_series_and_labels_that_there_are() -> None:
    known = known_figures()

    faults = {
        (name, panel["title"]): found
        for name, board in boards().items()
        for panel in panels(board)
        for target in panel["targets"]
        if (found := faults_in(target["expr"], known))
    }

    assert faults == {}
