"""Processes of the release before billing decide and confirm beside those of this one; all is billed (B2).

What they write has the defaults of the columns that they do not know.
"""

import pytest
from sqlalchemy import Connection, text

from services.licensing import billing
from services.licensing.domain.pricing.bills import BillRecord
from tests.support.billing import Accounts, instant


async def as_before(accounts: Accounts, *, decision: str = "", confirmation: str = "") -> None:
    """Has a decision, a confirmation or both as a process of the release before would have written them."""

    def forget(connection: Connection) -> None:
        of = text("UPDATE decisions SET posts_released = 0, recorded_at_us = 0 WHERE decision_id = :id")
        connection.execute(of, {"id": decision})
        of = text(
            "UPDATE confirmations SET license_id = '', counted_at_us = NULL, undelivered = 0,"
            " recorded_at_us = 0 WHERE decision_id = :id"
        )
        connection.execute(of, {"id": confirmation})

    await accounts.database.write(forget)


async def posts(accounts: Accounts, cut_off_us: int | None = None) -> tuple[int, bytes]:
    draft: BillRecord = await accounts.draft("2025-10", cut_off_us=cut_off_us)
    return draft.bill.posts, draft.digest


async def test_b2_what_an_older_process_decided_and_confirmed_is_billed(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    whole, part, confirmed = [await accounts.release(n) for n in (1000, 100, 10)]
    await accounts.confirm(part, 100, 30)
    await accounts.confirm(confirmed, 10, 4)
    await as_before(accounts, decision=whole)
    await as_before(accounts, decision=part, confirmation=part)
    await as_before(accounts, confirmation=confirmed)
    accounts.at("2025-11-02T00:00")

    assert (await posts(accounts))[0] == 1000 + 30 + 4


async def test_b2_a_confirmation_by_this_release_of_what_an_older_process_decided_takes_off_the_rest(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    await as_before(accounts, decision=decision)
    await accounts.confirm(decision, 100, 30)
    accounts.at("2025-11-02T00:00")

    assert (await posts(accounts))[0] == 30


async def test_b3_a_cut_off_gives_the_same_document_though_an_older_process_goes_on(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(100)
    cut_off_us = accounts.at("2025-11-02T00:00")
    first = await posts(accounts, cut_off_us)
    accounts.at("2025-11-01T23:00")
    # By a clock that is behind the cut-off.
    late = await accounts.release(7, counted_at_us=instant("2025-10-30T00:00"))
    await accounts.confirm(decision, 100, 40)
    await as_before(accounts, decision=late, confirmation=decision)
    accounts.at("2025-11-03T00:00")

    assert await posts(accounts, cut_off_us) == first
    assert (first[0], (await posts(accounts))[0]) == (100, 47)


@pytest.mark.parametrize("at_once", [1, 2, 3, 4, 5])
async def test_many_are_counted_page_by_page(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(billing, "COUNTED_AT_ONCE", at_once)
    accounts.at("2025-10-20T00:00")
    decisions = [await accounts.release(10) for _ in range(3)]
    for decision in decisions[:2]:
        await accounts.confirm(decision, 10, 1)
    for decision in decisions:
        await as_before(accounts, decision=decision, confirmation=decision)
    accounts.at("2025-11-02T00:00")

    assert (await posts(accounts))[0] == 12


async def test_in_normal_life_nothing_waits_to_be_counted(accounts: Accounts) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.confirm(await accounts.release(10), 10, 1)

    for table in ("decisions", "confirmations"):
        waiting = text(f"SELECT count(*) FROM {table} WHERE recorded_at_us = 0")
        assert await accounts.database.read(lambda c, sql=waiting: c.execute(sql).scalar_one()) == 0  # type: ignore[misc]
