"""`sluice usage watch`: every change is told once, and the levels loudly."""

import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence

import pytest

from services.chassis.refusals import Kind, Refusal, not_found, precondition, unavailable
from services.console.moments import read
from services.console.pages import LOST_TRIES
from services.console.usage_watching import Watching
from sluice.licensing.v1.contract_service_pb2 import GetLicenseResponse
from sluice.licensing.v1.license_pb2 import AllowanceSubject, License, LicenseAllowance, LicenseTerms
from sluice.metering.v1.usage_pb2 import UsageOf
from sluice.metering.v1.usage_service_pb2 import UsageLevel, WatchUsageRequest
from sluice.metering.v1.usage_service_pb2 import WatchUsageResponse as Standing
from sluice.type.v1 import window_pb2
from sluice.type.v1.revision_pb2 import Revision
from tests.support.command_line import Cli
from tests.support.scripted import Script

NOON = read("2026-01-31T12:00:00Z")
LEVELS = {
    "below": UsageLevel.USAGE_LEVEL_BELOW,
    "high": UsageLevel.USAGE_LEVEL_HIGH,
    "full": UsageLevel.USAGE_LEVEL_FULL,
}
OVER = precondition("WATCH_IS_OVER", "over")
EXPIRED = Refusal(Kind.UNAUTHENTICATED, "TOKEN_EXPIRED", "open it again", retry_after_us=1_000)
LOST = unavailable("PEER_UNAVAILABLE", "lost")
INTERRUPTED = 130
DAY = ("usage", "watch", "--window", "rolling_day")


def a_standing(used: int, level: str = "below", *, held: int = 0, notice: bool = False) -> Standing:
    revision = Revision(epoch=1, number=used)
    return Standing(used=used, held=held, level=LEVELS[level], notice=notice, at=NOON, revision=revision)


def licensed(
    limit: int, per: AllowanceSubject = AllowanceSubject.ALLOWANCE_SUBJECT_LICENSE
) -> GetLicenseResponse:
    allowance = LicenseAllowance(per=per, window=window_pb2.WINDOW_ROLLING_DAY, limit=limit)
    return GetLicenseResponse(license=License(terms=LicenseTerms(allowances=[allowance])))


def test_every_change_is_a_line_and_a_level_that_is_reached_a_loud_one(script: Script, cli: Cli) -> None:
    standings = [
        a_standing(0),
        a_standing(7_000, held=999),
        a_standing(8_000, "high", notice=True),
        a_standing(9_000, "high", held=1),
        a_standing(10_500, "full", notice=True),
    ]
    script.stream("WatchUsage", [*standings, OVER])

    lines = cli(*DAY, "--party", "acme", "--limit", "10000", status=1).splitlines()

    assert script.asked["WatchUsage"] == [
        WatchUsageRequest(of=UsageOf(party_id="acme"), window=window_pb2.WINDOW_ROLLING_DAY, limit=10_000)
    ]
    assert lines == [
        "2026-01-31 12:00:00.000 UTC  0 used, 0 held: 0 % of 10,000",
        "2026-01-31 12:00:00.000 UTC  7,000 used, 999 held: 79 % of 10,000",
        "NOTICE: party acme has reached 80 % of 10,000 posts a rolling_day",
        "2026-01-31 12:00:00.000 UTC  8,000 used, 0 held: 80 % of 10,000",
        "2026-01-31 12:00:00.000 UTC  9,000 used, 1 held: 90 % of 10,000",
        "NOTICE: party acme has reached 100 % of 10,000 posts a rolling_day",
        "2026-01-31 12:00:00.000 UTC  10,500 used, 0 held: 105 % of 10,000",
    ]


def test_for_programs_every_change_is_a_line_of_json(script: Script, cli: Cli) -> None:
    script.stream("WatchUsage", [a_standing(8, "high", notice=True), OVER])

    (line,) = cli(*DAY, "--group", "g", "--limit", "10", "--json", status=1).splitlines()

    assert json.loads(line) == {
        "used": 8,
        "held": 0,
        "level": "high",
        "notice": True,
        "at": "2026-01-31T12:00:00.000000Z",
        "revision": {"epoch": 1, "number": 8},
    }


