"""Amendments as the contracts desk keeps them, in memory and in a database (L1)."""

from decimal import Decimal
from typing import Any

import pytest

from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.licensing.contracts import Amendment, ContractDesk, Wanted
from services.licensing.domain.history import StepTaken
from services.licensing.domain.licenses import LicenseState, Step
from services.licensing.domain.terms import Terms
from services.licensing.domain.versions import Activation
from tests.contract.licensing.test_contracts import (
    a_key,
    activate,
    license_exists,
    licensee_exists,
    step,
    told,
)
from tests.support.clock import NOON_US, ManualClock
from tests.support.licensing import DAY_US, a_digest, some_terms
from tests.support.prices import a_price

NARROWER = some_terms(languages=frozenset({"en"}))
WIDER = some_terms(languages=frozenset({"en", "de"}))


async def amend(desk: ContractDesk, terms: Terms = NARROWER, **changes: Any) -> bytes:
    """Drafts an amendment against what stands."""
    standing = await desk.current("license-1")
    base_digest = changes.get("base_digest", standing.terms_digest)
    amendment = Amendment(terms, base_digest, "as agreed")
    return await desk.amend("license-1", amendment, changes.get("key") or a_key(), told)


async def set_time(desk: ContractDesk, at_us: int) -> None:
    """Activates what is drafted from a time on."""
    license = await desk.current("license-1")
    drafted = license.next or license
    activation = Activation(drafted.version, drafted.terms_digest, at_us)
    await desk.activate("license-1", activation, "", a_key(), told)


async def versions(desk: ContractDesk, *, drafts: bool = True) -> list[tuple[int, int | None, int | None]]:
    """Number, since when in force, and when withdrawn, newest first."""
    found = await desk.versions("license-1", 100, 100, drafts=drafts)
    return [(each.version, each.effective_from_us, each.withdrawn_at_us) for each in found]


async def an_active_license(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    await activate(desk)


async def test_l1_an_amendment_is_kept_beside_the_version_in_force(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    clock.advance(5)

    await amend(desk)

    license = await desk.current("license-1")
    newest = (await desk.versions("license-1", 100, 1, drafts=True))[0]
    assert (license.version, license.terms) == (1, some_terms())
    assert license.next is not None
    assert (license.next.version, license.next.terms) == (2, NARROWER)
    assert (newest.version, newest.terms, newest.created_at_us) == (2, NARROWER, NOON_US + 5)
    assert (newest.created_by, newest.reason) == ("operator:ann", "as agreed")
    assert await versions(desk, drafts=False) == [(1, NOON_US, None)]


async def test_l1_versions_say_since_when_each_was_in_force(desk: ContractDesk, clock: ManualClock) -> None:
    await an_active_license(desk)
    await amend(desk)
    clock.advance(7)
    await activate(desk)

    license = await desk.current("license-1")

    assert (license.version, license.terms, license.effective_from_us) == (2, NARROWER, NOON_US + 7)
    assert await versions(desk) == [(2, NOON_US + 7, None), (1, NOON_US, None)]


async def test_l1_a_version_whose_time_came_is_written_with_the_next_change(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    await amend(desk)
    await set_time(desk, NOON_US + 10)
    clock.advance(20)

    await step(desk, Step.SUSPEND)

    license = await desk.current("license-1")
    assert (license.version, license.terms, license.next) == (2, NARROWER, None)
    assert (license.state, license.effective_from_us) == (LicenseState.SUSPENDED, NOON_US + 10)
    assert await versions(desk) == [(2, NOON_US + 10, None), (1, NOON_US, None)]


async def test_l1_the_number_of_a_withdrawn_version_is_not_given_again(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    await amend(desk)
    await set_time(desk, NOON_US + 10)
    clock.advance(3)

    await desk.withdraw("license-1", 2, "a mistake", a_key(), told)
    await amend(desk, WIDER)

    license = await desk.current("license-1")
    assert license.next is not None
    assert license.next.version == 3
    assert await versions(desk) == [(3, None, None), (2, None, NOON_US + 3), (1, NOON_US, None)]


async def test_l1_a_draft_is_replaced_by_its_amendment(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)

    await amend(desk)
    await activate(desk)

    license = await desk.current("license-1")
    assert (license.version, license.terms, license.state) == (2, NARROWER, LicenseState.ACTIVE)
    assert await versions(desk) == [(2, NOON_US, None), (1, None, NOON_US)]


async def test_l1_the_time_of_a_draft_can_be_withdrawn_and_set_again(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    await set_time(desk, NOON_US + 10)

    await desk.withdraw("license-1", 1, "not yet", a_key(), told)
    after_withdrawal = await versions(desk)
    await set_time(desk, NOON_US + 20)

    assert after_withdrawal == [(1, None, None)]
    assert await versions(desk) == [(1, NOON_US + 20, None)]
    assert (await desk.current("license-1")).as_of(NOON_US + 20).state is LicenseState.ACTIVE


@pytest.mark.parametrize("with_time", [True, False])
async def test_l1_the_end_of_a_license_withdraws_what_waits(
    desk: ContractDesk, clock: ManualClock, with_time: bool
) -> None:
    await an_active_license(desk)
    await amend(desk)
    if with_time:
        await set_time(desk, NOON_US + 10)
    clock.advance(5)

    await step(desk, Step.TERMINATE)

    lines = await desk.history("license-1", 100, 2)
    assert (await desk.current("license-1")).next is None
    assert await versions(desk) == [(2, None, NOON_US + 5), (1, NOON_US, None)]
    assert [(each.change.step, each.change.version, each.change.reason) for each in lines] == [
        (StepTaken.TERMINATED, 1, "to terminate it"),
        (StepTaken.WITHDRAWN, 2, "to terminate it"),
    ]
    assert lines[1].change.effective_from_us == (NOON_US + 10 if with_time else None)


async def test_l1_the_end_of_a_draft_clears_its_time(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    await set_time(desk, NOON_US + 10)

    await step(desk, Step.TERMINATE)

    license = await desk.current("license-1")
    assert (license.version, license.state, license.next) == (1, LicenseState.TERMINATED, None)
    assert await versions(desk) == [(1, None, None)]


async def test_l1_an_amendment_whose_time_came_is_not_withdrawn_by_the_end_of_its_license(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    await amend(desk)
    await set_time(desk, NOON_US + 10)
    clock.advance(10)

    await step(desk, Step.TERMINATE)

    assert (await desk.current("license-1")).version == 2
    assert await versions(desk) == [(2, NOON_US + 10, None), (1, NOON_US, None)]


async def told_licenses(desk: ContractDesk) -> list[str]:
    wanted = Wanted("licensee-1", drafts=False)
    return [license.license_id for license in (await desk.page(wanted, "", 5)).found]


async def test_l1_a_licensee_is_told_of_a_license_from_when_its_time_is_set(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)

    as_draft = await told_licenses(desk)
    await set_time(desk, NOON_US + 10)
    with_time = await told_licenses(desk)
    await desk.withdraw("license-1", 1, "not yet", a_key(), told)
    withdrawn = await told_licenses(desk)
    await set_time(desk, NOON_US + 20)
    await step(desk, Step.TERMINATE)
    ended = await told_licenses(desk)

    assert (as_draft, with_time, withdrawn, ended) == ([], ["license-1"], [], [])


async def test_l1_a_licensee_is_told_of_a_license_that_was_in_force_for_good(desk: ContractDesk) -> None:
    await an_active_license(desk)
    in_force = await told_licenses(desk)
    await step(desk, Step.TERMINATE)

    assert (in_force, await told_licenses(desk)) == (["license-1"], ["license-1"])


async def test_l1_an_ended_license_is_not_amended(desk: ContractDesk) -> None:
    await an_active_license(desk)
    await step(desk, Step.TERMINATE)

    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
        await amend(desk)


async def test_b4_what_was_billed_once_is_not_forgotten_by_an_amendment_without_a_price(
    desk: ContractDesk,
) -> None:
    await licensee_exists(desk)
    await license_exists(desk, terms=some_terms(price=a_price()))
    await activate(desk)
    for languages in ({"en"}, {"en", "de"}):
        await amend(desk, some_terms(languages=frozenset(languages)))
        await activate(desk)

    with pytest.raises(Refusal, match="AMENDMENT_CHANGES_BILLING"):
        await amend(desk, some_terms(price=a_price(currency="EUR")))
    await amend(desk, some_terms(price=a_price(minimum=Decimal(5))))


async def test_b4_a_price_that_never_was_in_force_binds_nobody(desk: ContractDesk) -> None:
    await an_active_license(desk)
    await amend(desk, some_terms(price=a_price()))
    await desk.withdraw("license-1", 2, "not agreed", a_key(), told)

    await amend(desk, some_terms(price=a_price(currency="EUR")))

    assert (await desk.current("license-1")).next is not None


async def test_l1_a_draft_can_be_made_out_to_another_licensee(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await licensee_exists(desk, "licensee-2")
    await license_exists(desk)
    terms = some_terms(licensee_id="licensee-2")

    await amend(desk, terms)
    await activate(desk)

    license = await desk.current("license-1")
    kept = await desk.versions("license-1", 100, 100, drafts=True)
    assert (license.terms, license.in_force(NOON_US)) == (terms, True)
    assert [each.terms for each in kept] == [terms, some_terms()]
    assert [each.license_id for each in (await desk.page(Wanted("licensee-2"), "", 5)).found] == ["license-1"]
    assert (await desk.page(Wanted("licensee-1"), "", 5)).found == []


async def test_l1_a_draft_is_not_made_out_to_a_licensee_that_there_is_not(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)

    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await amend(desk, some_terms(licensee_id="licensee-2"))


async def test_l1_two_who_amend_the_same_terms_do_not_overwrite_each_other(desk: ContractDesk) -> None:
    await an_active_license(desk)
    base_digest = (await desk.current("license-1")).terms_digest
    await amend(desk, base_digest=base_digest)

    with pytest.raises(Refusal, match="AMENDMENT_PENDING"):
        await amend(desk, WIDER, base_digest=base_digest)
    await activate(desk)
    with pytest.raises(Refusal, match="TERMS_DIFFER"):
        await amend(desk, WIDER, base_digest=base_digest)


async def test_a_repeated_amendment_is_drafted_once(desk: ContractDesk) -> None:
    key = a_key()
    await an_active_license(desk)
    base_digest = (await desk.current("license-1")).terms_digest

    first = await amend(desk, key=key, base_digest=base_digest)
    again = await amend(desk, key=key, base_digest=base_digest)

    assert first == again
    assert [number for number, _, _ in await versions(desk)] == [2, 1]


async def test_an_amendment_of_nothing_is_not_found(desk: ContractDesk) -> None:
    amendment = Amendment(NARROWER, a_digest(), "")

    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await desk.amend("license-1", amendment, a_key(), told)
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await desk.withdraw("license-1", 2, "", a_key(), told)


async def test_terms_of_an_amendment_that_contradict_themselves_are_refused(desk: ContractDesk) -> None:
    await an_active_license(desk)

    with pytest.raises(Refusal, match="TERM_EMPTY"):
        await amend(desk, some_terms(term_until_us=0))


async def test_versions_come_in_pages(desk: ContractDesk, clock: ManualClock) -> None:
    await an_active_license(desk)
    for day in range(1, 5):
        clock.advance(DAY_US)
        key = a_key(uuid7(clock.now_us()))
        await amend(desk, some_terms(posted_from_us=day), key=key)
        await activate(desk, a_key(uuid7(clock.now_us())))

    pages = [await desk.versions("license-1", below, 2, drafts=True) for below in (100, 4, 2)]

    assert [[each.version for each in page] for page in pages] == [[5, 4], [3, 2], [1]]
