"""Confirmed reads measured beside plain ones: `python -m bench.confirming`, with a primary and its standby.

Both servers keep their files in memory where there is room: what is measured is the way there and back, and
not a disk.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from sqlalchemy import Connection, text

from bench.report import Figure, Report
from bench.stand import say
from bench.timing import machine
from services.chassis.database import Database

SCHEMA = Path(__file__).resolve().parents[1] / "services" / "directory" / "schema"
IN_FLIGHT = (1, 8, 64)


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.confirming", description="Measures confirmations.")
    parser.add_argument("--seconds", type=float, default=4.0, help="for each figure")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    report = Report(
        "confirmed reads", "postgresql", "in flight", machine(), asyncio.run(_measured(options.seconds))
    )
    report.print()
    if options.json:
        report.write(options.json)


async def _measured(seconds: float) -> list[Figure]:
    from tests.support.standby import a_pair  # noqa: PLC0415 - needs a development package

    figures: list[Figure] = []
    async with a_pair() as pair:
        await pair.new_database("confirming")
        url = pair.url("confirming")
        database = await asyncio.to_thread(Database.open, url, schema_dir=SCHEMA, name="confirming")
        # From now on it is known that commits wait.
        await database.read(_one, confirmed=True)
        for in_flight in IN_FLIGHT:
            say(f"{in_flight} in flight")
            plain = await _rate(lambda: database.read(_one), in_flight, seconds)
            confirmed = await _rate(lambda: database.read(_one, confirmed=True), in_flight, seconds)
            figures.append(Figure("plain reads", plain, "a second", in_flight))
            ratio = confirmed / plain
            figures.append(Figure("confirmed reads", confirmed, "a second", in_flight, ratio=ratio))
        await database.close()
    return figures


def _one(connection: Connection) -> int:
    return int(connection.execute(text("SELECT 1")).scalar_one())


async def _rate(ask: Callable[[], Awaitable[int]], in_flight: int, seconds: float) -> float:
    """Answers a second, to so many who ask again at once."""
    began, answers = time.monotonic(), 0

    async def asker() -> None:
        nonlocal answers
        while time.monotonic() < began + seconds:
            await ask()
            answers += 1

    await asyncio.gather(*(asker() for _ in range(in_flight)))
    return answers / (time.monotonic() - began)


if __name__ == "__main__":
    main()
