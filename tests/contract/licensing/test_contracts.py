"""What the contracts desk promises, whichever store it has: one in memory and one in a database."""

from hashlib import sha256

import pytest

from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.chassis.replays import ReplayKey
from services.licensing import contracts
from services.licensing.contracts import ContractDesk, Wanted
from services.licensing.domain.licenses import License, LicenseState, Step
from services.licensing.domain.terms import Terms
from services.licensing.domain.versions import Activation
from tests.support.clock import NOON_US, ManualClock
from tests.support.licensing import DAY_US, some_terms

SECOND_US = 1_000_000


def a_key(
    request_id: str | None = None,
    content: str = "",
    operation: str = "Write",
    principal: str = "operator:ann",
) -> ReplayKey:
    """A request of its own unless said."""
    digest = sha256(content.encode()).digest()
    return ReplayKey(principal, operation, request_id or uuid7(NOON_US), digest)


def told(license: License, now_us: int) -> bytes:
    """An answer that says where a license stands."""
    return f"{license.license_id} is {license.effective_state(now_us).name}".encode()


async def licensee_exists(
    desk: ContractDesk, licensee_id: str = "licensee-1", key: ReplayKey | None = None
) -> bytes:
    return await desk.create_licensee(
        licensee_id, "Licensee", key or a_key(), lambda licensee: licensee.licensee_id.encode()
    )


async def license_exists(
    desk: ContractDesk,
    license_id: str = "license-1",
    terms: Terms | None = None,
    key: ReplayKey | None = None,
) -> bytes:
    return await desk.create_license(license_id, terms or some_terms(), key or a_key(), told)


async def activate(desk: ContractDesk, key: ReplayKey | None = None) -> bytes:
    """Puts into force what is drafted."""
    license = await desk.current("license-1")
    drafted = license.next or license
    activation = Activation(drafted.version, drafted.terms_digest, None)
    return await desk.activate("license-1", activation, "to activate it", key or a_key(), told)


async def step(desk: ContractDesk, step: Step, key: ReplayKey | None = None) -> bytes:
    return await desk.take_step("license-1", step, f"to {step.value} it", key or a_key(), told)


async def test_l1_a_license_begins_as_a_draft_of_its_licensee(desk: ContractDesk) -> None:
    await licensee_exists(desk)

    answer = await license_exists(desk)

    license = await desk.current("license-1")
    assert answer == b"license-1 is DRAFT"
    assert (license.version, license.state, license.created_at_us) == (1, LicenseState.DRAFT, NOON_US)
    assert license.terms == some_terms()


async def test_licensees_are_listed_by_id(desk: ContractDesk) -> None:
    for number in (3, 1, 2):
        await licensee_exists(desk, f"licensee-{number}")

    listed = await desk.licensees("licensee-1", 1)

    assert [(licensee.licensee_id, licensee.created_at_us) for licensee in listed] == [
        ("licensee-2", NOON_US)
    ]
    assert await desk.licensees("licensee-3", 5) == []


async def test_l1_each_step_is_dated_and_says_why(desk: ContractDesk, clock: ManualClock) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    clock.advance(SECOND_US)

    answer = await activate(desk)

    license = await desk.current("license-1")
    assert answer == b"license-1 is ACTIVE"
    assert (license.created_at_us, license.state_changed_at_us) == (NOON_US, NOON_US + SECOND_US)
    assert license.state_reason == "to activate it"


async def test_l1_a_license_can_be_suspended_resumed_and_ended(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)

    answers = [await activate(desk)]
    answers += [await step(desk, each) for each in (Step.SUSPEND, Step.RESUME, Step.TERMINATE)]

    assert [answer.split()[-1] for answer in answers] == [b"ACTIVE", b"SUSPENDED", b"ACTIVE", b"TERMINATED"]
    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
        await activate(desk)


