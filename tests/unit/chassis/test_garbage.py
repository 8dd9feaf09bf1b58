"""Garbage is not looked for while a program is loaded, and is as soon as it runs."""

import ast
import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.garbage import hold_off
from services.chassis.serving import run

SERVICES = Path(__file__).parents[3] / "services"
PROGRAMS = [
    path for path in sorted(SERVICES.rglob("__main__.py")) if "    run(" in path.read_text(encoding="utf-8")
]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.enable()


def test_garbage_is_looked_for_again_when_a_service_runs() -> None:
    seen = []

    async def main() -> None:
        seen.append(gc.isenabled())

    hold_off()
    before = gc.isenabled()
    run(main())

    assert (before, seen) == (False, [True])


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.parent.name)
def test_each_program_holds_it_off_before_it_loads_anything(program: Path) -> None:
    _docstring, first, *_ = ast.parse(program.read_text(encoding="utf-8")).body

    assert "hold_off()" in ast.unparse(first)
