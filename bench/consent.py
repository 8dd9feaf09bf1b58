"""Consent measured: `python -m bench.consent`, with a query, a dict and a set beside it in the same run.

Figures are medians, or percentiles where it is said; batches differ from call to call, and what is compared
is asked the same. A dict and a query only find the profiles, a set only who has denied; the kernel answers,
for embeds and for the states of posts too. Loading reads what the operating system has in memory already,
for it was just written.
"""

import argparse
import asyncio
import time
from pathlib import Path

from bench.asking import ask
from bench.choosing import choose, take_effect
from bench.engines import ENGINES, a_database
from bench.fixtures import NOTICE, filled, open_database
from bench.loading import grow, load, stand_alone
from bench.report import Figure, Report
from bench.stand import QUICK, THOROUGH, Effort, Stand, say
from bench.timing import machine
from services.consent.domain.policies import PolicyDraft, Regime, Rule

SUBJECTS = {"sqlite": [1_000_000, 10_000_000], "postgresql": [1_000_000]}
FEW = 100_000


async def measure(stand: Stand) -> list[Figure]:
    """All figures, from loading on."""
    grow(stand)
    await load(stand)
    stand_alone(stand)
    await _put_in_force(stand)
    await ask(stand)
    await choose(stand)
    await take_effect(stand)
    return stand.figures


async def _put_in_force(stand: Stand) -> None:
    """A policy, so that answers depend on profiles."""
    rules = tuple(Rule(place, purpose, Regime.OPT_OUT) for place in ("US", "DE") for purpose in (1, 2))
    effective_us = stand.clock.now_us() + 50_000
    _, key = stand.deny(1)
    await stand.registrar.publish(PolicyDraft(effective_us, bytes(32), rules, frozenset({NOTICE})), key)
    await asyncio.sleep(0.06)
    await stand.registrar.follow()


def measured(engine: str, subjects: int, effort: Effort) -> list[Figure]:
    """All figures for so many subjects, in a database that is filled for it."""
    with a_database(engine) as (folder, url):
        say(f"filling {engine} with {subjects:,} subjects")
        started = time.perf_counter()
        fixture = filled(url, folder, subjects)
        seconds = time.perf_counter() - started
        database = open_database(url)
        try:
            stand = Stand(fixture, database, effort)
            stand.note("filled in bulk, for the bench alone", seconds, "s")
            return asyncio.run(measure(stand))
        finally:
            database.close_now()


def main() -> None:
    """Measures and reports; with --json writes the figures too."""
    parser = argparse.ArgumentParser(prog="python -m bench.consent", description="Measures consent.")
    parser.add_argument("--subjects", type=int, nargs="+", help="1 and 10 million; 1 million on PostgreSQL")
    parser.add_argument("--engine", choices=ENGINES, default=ENGINES[0])
    parser.add_argument("--quick", action="store_true", help=f"{FEW:,} subjects, and not for long")
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    options = parser.parse_args()
    about, figures = machine(), list[Figure]()
    for subjects in options.subjects or ([FEW] if options.quick else SUBJECTS[options.engine]):
        figures += measured(options.engine, subjects, QUICK if options.quick else THOROUGH)
    report = Report("consent", options.engine, "subjects", about, figures)
    report.print()
    if options.json:
        report.write(options.json)


if __name__ == "__main__":
    main()
