"""Anonymous calls reach metering once each, however often it is away."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import pytest

from services.chassis.refusals import Refusal, unavailable
from services.licensing.domain.doors.networks import OTHER
from services.licensing.domain.doors.tallies import Row
from services.licensing.network_counting import NAMED, NetworkCounter
from tests.support.clock import ManualClock


class Meter:
    """Counts each id once; while it is `away` it counts, and its answer is lost."""

    def __init__(self) -> None:
        self.away = False
        self.reasons: dict[str, str] = {}
        self.rows: dict[int, tuple[str, int]] = {}
        self.pages: list[int] = []

    async def report(self, rows: Sequence[Row]) -> Sequence[str]:
        self.pages.append(len(rows))
        for row in rows:
            self.rows.setdefault(row.id, (row.tallied.network, row.tallied.calls))
        if self.away:
            raise unavailable("PEER_UNAVAILABLE", "metering did not answer")
        return [self.reasons.get(row.tallied.network, "") for row in rows]

    def counted(self) -> Counter[str]:
        found = Counter[str]()
        for network, calls in self.rows.values():
            found[network] += calls
        return found


def a_counter(meter: Meter) -> tuple[NetworkCounter, Counter[str]]:
    shown = Counter[str]()

    def show(outcome: str, calls: int) -> None:
        shown[outcome] += calls

    return NetworkCounter(meter, ManualClock(), show, interval_seconds=3_600), shown


async def test_m7_what_metering_did_not_answer_is_told_again_and_counted_once() -> None:
    meter = Meter()
    counter, shown = a_counter(meter)
    meter.away = True
    counter.count("a")
    with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
        await counter.tell()
    counter.count("a")
    counter.count("b")

    meter.away = False
    await counter.tell()
    await counter.tell()

    assert meter.counted() == {"a": 2, "b": 1}
    assert shown == {"told": 3, "merged": 0}


async def test_many_networks_are_told_page_by_page() -> None:
    meter = Meter()
    counter, _ = a_counter(meter)
    meter.away = True
    for _ in range(4):
        for number in range(NAMED):
            counter.count(f"network-{number}")
        with pytest.raises(Refusal, match="PEER_UNAVAILABLE"):
            await counter.tell()
    counter.count("a")

    meter.away = False
    await counter.tell()

    # The first page is what it was when it was sent, however much came after it.
    assert meter.pages == [NAMED] * 5 + [3 * NAMED + 1]
    assert meter.counted().total() == 4 * NAMED + 1


async def test_of_more_networks_than_are_named_the_rest_is_told_together() -> None:
    meter = Meter()
    counter, shown = a_counter(meter)
    for number in range(NAMED + 40):
        counter.count(f"network-{number}")

    await counter.tell()

    assert meter.pages == [NAMED + 1]
    assert meter.counted()[OTHER] == 40
    assert shown == {"told": NAMED + 40, "merged": 40}


async def test_what_metering_refuses_for_good_is_shown_and_holds_up_nothing() -> None:
    meter = Meter()
    counter, shown = a_counter(meter)
    meter.reasons = {"a": "PARTY_ID_INVALID"}
    for network in ("a", "a", "b"):
        counter.count(network)

    await counter.tell()

    assert shown == {"refused": 2, "told": 1, "merged": 0}


async def test_a_process_that_is_stopped_tells_what_it_has() -> None:
    meter = Meter()
    counter, _ = a_counter(meter)
    running = asyncio.create_task(counter.run())
    await asyncio.sleep(0)
    counter.count("a")

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert meter.counted() == {"a": 1}
