"""A service as a program: where it is said to be, from one process to the next."""

import asyncio
from pathlib import Path

import pytest

from services.chassis.announcements import announce
from services.console import programs
from services.console.installation import StateFolder
from services.console.programs import ServiceProgram

ADDRESS = "127.0.0.1:4711"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServiceProgram:
    """Whatever it announces is healthy."""

    async def is_serving(_address: str, _tls: object) -> bool:
        return True

    monkeypatch.setattr(programs, "is_serving", is_serving)
    state = StateFolder(tmp_path)
    return ServiceProgram("metering", state, state.prepare(), port=0)


def announces(program: ServiceProgram) -> None:
    """What the process of the program does once it serves."""
    announce(program.state.announcement(program.name), ADDRESS)


def test_what_an_earlier_supervisor_left_is_cleared_away_before_the_first_start(
    program: ServiceProgram,
) -> None:
    announces(program)

    program.command()

    assert program.state.address("metering") is None


async def test_a_service_that_is_started_again_is_still_said_to_be_where_it_was(
    program: ServiceProgram,
) -> None:
    program.command()
    announces(program)
    await program.ready()

    program.command()

    assert program.state.address("metering") == program.address == ADDRESS


async def test_a_service_that_is_started_again_is_ready_only_when_its_new_process_says_so(
    program: ServiceProgram,
) -> None:
    program.command()
    announces(program)
    await program.ready()
    program.command()

    waiting = asyncio.create_task(program.ready())
    await asyncio.sleep(0)
    was_ready_before = waiting.done()
    announces(program)
    await waiting

    assert not was_ready_before
