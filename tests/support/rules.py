"""The files of rules for Prometheus, read."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.support.figures import OF_OTHERS, ROOT, Figures, figures_of_the_program

RULES = ROOT / "deploy" / "prometheus" / "rules"

Rule = Mapping[str, Any]


def rule_files() -> list[Path]:
    return sorted(RULES.glob("*.yaml"))


def rules_of(path: Path) -> Iterator[Rule]:
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def alerts() -> dict[str, Rule]:
    """All alerts by name."""
    return {rule["alert"]: rule for path in rule_files() for rule in rules_of(path) if "alert" in rule}


def records() -> dict[str, Rule]:
    """All recording rules by the name of what they record."""
    return {rule["record"]: rule for path in rule_files() for rule in rules_of(path) if "record" in rule}


def known_figures() -> Figures:
    """Every series that a rule or a board can ask for; the first part of a recorded name says its labels."""
    ours = figures_of_the_program()
    recorded = {name: frozenset(name.split(":")[0].split("_")) for name in records()}
    return {**OF_OTHERS, **ours, **recorded}
