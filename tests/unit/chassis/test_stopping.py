"""Every program that serves can be told to stop from its first line on, and is loaded without delay."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = [
    "services/consent/__main__.py",
    "services/console/operations/__main__.py",
    "services/console/settings_page/__main__.py",
    "services/directory/__main__.py",
    "services/licensing/__main__.py",
    "services/metering/__main__.py",
]


def test_all_programs_that_serve_are_known() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "services").rglob("__main__.py"))
        if "    run(" in path.read_text(encoding="utf-8")
    ]

    assert found == PROGRAMS


def test_what_ends_them_when_they_are_told_comes_before_all_that_they_load() -> None:
    late = []
    for program in PROGRAMS:
        _docstring, first, *_ = ast.parse((ROOT / program).read_text(encoding="utf-8")).body
        words = ast.unparse(first)
        if not (words.startswith("if __name__ == '__main__':") and "end_when_told(" in words):
            late.append(program)

    assert late == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_garbage_is_looked_for_only_when_all_of_it_is_loaded(program: str) -> None:
    _docstring, first, *_ = ast.parse((ROOT / program).read_text(encoding="utf-8")).body

    assert "hold_off()" in ast.unparse(first)
