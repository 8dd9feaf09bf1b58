"""Bills by processes whose clocks are apart, from each other and from the database server's (B3)."""

import pytest

from services.chassis.refusals import Kind, Refusal
from services.licensing.storage.billing import server_now_us
from tests.support.billing import MARGIN_US, Accounts, instant


@pytest.mark.parametrize("ahead_us", [MARGIN_US + 1, -MARGIN_US - 1])
async def test_a_process_whose_clock_is_not_that_of_the_server_makes_no_cut_off_true(
    accounts: Accounts, ahead_us: int
) -> None:
    now_us = accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10")
    await accounts.release(5)
    accounts.clock.advance(1)
    accounts.server_ahead_us = ahead_us

    for ask in (accounts.draft("2025-11"), accounts.correct(invoice)):
        with pytest.raises(Refusal) as refused:
            await ask
        assert (refused.value.kind, refused.value.reason) == (Kind.UNAVAILABLE, "CLOCKS_DIFFER")
    accounts.server_ahead_us = MARGIN_US if ahead_us > 0 else -MARGIN_US
    accounts.at("2025-12-02T00:00")

    november = await accounts.draft("2025-11")
    assert (now_us, november.bill.posts) == (invoice.bill.cut_off_us, 5)


async def test_the_clock_of_a_server_is_that_of_this_machine_and_a_file_has_none(accounts: Accounts) -> None:
    told = await accounts.database.read(server_now_us)

    if accounts.database.dialect == "postgresql":
        assert told is not None
        assert told > instant("2026-01-01T00:00")
    else:
        assert told is None


async def test_who_gives_no_cut_off_is_not_refused_for_a_clock_behind_and_bills_all_that_is_on_record(
    accounts: Accounts,
) -> None:
    accounts.at("2025-11-02T00:00")
    october = await accounts.invoice("2025-10")
    cut_off_us = accounts.at("2025-12-02T00:00")
    await accounts.draft("2025-11")
    # By a clock that is half a second behind: on record as of that cut-off.
    accounts.clock.advance(-500_000)
    await accounts.release(7, counted_at_us=instant("2025-11-30T00:00"))
    november = await accounts.invoice("2025-11")

    assert october.bill.posts == 0
    assert (november.bill.cut_off_us, november.bill.posts) == (cut_off_us + 1, 7)


async def test_after_a_clock_was_far_ahead_what_is_over_is_billed_and_nothing_else(
    accounts: Accounts,
) -> None:
    cut_off_us = accounts.at("2026-03-01T00:00")
    await accounts.draft("2025-10")
    accounts.at("2025-11-10T00:00")
    await accounts.release(9, counted_at_us=instant("2025-10-30T00:00"))
    october = await accounts.invoice("2025-10")

    assert (october.bill.cut_off_us, october.bill.posts) == (cut_off_us + 1, 9)
    with pytest.raises(Refusal, match="PERIOD_NOT_OVER"):
        await accounts.draft("2025-11")
