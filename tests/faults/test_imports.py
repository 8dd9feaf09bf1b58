"""Imports go on when consent dies in the middle of them, and count every row once."""

from pathlib import Path

import pytest

from services.console import choices
from services.console.imports import import_chunks
from services.console.rows import read_chunks
from tests.support.fleet import Fleet

ROWS = 55_000
"""In six pages."""
FIRST = 2**62
"""Subjects whom no other test knows."""


@pytest.mark.asyncio(loop_scope="session")
async def test_an_import_goes_on_over_two_deaths_of_consent(fleet: Fleet, tmp_path: Path) -> None:
    file = tmp_path / "choices.csv"
    rows = "".join(f"{FIRST + number},deny,,,2026-01-01,\n" for number in range(ROWS))
    file.write_text("subject_id,stance,licensee,purpose,stated_at,notice_digest\n" + rows, encoding="ascii")
    told: list[int] = []

    def kill_now_and_then(bytes_read: int) -> None:
        told.append(bytes_read)
        # The next page is on its way, and may be recorded or not when consent dies.
        if len(told) in {1, 4}:
            fleet.kill("consent")

    chunks = read_chunks(file, choices.FORM, choices.read_choice)
    totals = await import_chunks(chunks, choices.destination(fleet.operator), kill_now_and_then)
    again = await choices.import_choices(fleet.operator, file)
    await fleet.recovered()

    assert (totals.accepted, totals.unchanged, totals.bad) == (ROWS, 0, [])
    assert (again.accepted, again.unchanged) == (0, ROWS)
    assert len(told) == 6
    assert told[-1] == file.stat().st_size
