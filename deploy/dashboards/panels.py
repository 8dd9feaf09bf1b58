"""Boards of Grafana as data: panels laid out on its grid, and the document that it reads.

The same boards give the same bytes: ids are places in the order, and nothing depends on the time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA_VERSION = 39
"""Of the documents of Grafana 11; later ones read it."""
WIDTH = 24
"""Columns of the grid."""
HEIGHT = 8
"""Rows of a panel with curves."""
ROW_HEIGHT = 1
SOURCE = {"type": "prometheus", "uid": "${source}"}

Threshold = tuple[str, float | None]
"""A colour, and from which value on; None for the lowest."""


@dataclass(frozen=True)
class Query:
    """One expression, and what its curves are called."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """What is drawn in one place."""

    title: str
    description: str
    unit: str
    """A unit of Grafana's: "s", "reqps", "percentunit", "short" ..."""
    queries: tuple[Query, ...]
    width: int = 8
    thresholds: tuple[Threshold, ...] = ()
    is_number: bool = False
    """One number, large, in the place of curves."""


@dataclass(frozen=True)
class Row:
    """Panels under a heading, from left to right and then below."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A page."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]


def document(board: Board) -> dict[str, Any]:
    """What Grafana reads."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["sluice"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": [_source_variable()]},
        "panels": _laid_out(board.rows),
    }


def _laid_out(rows: Sequence[Row]) -> list[dict[str, Any]]:
    placed: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        placed.append(_row(len(placed) + 1, row.title, y))
        y += ROW_HEIGHT
        x = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y = 0, y + HEIGHT
            placed.append(_panel(len(placed) + 1, panel, {"x": x, "y": y, "w": panel.width, "h": HEIGHT}))
            x += panel.width
        y += HEIGHT
    return placed


def _row(number: int, title: str, y: int) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": WIDTH, "h": ROW_HEIGHT}
    return {
        "id": number,
        "type": "row",
        "title": title,
        "collapsed": False,
        "gridPos": place,
        "panels": [],
    }


def _panel(number: int, panel: Panel, place: Mapping[str, int]) -> dict[str, Any]:
    steps = panel.thresholds or (("green", None),)
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": colour, "value": value} for colour, value in steps],
        },
    }
    if not panel.is_number:
        drawn = "line" if panel.thresholds else "off"
        defaults["custom"] = {"fillOpacity": 10, "showPoints": "never", "thresholdsStyle": {"mode": drawn}}
        defaults["min"] = 0
    return {
        "id": number,
        "type": "stat" if panel.is_number else "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": _number_options() if panel.is_number else _curve_options(),
        "targets": [_target(letter, query) for letter, query in zip("ABCDEFGH", panel.queries, strict=False)],
    }


def _target(letter: str, query: Query) -> dict[str, Any]:
    return {"refId": letter, "datasource": SOURCE, "expr": query.expression, "legendFormat": query.legend}


def _number_options() -> dict[str, Any]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"reduceOptions": reduced, "colorMode": "value", "graphMode": "area", "textMode": "auto"}


def _curve_options() -> dict[str, Any]:
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _source_variable() -> dict[str, Any]:
    return {
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }
