"""Who may receive posts, page by page, whichever store the desk has; and what callers are told of it."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.licensing import contracts
from services.licensing.contracts import ContractDesk
from services.licensing.domain.licenses import Step
from services.licensing.domain.terms import Purpose
from services.licensing.domain.versions import Activation
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.type.v1 import purpose_pb2
from tests.contract.licensing.test_contract_service import LEGAL, a_draft, a_licensee, a_step, call
from tests.contract.licensing.test_contracts import a_key, license_exists, licensee_exists, told
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.licensing import DAY_US, some_terms

SUBJECT = (PrincipalKind.SUBJECT, "1001", ())


async def licensed(desk: ContractDesk, licensee_id: str, *purposes: Purpose, at_us: int | None = None) -> str:
    """A license of a new licensee for each purpose, at once or from a time on; the id of the last one."""
    await licensee_exists(desk, licensee_id)
    license_id = ""
    for purpose in purposes:
        license_id = f"{licensee_id}-{purpose.name.lower().replace('_', '-')}"
        terms = some_terms(licensee_id=licensee_id, purposes=frozenset({purpose}))
        await license_exists(desk, license_id, terms)
        activation = Activation(1, (await desk.current(license_id)).terms_digest, at_us)
        await desk.activate(license_id, activation, "", a_key(), told)
    return license_id


async def pages(desk: ContractDesk, size: int) -> list[list[str]]:
    """Ids of the recipients, page by page."""
    found, after = list[list[str]](), ""
    while True:
        page = await desk.recipients(after, size)
        found.append([recipient.licensee_id for recipient in page.found])
        if page.looked_up_to is None:
            return found
        after = page.looked_up_to


async def test_l1_who_has_or_will_have_something_in_force_is_listed_by_id_with_all_purposes(
    desk: ContractDesk, clock: ManualClock
) -> None:
    await licensed(desk, "beta", Purpose.SEARCH_INDEX, Purpose.AI_TRAINING_GENERATIVE)
    await licensed(desk, "acme", Purpose.AI_INDEX, at_us=NOON_US + DAY_US)
    suspended = await licensed(desk, "gamma", Purpose.AI_INPUT)
    await desk.take_step(suspended, Step.SUSPEND, "", a_key(), told)
    ended = await licensed(desk, "ended", Purpose.AI_INPUT)
    await desk.take_step(ended, Step.TERMINATE, "", a_key(), told)
    await licensee_exists(desk, "drafted")
    await license_exists(desk, "drafted-1", some_terms(licensee_id="drafted"))

    page = await desk.recipients("", 10)
    clock.advance(DAY_US)
    later = await desk.recipients("", 1)
    clock.advance(180 * DAY_US)
    over = await desk.recipients("", 10)

    assert [(each.licensee_id, each.purposes, each.is_active) for each in page.found] == [
        ("acme", (Purpose.AI_INDEX,), False),
        ("beta", (Purpose.AI_TRAINING_GENERATIVE, Purpose.SEARCH_INDEX), True),
        ("gamma", (Purpose.AI_INPUT,), False),
    ]
    assert [(each.licensee_id, each.is_active) for each in later.found] == [("acme", True)]
    assert (over.found, over.looked_up_to) == ([], None)


@pytest.mark.parametrize("size", [1, 2, 3, 50])
async def test_pages_of_any_size_hold_everybody_once_and_go_on_past_those_who_receive_nothing(
    desk: ContractDesk, size: int
) -> None:
    for licensee_id in ("a", "c", "e"):
        await licensed(desk, licensee_id, Purpose.AI_INDEX)
    for licensee_id in ("b", "d", "f"):
        await licensee_exists(desk, licensee_id)

    found = await pages(desk, size)

    assert [id for page in found for id in page] == ["a", "c", "e"]
    assert len(found) == -(-6 // size)


async def test_a_page_ends_with_the_licensee_whose_licenses_are_as_many_as_are_read(
    desk: ContractDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contracts, "LICENSES_AT_ONCE", 2)
    await licensed(desk, "a", Purpose.AI_INDEX)
    await licensed(desk, "b", Purpose.AI_INDEX, Purpose.AI_INPUT, Purpose.SEARCH_INDEX)
    await licensee_exists(desk, "c")
    await licensed(desk, "d", Purpose.AI_INDEX)

    page = await desk.recipients("", 10)

    assert [recipient.licensee_id for recipient in page.found] == ["a", "b"]
    assert len(page.found[1].purposes) == 3
    assert page.looked_up_to == "c"
    assert await pages(desk, 10) == [["a", "b"], ["d"]]


async def test_a_subject_is_told_names_and_purposes_and_nothing_that_was_agreed(server: LocalServer) -> None:
    for licensee_id in ("acme", "beta"):
        await call(server, LEGAL, "CreateLicensee", a_licensee(licensee_id))
    await call(server, LEGAL, "CreateLicense", a_draft(licensee_id="acme"))
    created = await call(server, LEGAL, "GetLicense", pb.GetLicenseRequest(license_id="license-1"))
    activation = a_step("ActivateLicense")
    activation.terms_digest = created.license.terms_digest
    await call(server, LEGAL, "ActivateLicense", activation)

    first = await call(server, SUBJECT, "ListRecipients", pb.ListRecipientsRequest(page_size=1))
    token = first.next_page_token
    second = await call(server, SUBJECT, "ListRecipients", pb.ListRecipientsRequest(page_token=token))

    assert list(first.recipients) == [
        pb.Recipient(
            licensee_id="acme",
            display_name="Licensee",
            purposes=[purpose_pb2.PURPOSE_AI_TRAINING_GENERATIVE],
            is_active=True,
        )
    ]
    assert (list(second.recipients), second.next_page_token) == ([], "")


@pytest.mark.parametrize(
    "who", [(PrincipalKind.LICENSEE, "acme", ()), (PrincipalKind.PIPELINE, "firehose", ())]
)
async def test_who_else_may_receive_posts_is_no_licensees_business(
    server: LocalServer, who: tuple[Any, ...]
) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await call(server, who, "ListRecipients", pb.ListRecipientsRequest())


async def test_a_token_that_no_page_of_recipients_gave_is_refused(server: LocalServer) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await call(server, SUBJECT, "ListRecipients", pb.ListRecipientsRequest(page_token="x"))
