"""C9, R2, R5: whatever becomes of a primary, what was acknowledged is with the standby that takes over."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.agreement import check_agreement
from tests.support.failover_fire import FailoverFire
from tests.support.failover_fleet import serving
from tests.support.postgres import BINARIES, MISSING
from tests.support.relays import Proxy
from tests.support.standby import Pair, a_pair

pytestmark = pytest.mark.skipif(BINARIES is None, reason=MISSING)

Record = Callable[[str, object], None]
FEW, MANY = 60, 150
"""Calls that are acknowledged before a fault, and after it."""


async def checked(fire: FailoverFire, pair: Pair) -> None:
    """What was acknowledged is there, the services agree, and start again with the heads they keep."""
    await fire.end()
    side = fire.sides[0]
    for each in fire.sides:
        assert each.by_the_past == []
    assert fire.wrong == []
    await check_agreement(fire.folder, side.licensing.address, side.metering.address)
    await asyncio.to_thread(fire.audit, pair.standby)
    await side.restart()


async def killed(folder: Path, calls: int) -> str:
    """The primary is killed, and the standby takes over."""
    async with a_pair() as pair, serving(pair, folder, {"in all": pair.url}) as [side]:
        fire = FailoverFire([side], folder)
        fire.begin()
        await fire.more(side, calls)

        await asyncio.to_thread(pair.primary.kill)
        await fire.until_unanswered(side)
        await pair.promote()
        pair.move_address()
        back = await fire.more(side, calls)
        await checked(fire, pair)
    return f"primary killed, {fire}; served again {back:.1f} s after the address moved"


async def cut_off(folder: Path, calls: int) -> str:
    """The primary is cut off and goes on serving those on its side, who are told nothing by it."""
    async with a_pair() as pair:
        left = Proxy(pair.primary.port)
        await left.start()
        urls = {"where the address moves": pair.url, "where it stays": lambda name: pair.url(name, left)}
        async with serving(pair, folder, urls) as [moved, stayed]:
            fire = FailoverFire([moved, stayed], folder)
            fire.begin()
            await asyncio.gather(fire.more(moved, calls), fire.more(stayed, calls))

            await pair.cut_off()
            moved.is_past = stayed.is_past = True
            await asyncio.gather(fire.until_unanswered(moved), fire.until_unanswered(stayed))
            await pair.promote()
            moved.is_past = False
            pair.move_address()
            back = await fire.more(moved, calls)
            await fire.until_unanswered(stayed)
            # The way is free again; the old primary is still there, and so are sessions with it.
            stayed.is_past = False
            left.leads_to = pair.standby.port
            back_there = await fire.more(stayed, calls)
            await checked(fire, pair)
        await left.close()
    there = f"{back_there:.1f} s after it moved there too"
    return f"primary cut off, {fire}; served again {back:.1f} s after the address moved, and {there}"


async def stopped(folder: Path, calls: int) -> str:
    """The primary stands still, and goes on when the standby has taken over."""
    async with a_pair() as pair, serving(pair, folder, {"in all": pair.url}) as [side]:
        fire = FailoverFire([side], folder)
        fire.begin()
        await fire.more(side, calls)

        pair.signal_primary(signal.SIGSTOP)
        await fire.until_unanswered(side)
        await pair.promote()
        pair.move_address()
        back = await fire.more(side, calls)
        pair.signal_primary(signal.SIGCONT)
        await fire.more(side, calls)
        await checked(fire, pair)
    return f"primary stopped, {fire}; served again {back:.1f} s after the address moved"


async def named(folder: Path, calls: int) -> str:
    """Both hosts are named and no address moves; the old primary is still there, and the first one named."""
    async with a_pair() as pair, serving(pair, folder, {"in all": pair.url_of_both}) as [side]:
        fire = FailoverFire([side], folder)
        fire.begin()
        await fire.more(side, calls)

        await pair.cut_off()
        side.is_past = True
        await fire.until_unanswered(side)
        side.is_past = False
        await pair.promote()
        back = await fire.more(side, calls)
        await checked(fire, pair)
    return f"primary cut off, both hosts named, {fire}; served again {back:.1f} s after the promotion"


async def test_r5_a_primary_is_killed_and_the_standby_has_all_that_was_acknowledged(
    tmp_path: Path, record_property: Record
) -> None:
    record_property("figures", f"failover, {await killed(tmp_path, FEW)}")


@pytest.mark.parametrize("fault", [killed, cut_off, stopped, named])
async def test_r5_whatever_becomes_of_the_primary_nothing_acknowledged_is_lost_and_nothing_confirmed_by_it(
    fault: Callable[[Path, int], "asyncio.Future[str]"], tmp_path: Path, record_property: Record
) -> None:
    record_property("figures", f"failover, {await fault(tmp_path, MANY)}")
