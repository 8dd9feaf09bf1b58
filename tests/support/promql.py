"""What an expression of PromQL asks for: its series, and the labels by which it looks at them."""

from collections.abc import Iterator
from dataclasses import dataclass

import promql_parser as promql

from tests.support.figures import SCRAPED, Figures


@dataclass(frozen=True)
class Asked:
    """A label that an expression looks at, and the series on which it is to be."""

    series: str
    label: str


def series_of(expression: str) -> set[str]:
    """The names of all series in it; raises ValueError for what is no PromQL."""
    return {name for node in _nodes(promql.parse(expression)) for name in _named(node)}


def labels_of(expression: str) -> set[Asked]:
    """The labels in its selectors, groupings and matchings."""
    return set(_asked(promql.parse(expression)))


def faults_in(expression: str, known: Figures) -> list[str]:
    """What an expression asks for that there is not, in words."""
    unknown = sorted(series_of(expression) - known.keys())
    missing = sorted(
        f"{asked.series} has no label {asked.label}"
        for asked in labels_of(expression)
        if asked.series in known and asked.label not in known[asked.series] | SCRAPED
    )
    return [*(f"there is no {name}" for name in unknown), *missing]


def _asked(node: promql.Expr) -> Iterator[Asked]:
    for below in _nodes(node):
        if isinstance(below, promql.VectorSelector):
            yield from (Asked(str(below.name), matcher.name) for matcher in below.matchers.matchers)
        labels = _grouped(below)
        yield from (
            Asked(series, label) for each in _nodes(below) for series in _named(each) for label in labels
        )


def _grouped(node: promql.Expr) -> list[str]:
    """Labels by which it groups or matches; on every series below they are the same."""
    match node:
        case promql.AggregateExpr(modifier=modifier) if modifier is not None:
            return list(modifier.labels)
        case promql.BinaryExpr(modifier=modifier) if modifier is not None and modifier.matching is not None:
            return list(modifier.matching.labels)
        case _:
            return []


def _named(node: promql.Expr) -> list[str]:
    if isinstance(node, promql.VectorSelector):
        if node.name is None:
            raise ValueError("a selector without the name of a series")
        return [node.name]
    return []


def _nodes(expression: promql.Expr) -> list[promql.Expr]:
    found: list[promql.Expr] = []

    def visit(node: promql.Expr) -> None:
        found.append(node)

    promql.walk(expression, pre_visit=visit)
    return found
