"""Garbage is not looked for while a program is loaded, and is as soon as it runs."""

import gc
from collections.abc import Iterator

import pytest

from services.chassis.garbage import hold_off
from services.chassis.serving import run


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
