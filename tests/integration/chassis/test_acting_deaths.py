"""A process that dies in the middle of an action leaves an action of which nobody says how it ended."""

import subprocess
import sys
from pathlib import Path

import pytest

from services.chassis.action_pages import Wanted
from services.chassis.action_rows import SqlActions
from services.chassis.actions import ChainCheck, Ended, Outcome
from services.metering.schema.tables import ACTIONS
from services.metering.storage.head import read_head
from tests.integration.chassis.acting import EXIT_CODE
from tests.support.actions import a_begun, a_caller
from tests.support.clock import ManualClock
from tests.support.engines import ENGINES, url_on
from tests.support.metering import metering_database_at


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("where", "changes"), [("before", 0), ("after", 1)])
async def test_what_a_dead_process_was_doing_is_on_record_without_an_end_and_the_log_goes_on(
    request: pytest.FixtureRequest, engine: str, where: str, changes: int, tmp_path: Path
) -> None:
    url = url_on(engine, request, tmp_path, metering_database_at)

    died = subprocess.run(  # noqa: ASYNC221 - our own program, and nothing else runs meanwhile
        [sys.executable, "-m", "tests.integration.chassis.acting", url, where], check=False
    )

    database = metering_database_at(url)
    log = SqlActions(database, ACTIONS, ManualClock(2_000_000_000_000_000))
    action = await log.begin(a_caller("bob"), a_begun())
    await log.end(action, a_caller("bob"), Ended(Outcome.DONE))
    page = await log.page(Wanted(10, oldest_first=True))
    head = await database.read(read_head)
    await database.close()
    check = ChainCheck()
    for entry in page.entries:
        check.add(entry)

    assert died.returncode == EXIT_CODE
    assert [entry.caller.operator for entry in page.entries] == ["ada", "bob", "bob"]
    assert (check.finish(page.head), check.unfinished) == (None, (1,))
    assert head.number == changes