async def test_l1_a_refused_step_changes_nothing(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    before = await desk.current("license-1")

    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
        await step(desk, Step.RESUME)

    assert await desk.current("license-1") == before


async def test_l1_an_expired_license_is_not_activated(desk: ContractDesk, clock: ManualClock) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    clock.advance(200 * DAY_US)

    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS") as refused:
        await activate(desk, a_key(uuid7(clock.now_us())))

    assert "expired" in refused.value.message


async def test_l2_terms_come_back_exactly_as_they_were_agreed(desk: ContractDesk) -> None:
    terms = some_terms(languages=frozenset({"en", "de"}), posted_from_us=1, posted_before_us=NOON_US)
    await licensee_exists(desk)
    await license_exists(desk, terms=terms)

    license = await desk.current("license-1")

    assert license.terms == terms
    assert license.terms_digest == sha256(terms.document()).digest()


async def test_terms_that_contradict_themselves_are_refused(desk: ContractDesk) -> None:
    await licensee_exists(desk)

    with pytest.raises(Refusal, match="TERM_EMPTY"):
        await license_exists(desk, terms=some_terms(term_until_us=0))
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await desk.current("license-1")


async def test_names_are_given_once(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)

    with pytest.raises(Refusal, match="LICENSEE_EXISTS"):
        await licensee_exists(desk)
    with pytest.raises(Refusal, match="LICENSE_EXISTS"):
        await license_exists(desk)


async def test_no_licensee_has_the_id_of_what_is_counted_for_another(desk: ContractDesk) -> None:
    with pytest.raises(Refusal) as refused:
        await licensee_exists(desk, "probes.licensee-1")

    assert (refused.value.kind, refused.value.reason) == (Kind.INVALID, "LICENSEE_ID_RESERVED")


async def test_a_license_needs_its_licensee(desk: ContractDesk) -> None:
    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await license_exists(desk)


async def test_an_unknown_license_is_not_found(desk: ContractDesk) -> None:
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN") as refused:
        await step(desk, Step.SUSPEND)

    assert refused.value.kind is Kind.NOT_FOUND


async def test_a_repeated_request_gets_its_first_answer_and_does_nothing_more(desk: ContractDesk) -> None:
    creation, activation = a_key(), a_key()
    await licensee_exists(desk)
    first = await license_exists(desk, key=creation)
    await activate(desk, activation)
    await step(desk, Step.SUSPEND)

    repeated = await license_exists(desk, key=creation), await activate(desk, activation)

    assert repeated == (first, b"license-1 is ACTIVE")
    assert (await desk.current("license-1")).state is LicenseState.SUSPENDED


async def test_a_request_id_with_other_content_is_refused(desk: ContractDesk) -> None:
    request_id = uuid7(NOON_US)
    await licensee_exists(desk, key=a_key(request_id, "one thing"))

    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await licensee_exists(desk, "licensee-2", key=a_key(request_id, "another"))


async def test_a_refused_request_leaves_its_id_free(desk: ContractDesk) -> None:
    key = a_key()
    with pytest.raises(Refusal, match="LICENSEE_UNKNOWN"):
        await license_exists(desk, key=key)
    await licensee_exists(desk)

    assert await license_exists(desk, key=key) == b"license-1 is DRAFT"


async def test_anothers_request_id_is_another_request(desk: ContractDesk) -> None:
    request_id = uuid7(NOON_US)
    await licensee_exists(desk, key=a_key(request_id, "one thing", principal="operator:ann"))

    answer = await licensee_exists(
        desk, "licensee-2", key=a_key(request_id, "another", principal="operator:bob")
    )

    assert answer == b"licensee-2"


async def test_a_request_id_that_would_be_forgotten_is_refused(desk: ContractDesk) -> None:
    with pytest.raises(Refusal, match="REQUEST_ID_TOO_OLD"):
        await licensee_exists(desk, key=a_key(uuid7(NOON_US - 500 * DAY_US)))


async def test_licenses_are_listed_by_id_and_by_licensee(desk: ContractDesk) -> None:
    for licensee_id in ("licensee-1", "licensee-2"):
        await licensee_exists(desk, licensee_id)
    for license_id, licensee_id in (("c", "licensee-1"), ("a", "licensee-1"), ("b", "licensee-2")):
        await license_exists(desk, license_id, some_terms(licensee_id=licensee_id))

    everyones = [await page(desk, Wanted(), after, 2) for after in ("", "b")]
    own = await page(desk, Wanted("licensee-1"), "", 5)

    assert everyones == [(["a", "b"], "b"), (["c"], None)]
    assert own == (["a", "c"], None)


async def test_licensees_are_listed_by_id_and_some_of_them_where_they_are_named(desk: ContractDesk) -> None:
    for licensee_id in ("licensee-1", "licensee-2", "licensee-3"):
        await licensee_exists(desk, licensee_id)

    everyone = await desk.licensees("licensee-1", 5)
    named = await desk.licensees("", 5, ["licensee-3", "licensee-1", "nobody"])

    assert [each.licensee_id for each in everyone] == ["licensee-2", "licensee-3"]
    assert [each.licensee_id for each in named] == ["licensee-1", "licensee-3"]


async def page(desk: ContractDesk, wanted: Wanted, after: str, limit: int) -> tuple[list[str], str | None]:
    """The licenses of a page, and the last that was looked at where others follow."""
    found = await desk.page(wanted, after, limit)
    return [license.license_id for license in found.found], found.looked_up_to


async def test_l1_licenses_are_listed_by_how_they_stand_now(desk: ContractDesk, clock: ManualClock) -> None:
    await licensee_exists(desk)
    over_us = NOON_US + DAY_US
    await license_exists(desk, "license-1", some_terms(term_until_us=over_us))
    for license_id in ("license-2", "license-3"):
        await license_exists(desk, license_id)
    await activate(desk)
    drafts, active = Wanted(states={LicenseState.DRAFT}), Wanted(states={LicenseState.ACTIVE})
    expired = Wanted(states={LicenseState.EXPIRED})

    before = [await page(desk, wanted, "", 5) for wanted in (drafts, active, expired)]
    clock.advance(DAY_US)
    after = [await page(desk, wanted, "", 5) for wanted in (active, expired)]

    assert before == [(["license-2", "license-3"], None), (["license-1"], None), ([], None)]
    assert after == [([], None), (["license-1"], None)]


async def test_a_page_of_licenses_in_a_state_goes_on_after_the_last_that_it_shows(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    for license_id in ("license-1", "license-2", "license-3"):
        await license_exists(desk, license_id)
    await activate(desk)
    drafts = Wanted(states={LicenseState.DRAFT})

    first = await page(desk, drafts, "", 1)
    last = await page(desk, drafts, "license-2", 1)

    assert (first, last) == ((["license-2"], "license-2"), (["license-3"], None))


async def test_a_page_of_licenses_in_a_state_looks_at_so_many_and_says_how_far_it_came(
    desk: ContractDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contracts, "LICENSES_AT_ONCE", 2)
    await licensee_exists(desk)
    for license_id in ("license-0", "license-1", "license-2"):
        await license_exists(desk, license_id)
    await activate(desk)

    # Whether a draft is over its term says.
    first = await page(desk, Wanted(states={LicenseState.EXPIRED}), "", 1)
    last = await page(desk, Wanted(states={LicenseState.EXPIRED}), "license-1", 1)

    assert (first, last) == (([], "license-1"), ([], None))


async def test_the_one_license_that_is_suspended_is_on_the_first_page_whatever_the_number_of_others(
    desk: ContractDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contracts, "LICENSES_AT_ONCE", 2)
    await licensee_exists(desk)
    for license_id in ("draft-1", "draft-2", "draft-3", "license-1"):
        await license_exists(desk, license_id)
    await activate(desk)
    await step(desk, Step.SUSPEND)

    found = await page(desk, Wanted(states={LicenseState.SUSPENDED}), "", 1)

    assert found == (["license-1"], None)
