"""A real access log, taken over by the real command line: however it comes, the same counts and peaks (M7).

What they should be is computed here, by other means: lines split at their quotes, every window added up.
"""

import asyncio
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.usage import max_window, query_usage
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import ACCESS_KIND_ACCESS
from sluice.metering.v1.usage_pb2 import UsageOf
from tests.support.commands import Command, sluice
from tests.support.up import up

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "logs"
LOG = SHARED / "apache_logs"
ROBOTS = SHARED / "ai-robots.json"
SOURCE = ("--source", "apache_logs", "--json")
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
WINDOWS_US = (HOUR_US, DAY_US)
LARGEST, OTHERS = 50, 25
AT_ONCE = 16

pytestmark = pytest.mark.skipif(not LOG.is_file(), reason="the real log is not at hand")

Usage = tuple[int, int, list[tuple[int, int | None]]]
"""Posts given, mere requests, and (posts, time) of the fullest hour and day."""


def read(line: str) -> tuple[str, int, bool, str]:
    """Client, time, whether it was given a post, and user agent."""
    before, request, after, _, _, agent, _ = line.split('"')
    time = datetime.strptime(before[before.index("[") + 1 : before.index("]")], "%d/%b/%Y:%H:%M:%S %z")
    is_given = request.startswith("GET ") and after.split()[0].startswith("2")
    return before.split()[0], int(time.timestamp()) * 1_000_000, is_given, agent


def fullest(times_us: list[int], window_us: int) -> tuple[int, int | None]:
    """The most times in any (t - window, t], and the first t at which there are so many."""
    sums = {end: sum(end - window_us < time <= end for time in times_us) for end in sorted(set(times_us))}
    most = max(sums.values(), default=0)
    return most, min((end for end, posts in sums.items() if posts == most), default=None)


def expected(lines: Iterable[str], robots: Iterable[str] = ()) -> dict[str, Usage]:
    """By party, of whole lines, each once."""
    known = [(name, re.compile(rf"\b{re.escape(name)}\b")) for name in robots]
    given: dict[str, list[int]] = defaultdict(list)
    asked: Counter[str] = Counter()
    seen = [read(line) for line in {line for line in lines if line.endswith('"')}]
    robot_of = {
        agent: next((name.lower() for name, pattern in known if pattern.search(agent)), None)
        for agent in {agent for _, _, _, agent in seen}
    }
    for client, time_us, is_given, agent in seen:
        party = robot_of[agent] or client
        given[party] += [time_us] if is_given else []
        asked[party] += not is_given
    return {
        party: (len(times), asked[party], [fullest(times, window_us) for window_us in WINDOWS_US])
        for party, times in given.items()
    }


def of_a_few(usage: dict[str, Usage]) -> set[str]:
    """The parties with the most, and others by chance that stays the same."""
    ordered = sorted(usage, key=lambda party: (-sum(usage[party][:2]), party))
    return {*ordered[:LARGEST], *random.Random(7).sample(ordered[LARGEST:], OTHERS)}


async def told(state: Path, parties: Iterable[str]) -> dict[str, Usage]:
    """What metering says of parties."""
    turns = asyncio.Semaphore(AT_ONCE)
    async with Connections.open(state, None, OPERATOR, {}) as connections:

        async def ask(party: str) -> Usage:
            of = UsageOf(party_id=party)
            async with turns:
                rows = (await query_usage(connections, pb.QueryUsageRequest(of=of))).rows
                peaks = [await peak(of, window_us) for window_us in WINDOWS_US]
            given = sum(row.used for row in rows if row.access == ACCESS_KIND_ACCESS)
            return given, sum(row.used for row in rows) - given, peaks

        async def peak(of: UsageOf, window_us: int) -> tuple[int, int | None]:
            request = pb.MaxWindowRequest(of=of)
            request.window.FromMicroseconds(window_us)
            (found,) = (await max_window(connections, request)).peaks or [None]
            if found is None or not found.HasField("at"):
                return 0, None
            return found.posts, found.at.ToMicroseconds()

        names = list(parties)
        return dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))


async def taken(state: Path, file: Path, *options: str) -> dict[str, int]:
    """Imports a file; how many lines became what. The log has one line that is cut off."""
    ending = await (await Command.start(state, "usage", "import", str(file), *SOURCE, *options)).ending()
    return {word: ending.answer[word] for word in ("accepted", "duplicate", "conflict", "rejected")}


async def audit(state: Path) -> Any:
    return (await sluice(state, "usage", "audit", "--json")).status


def shuffled(folder: Path) -> list[Path]:
    """The log shuffled whole, and the two halves of that."""
    lines = LOG.read_bytes().splitlines(keepends=True)
    random.Random(11).shuffle(lines)
    parts = {"whole": lines, "first": lines[:5_000], "second": lines[5_000:]}
    for name, part in parts.items():
        (folder / name).write_bytes(b"".join(part))
    return [folder / name for name in parts]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """Of an installation that is new and runs."""
    with up(tmp_path / "state") as running:
        yield running.state


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return LOG.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def truth(lines: list[str]) -> dict[str, Usage]:
    return expected(lines)


@pytest.fixture(params=["some", pytest.param("all", marks=pytest.mark.long)])
def parties(request: pytest.FixtureRequest, truth: dict[str, Usage]) -> set[str]:
    return set(truth) if request.param == "all" else of_a_few(truth)


async def test_m1_m7_a_log_that_comes_twice_counts_once(
    state: Path, truth: dict[str, Usage], parties: set[str]
) -> None:
    first = await taken(state, LOG)
    after_first = await told(state, parties)
    again = await taken(state, LOG)
    after_both = await told(state, parties)
    audited = await audit(state)

    assert first == {"accepted": 9_980, "duplicate": 19, "conflict": 0, "rejected": 1}
    assert again == {"accepted": 0, "duplicate": 9_999, "conflict": 0, "rejected": 1}
    assert after_first == {party: truth[party] for party in parties}
    assert after_both == after_first
    assert audited == 0


@pytest.mark.long
async def test_m1_m7_a_log_in_another_order_comes_to_the_same(
    state: Path, truth: dict[str, Usage], tmp_path: Path
) -> None:
    whole, _, _ = shuffled(tmp_path)
    lines = await taken(state, whole)
    usage = await told(state, truth)

    assert lines["accepted"] == 9_980
    assert usage == truth


async def test_m1_m7_two_shuffled_halves_of_a_log_at_once_come_to_the_same(
    state: Path, truth: dict[str, Usage], parties: set[str], tmp_path: Path
) -> None:
    _, *halves = shuffled(tmp_path)
    lines = await asyncio.gather(*(taken(state, half) for half in halves))
    usage = await told(state, parties)
    audited = await audit(state)

    # Of a line that is in both, whichever half came first has it.
    assert [sum(half[word] for half in lines) for word in ("accepted", "duplicate", "rejected")] == [
        *(9_980, 19, 1)
    ]
    assert usage == {party: truth[party] for party in parties}
    assert audited == 0


@pytest.mark.skipif(not ROBOTS.is_file(), reason="the list of robots is not at hand")
async def test_m7_robots_of_a_log_are_parties_of_their_own(state: Path, lines: list[str]) -> None:
    truth = expected(lines, json.loads(ROBOTS.read_bytes()))
    robots = {party for party in truth if not party[0].isdigit()}
    parties = robots | set(sorted(of_a_few(truth))[::8])

    await taken(state, LOG, "--robots", str(ROBOTS))
    usage = await told(state, parties)

    assert robots == {"facebookexternalhit"}
    assert usage == {party: truth[party] for party in parties}
