"""A draft or a credit note whose process dies, or that is overtaken, between any two of its steps (B3)."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.billing import BillingDesk
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.revenue import BillFilter
from services.licensing.storage.billing import BillingRows, BillingStore
from tests.support.billing import MARGIN_US, Accounts, instant

T = TypeVar("T")


class Interrupted(BillingStore):
    """Does something before the step with a number, counted from 0."""

    def __init__(self, database: Database, step: int, then: Callable[[], Awaitable[object]]) -> None:
        super().__init__(database, lambda _: None)
        self._left = step
        self._then = then

    async def write(self, unit: Callable[[BillingRows], T]) -> T:
        await self._step()
        return await super().write(unit)

    async def read_long(self, query: Callable[[BillingRows], T]) -> T:
        await self._step()
        return await super().read_long(query)

    async def _step(self) -> None:
        self._left -= 1
        if self._left == -1:
            await self._then()


class Died(Exception):  # noqa: N818 - nobody's error
    """The process is gone."""


async def die() -> None:
    raise Died


def a_desk(accounts: Accounts, step: int, then: Callable[[], Awaitable[object]]) -> BillingDesk:
    store = Interrupted(accounts.database, step, then)
    return BillingDesk(store, accounts.clock, lambda: uuid7(accounts.clock.now_us()), MARGIN_US)


def told(record: BillRecord) -> bytes:
    return f"{record.number} {record.bill.posts} {record.bill.total}".encode()


@pytest.mark.parametrize("step", [0, 1, 2])
async def test_a_draft_that_died_is_drafted_by_the_same_request(accounts: Accounts, step: int) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.release(5)
    accounts.at("2025-11-02T00:00")
    key = accounts.key("DraftInvoice")

    with pytest.raises(Died):
        await a_desk(accounts, step, die).draft("license-1", "2025-10", None, key, told)
    assert await accounts.desk.page(BillFilter(invoices=True), "", 9) == []
    accounts.clock.advance(1)

    assert await accounts.desk.draft("license-1", "2025-10", None, key, told) == b"None 5 5"


@pytest.mark.parametrize("step", [0, 1, 2])
async def test_a_credit_note_that_died_is_issued_once_by_the_same_request(
    accounts: Accounts, step: int
) -> None:
    accounts.at("2025-10-20T00:00")
    decision = await accounts.release(5)
    accounts.at("2025-11-02T00:00")
    invoice = await accounts.invoice("2025-10")
    await accounts.confirm(decision, 5, 1)
    accounts.clock.advance(1)
    key = accounts.key("IssueCreditNote")

    with pytest.raises(Died):
        await a_desk(accounts, step, die).credit(invoice.bill_id, "as found", None, key, told)
    answers = [await accounts.desk.credit(invoice.bill_id, "as found", None, key, told) for _ in range(2)]

    assert answers == [b"CN-000001 0 -4"] * 2


async def test_what_is_overtaken_by_another_bill_is_refused_and_can_be_asked_again(
    accounts: Accounts,
) -> None:
    accounts.at("2025-10-20T00:00")
    await accounts.release(100)
    accounts.at("2025-12-02T00:00")
    october = await accounts.invoice("2025-10")
    key = accounts.key("DraftInvoice")

    with pytest.raises(Refusal) as refused:
        await a_desk(accounts, 2, lambda: accounts.let_off(october, 5)).draft(
            "license-1", "2025-11", None, key, told
        )

    assert (refused.value.kind, refused.value.reason) == (Kind.ABORTED, "BOOKS_CHANGED")
    assert await accounts.desk.draft("license-1", "2025-11", None, key, told) == b"None 0 0"


async def test_what_is_put_on_record_while_a_draft_is_worked_out_is_not_on_it(accounts: Accounts) -> None:
    accounts.at("2025-11-02T00:00")

    async def overtake() -> None:
        await accounts.release(7, counted_at_us=instant("2025-10-20T00:00"))

    desk = a_desk(accounts, 1, overtake)

    assert await desk.draft("license-1", "2025-10", None, accounts.key("Draft"), told) == b"None 0 0"