def test_the_limit_of_a_license_is_looked_up(script: Script, cli: Cli) -> None:
    script.answer("GetLicense", licensed(limit=50))
    script.stream("WatchUsage", [OVER])

    cli(*DAY, "--license", "acme-training", status=1)

    assert [request.limit for request in script.asked["WatchUsage"]] == [50]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (licensed(50, AllowanceSubject.ALLOWANCE_SUBJECT_LICENSEE), "give a limit"),
        (licensed(0), "the license allows none in this window"),
        (not_found("LICENSE_UNKNOWN", "there is no such license"), "LICENSE_UNKNOWN"),
    ],
)
def test_without_a_limit_there_is_nothing_to_compare_with(
    script: Script, cli: Cli, answer: GetLicenseResponse | Refusal, said: str
) -> None:
    script.answer("GetLicense", answer)

    told = cli.wrong(*DAY, "--license", "acme-training")

    assert "--limit" in told
    assert said in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--party", "acme", "--window", "second"), "give a limit"),
        (("--party", "acme", "--window", "hour", "--limit", "1"), "rolling_day"),
        (("--party", "acme", "--limit", "1"), "--window"),
        (("--party", "acme", "--window", "term", "--limit", "0"), "--limit"),
    ],
)
def test_what_cannot_be_watched_is_wrong_usage(cli: Cli, arguments: tuple[str, ...], said: str) -> None:
    assert said in cli.wrong("usage", "watch", *arguments)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_interrupt_ends_it_quietly(script: Script, cli: Cli, options: tuple[str, ...]) -> None:
    script.stream("WatchUsage", [a_standing(1), lambda: os.kill(os.getpid(), signal.SIGINT), OVER])

    cli(*DAY, "--party", "acme", "--limit", "10", *options, status=INTERRUPTED)

    assert cli.err == ""


class Metering:
    """Gives one stream after the other: each some standings, then a refusal or an end."""

    def __init__(self, *streams: Sequence[Standing | Refusal]) -> None:
        self.told: list[Standing] = []
        self.slept: list[float] = []
        self._streams = list(streams)

    @contextlib.asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[Standing]]:
        yield self._steps(self._streams.pop(0))

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def watched(self) -> list[Standing]:
        with pytest.raises(Refusal, match="WATCH_IS_OVER"):
            await Watching(self.told.append, sleep=self.sleep).run(self.follow)
        return self.told

    async def _steps(self, stream: Sequence[Standing | Refusal]) -> AsyncIterator[Standing]:
        for step in stream:
            if isinstance(step, Refusal):
                raise step
            yield step


async def test_a_stream_that_is_lost_or_ends_is_taken_up_again() -> None:
    busy = Refusal(Kind.EXHAUSTED, "OVERLOADED", "too much", retry_after_us=300_000)
    metering = Metering([LOST], [a_standing(1), LOST], [a_standing(2)], [busy], [a_standing(3), OVER])

    told = await metering.watched()

    assert told == [a_standing(1), a_standing(2), a_standing(3)]
    assert metering.slept == [0.1, 0.1, 0.1, 0.3]


async def test_a_stream_is_taken_up_again_under_a_new_token_however_often_and_silent_it_was() -> None:
    metering = Metering(*([EXPIRED] for _ in range(2 * LOST_TRIES)), [LOST], [a_standing(1), OVER])

    assert await metering.watched() == [a_standing(1)]
    assert metering.slept == [0.001] * (2 * LOST_TRIES) + [0.1]


async def test_what_was_told_is_not_told_again_by_a_new_stream() -> None:
    high = a_standing(8, "high", notice=True)
    metering = Metering([high, LOST], [high, LOST], [a_standing(9, "high", notice=True), OVER])

    assert await metering.watched() == [high, a_standing(9, "high")]


async def test_a_level_that_rose_while_nobody_listened_is_told() -> None:
    full = a_standing(10, "full", notice=True)
    metering = Metering([a_standing(8, "high", notice=True), LOST], [full, OVER])

    assert (await metering.watched())[-1] == full
