"""Two processes of licensing bill from one PostgreSQL database: no gap in numbers, nothing billed twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.chassis.refusals import Refusal
from services.licensing.domain.pricing.bills import BillRecord
from services.licensing.domain.pricing.revenue import BillFilter
from tests.support.billing import PARIS, Accounts, instant
from tests.support.clock import ManualClock
from tests.support.engines import url_on
from tests.support.licensing import licensing_database_at
from tests.support.prices import a_price

pytestmark = pytest.mark.slow

LICENSES = [f"license-{number}" for number in range(8)]


@pytest.fixture
def engine() -> str:
    return "postgresql"


@pytest.fixture
async def offices(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Accounts, Accounts]]:
    """Two desks with clocks of their own, that of the second a second behind."""
    url = url_on("postgresql", request, tmp_path, licensing_database_at)
    one, other = (Accounts(licensing_database_at(url), ManualClock()) for _ in range(2))
    one.at("2025-10-01T00:00")
    for license_id in LICENSES:
        await one.license(license_id, a_price(**PARIS))
    one.at("2025-11-02T00:00:01")
    other.at("2025-11-02T00:00:00")
    yield one, other
    for office in (one, other):
        await office.database.close()


async def test_numbers_have_no_gap_whoever_finalises_and_whatever_is_refused(
    offices: tuple[Accounts, Accounts],
) -> None:
    drafts = await asyncio.gather(
        *(offices[place % 2].draft("2025-10", license_id) for place, license_id in enumerate(LICENSES))
    )

    answers = await asyncio.gather(
        *(office.finalize(draft) for draft in drafts for office in offices), return_exceptions=True
    )

    numbers = sorted(answer.number or "" for answer in answers if isinstance(answer, BillRecord))
    refused = [answer.reason for answer in answers if isinstance(answer, Refusal)]
    assert numbers == [f"INV-{number:06d}" for number in range(1, len(LICENSES) + 1)]
    assert refused == ["INVOICE_FINAL"] * len(LICENSES)


async def test_b3_a_cut_off_holds_for_the_process_whose_clock_is_behind(
    offices: tuple[Accounts, Accounts],
) -> None:
    one, other = offices
    before = await one.release(5, "license-0", instant("2025-10-20T00:00"))
    one.clock.advance(1)
    draft = await one.draft("2025-10", "license-0")

    await other.release(7, "license-0", instant("2025-10-20T00:00"))
    await other.confirm(before, 5, 0)
    again = await one.draft("2025-10", "license-0", draft.bill.cut_off_us)
    one.clock.advance(1)
    later = await one.draft("2025-10", "license-0")

    assert (draft.bill.posts, again.document) == (5, draft.document)
    assert later.bill.posts == 7


async def test_the_same_credit_at_both_at_once_is_never_given_twice(
    offices: tuple[Accounts, Accounts],
) -> None:
    one, other = offices
    decision = await one.release(5, "license-0", instant("2025-10-20T00:00"))
    one.clock.advance(1)
    invoice = await one.invoice("2025-10", "license-0")
    await one.confirm(decision, 5, 1)
    for office in offices:
        office.clock.advance(5_000_000)

    answers = await asyncio.gather(
        *(office.correct(invoice) for office in (one, other, one, other)), return_exceptions=True
    )

    notes = await one.desk.page(BillFilter(invoices=False), "", 9)
    assert [note.number for note in notes] == ["CN-000001"]
    reasons = {answer.reason for answer in answers if isinstance(answer, Refusal)}
    assert reasons <= {"BOOKS_CHANGED", "NOTHING_TO_CREDIT"}
