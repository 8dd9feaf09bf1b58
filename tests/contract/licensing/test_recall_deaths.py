"""A process that dies at any one call of its store, before or after it: none missed, none twice (W5)."""

from itertools import count

import pytest

from services.chassis.database import Database
from services.licensing.business_days import is_business_day
from services.licensing.domain.answers import Revision
from services.licensing.domain.recalls.withdrawals import Cause, Withdrawal
from services.licensing.domain.terms import Purpose
from services.licensing.issuing import Issuer, Pace
from tests.support import recall_worlds as world
from tests.support.clock import NOON_US, ManualClock
from tests.support.indexed import Post

ALL = frozenset(int(purpose) for purpose in Purpose)
CALLS = 40
"""More than there are: from following to issuing. The test says so."""


@pytest.mark.parametrize("death", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
async def test_w5_whichever_call_a_process_dies_at_each_withdrawal_is_recalled_once(
    database: Database, at: int, death: str
) -> None:
    world.add_contracts(database)
    sent = {}
    for first in (1, 3, 5):
        each = world.Sent((Post(first, 100), Post(first + 1, 101)), world.CONTRACTS[0], 1, NOON_US)
        sent[world.record(database, each)] = each
    choice = Withdrawal(Revision(1, 2), Cause.CHOICE, NOON_US, 100, purposes=ALL)
    policy = Withdrawal(Revision(1, 3), Cause.POLICY, NOON_US, purposes=ALL)
    stream, clock, calls = world.Stream([choice, policy], {3: frozenset({101})}), ManualClock(), count()
    store = world.Mortal(database, lambda: death if next(calls) == at else "")
    process = world.Process(store, stream, clock)

    await process.finish()
    clock.advance(world.SECOND_US)
    for _ in range(3):
        issuer = Issuer(store, clock, is_business_day, Pace(1, 30), show=lambda standing: None)
        try:
            await issuer.look()
        except world.Died:
            continue

    assert next(calls) <= CALLS, "every call has its death"
    taken = world.taken(database)
    assert len(taken) == len(set(taken)) == 6
    assert set(taken) == world.expected(sent, stream)
    (recall,) = world.recalls(database)
    assert (recall.number, recall.withdrawals, recall.posts) == (1, 2, 6)
