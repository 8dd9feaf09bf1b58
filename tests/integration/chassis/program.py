"""A process of its own for tests that stop, kill and restart one; run with -m.

`serve` runs the echo service, whose Wait answers when a line comes in; `faint` gives up in the background;
`write` acknowledges rows on standard output; `own` opens a database and waits; `lose` meets a failing fsync.
"""

import asyncio
import itertools
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from services.chassis.database import Database
from services.chassis.serving import BackgroundTask, run, serve
from services.chassis.settings import ServiceSettings
from services.chassis.telemetry import start_logs, start_telemetry
from tests.integration.chassis.echo import ADMISSIONS, Echo
from tests.support.keys import a_verifier, some_keys

SCHEMA = Path(__file__).parents[2] / "unit" / "chassis" / "schema"
IN_FLIGHT = 32


class StdinEcho(Echo):
    """Wait says that it was entered, and waits for a line."""

    async def wait(self, request: bytes, _context: Any) -> bytes:
        print("entered", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return request


class Faint:
    """A background task that gives up."""

    name = "faint"

    async def run(self) -> None:
        raise LookupError("lost the thread")


class Steady:
    """A background task that says when it is ended."""

    name = "steady"

    async def run(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            print("steady was ended", flush=True)


async def serve_echo(folder: Path, listen: str, task: BackgroundTask) -> None:
    settings = ServiceSettings.model_validate(
        {
            "database_url": "sqlite:///unused",
            "token_jwks": "unused",
            "state_dir": folder,
            "announce_path": folder / "address",
            "listen": listen,
            "drain_grace": 0,
            "drain_seconds": 10,
        }
    )
    telemetry = start_telemetry("echo", settings)

    async def closed() -> None:
        print("closed", flush=True)

    await serve(
        settings=settings,
        bolts=[StdinEcho().bolt()],
        admissions=ADMISSIONS,
        verifier=a_verifier(some_keys(folder)),
        actions=None,
        telemetry=telemetry,
        background=[task],
        on_close=[closed],
    )


def opened(folder: Path) -> Database:
    return Database.open(f"sqlite:///{folder}/words.db", schema_dir=SCHEMA, name="words")


def adding(word: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text("insert into words (word) values (:w)"), {"w": word})


async def write(folder: Path) -> None:
    start_logs("words", "INFO")
    database = opened(folder)

    async def write_on(lane: int) -> None:
        for number in itertools.count():
            await database.write(adding(f"{lane}-{number}"))
            print(f"{lane}-{number}", flush=True)

    await asyncio.gather(*(write_on(lane) for lane in range(IN_FLIGHT)))


async def own(folder: Path) -> None:
    start_logs("words", "INFO")
    database = opened(folder)
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await database.close()


async def lose(folder: Path) -> None:
    start_logs("words", "INFO")

    def unit(_connection: Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    await opened(folder).write(unit)
    print("went on", flush=True)


def main() -> None:
    mode, folder = sys.argv[1], Path(sys.argv[2])
    match mode:
        case "serve":
            run(serve_echo(folder, sys.argv[3], Steady()))
        case "faint":
            run(serve_echo(folder, sys.argv[3], Faint()))
        case "write":
            run(write(folder))
        case "own":
            run(own(folder))
        case "lose":
            run(lose(folder))


if __name__ == "__main__":
    main()
