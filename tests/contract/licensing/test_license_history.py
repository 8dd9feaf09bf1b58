"""Who changed a license, when and why: every change is told, and nobody who should not hears of it."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing.contracts import ContractDesk
from services.licensing.domain.history import StepTaken
from services.licensing.domain.licenses import LicenseState, Step
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1 import license_pb2
from tests.contract.licensing.test_amendment_service import an_amended_license, version_2_from
from tests.contract.licensing.test_amendments import WIDER, amend, an_active_license, set_time
from tests.contract.licensing.test_contract_service import LEGAL, call
from tests.contract.licensing.test_contracts import (
    a_key,
    activate,
    license_exists,
    licensee_exists,
    step,
    told,
)
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer

AUDITOR = (PrincipalKind.AUDITOR, "auditor-1")


async def steps(desk: ContractDesk) -> list[tuple[StepTaken | None, int | None, int | None]]:
    """What each change did, to which version, and from when, in their order."""
    lines = await desk.history("license-1", 100, 100)
    return [(each.change.step, each.change.version, each.change.effective_from_us) for each in lines[::-1]]


async def test_l1_each_change_says_what_it_did_to_which_version_and_from_when(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    await amend(desk)
    await set_time(desk, NOON_US + 1_000)
    clock.advance(7)
    await desk.withdraw("license-1", 2, "not agreed", a_key(), told)
    await amend(desk, WIDER)
    await activate(desk)
    for each in (Step.SUSPEND, Step.RESUME, Step.TERMINATE):
        await step(desk, each)

    assert await steps(desk) == [
        (StepTaken.DRAFTED, 1, None),
        (StepTaken.ACTIVATED, 1, NOON_US),
        (StepTaken.AMENDED, 2, None),
        (StepTaken.SCHEDULED, 2, NOON_US + 1_000),
        (StepTaken.WITHDRAWN, 2, NOON_US + 1_000),
        (StepTaken.AMENDED, 3, None),
        (StepTaken.ACTIVATED, 3, NOON_US + 7),
        (StepTaken.SUSPENDED, 3, None),
        (StepTaken.RESUMED, 3, None),
        (StepTaken.TERMINATED, 3, None),
    ]


async def test_each_change_says_who_made_it_when_why_and_where_it_left_the_license(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await an_active_license(desk)
    clock.advance(5)
    await step(desk, Step.SUSPEND)

    newest = (await desk.history("license-1", 100, 1))[0]

    assert (newest.number, newest.state) == (3, LicenseState.SUSPENDED)
    change = newest.change
    assert (change.by, change.at_us, change.reason) == ("operator:ann", NOON_US + 5, "to suspend it")


async def test_l1_the_time_of_a_draft_stays_on_record_when_it_is_withdrawn(desk: ContractDesk) -> None:
    await licensee_exists(desk)
    await license_exists(desk)
    await set_time(desk, NOON_US + 10)
    await desk.withdraw("license-1", 1, "not yet", a_key(), told)

    assert await steps(desk) == [
        (StepTaken.DRAFTED, 1, None),
        (StepTaken.SCHEDULED, 1, NOON_US + 10),
        (StepTaken.WITHDRAWN, 1, NOON_US + 10),
    ]


async def test_a_change_that_was_refused_or_repeated_has_no_line_of_its_own(desk: ContractDesk) -> None:
    key = a_key()
    await licensee_exists(desk)
    await license_exists(desk, key=key)
    await license_exists(desk, key=key)

    with pytest.raises(Refusal, match="LICENSE_STATE_FORBIDS"):
        await step(desk, Step.RESUME)

    assert await steps(desk) == [(StepTaken.DRAFTED, 1, None)]


async def test_the_history_comes_in_pages(desk: ContractDesk) -> None:
    await an_active_license(desk)
    await step(desk, Step.SUSPEND)

    pages = [await desk.history("license-1", below, 2) for below in (100, 2)]

    assert [[line.number for line in page] for page in pages] == [[3, 2], [1]]


async def test_a_license_that_is_not_there_has_no_history(desk: ContractDesk) -> None:
    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await desk.history("license-1", 100, 100)


@pytest.mark.parametrize("who", [LEGAL, AUDITOR, (PrincipalKind.OPERATOR, "bob")])
async def test_operators_and_auditors_read_the_history_page_by_page(
    server: LocalServer, who: tuple[Any, ...]
) -> None:
    await call(
        server, LEGAL, "ActivateLicense", version_2_from(await an_amended_license(server), NOON_US + 5)
    )
    listing = pb.ListLicenseChangesRequest(license_id="license-1", page_size=3)

    first = await call(server, who, "ListLicenseChanges", listing)
    listing.page_token = first.next_page_token
    last = await call(server, who, "ListLicenseChanges", listing)

    newest = first.changes[0]
    assert [each.number for each in (*first.changes, *last.changes)] == [4, 3, 2, 1]
    assert last.next_page_token == ""
    assert (newest.step, newest.version) == (license_pb2.LICENSE_STEP_SCHEDULED, 2)
    assert newest.effective_from.ToMicroseconds() == NOON_US + 5
    assert (newest.state, newest.changed_by) == (license_pb2.LICENSE_STATE_ACTIVE, "operator:ann")
    assert first.changes[2].reason == "as agreed"
    assert not last.changes[0].HasField("effective_from")


@pytest.mark.parametrize("kind", [PrincipalKind.LICENSEE, PrincipalKind.PIPELINE, PrincipalKind.SUBJECT])
async def test_what_operators_did_and_why_is_not_told_to_others(
    server: LocalServer, kind: PrincipalKind
) -> None:
    await an_amended_license(server)

    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await call(
            server,
            (kind, "licensee-1"),
            "ListLicenseChanges",
            pb.ListLicenseChangesRequest(license_id="license-1"),
        )


async def test_the_history_of_no_license_is_refused_and_so_is_a_token_of_no_page(server: LocalServer) -> None:
    await an_amended_license(server)
    of_none = pb.ListLicenseChangesRequest(license_id="license-9")
    of_no_page = pb.ListLicenseChangesRequest(license_id="license-1", page_token="LTE=")

    with pytest.raises(Refusal, match="LICENSE_UNKNOWN"):
        await call(server, LEGAL, "ListLicenseChanges", of_none)
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await call(server, LEGAL, "ListLicenseChanges", of_no_page)


def test_a_step_has_the_same_number_and_name_in_the_contract() -> None:
    in_contract = {
        name.removeprefix("LICENSE_STEP_"): number for name, number in license_pb2.LicenseStep.items()
    }

    assert in_contract == {"UNSPECIFIED": 0} | {each.name: int(each) for each in StepTaken}
