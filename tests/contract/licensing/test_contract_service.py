"""The contracts desk as callers meet it: over gRPC, behind identity, admission and validation."""

from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.terms import Terms
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.license_messages import license_message
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1 import contract_service_pb2_grpc as pb_grpc
from sluice.licensing.v1 import license_pb2
from tests.support.clock import NOON_US
from tests.support.grpc import LocalServer
from tests.support.licensing import a_license

LEGAL = (PrincipalKind.OPERATOR, "ann", ("legal",))


async def call(server: LocalServer, who: tuple[Any, ...], rpc: str, request: Any) -> Any:
    peer = server.peer(*who)
    return await peer.call(getattr(pb_grpc.ContractServiceStub(peer.channel), rpc), request)


def a_licensee(licensee_id: str = "licensee-1") -> pb.CreateLicenseeRequest:
    licensee = license_pb2.Licensee(licensee_id=licensee_id, display_name="Licensee")
    return pb.CreateLicenseeRequest(request_id=uuid7(NOON_US), licensee=licensee)


def a_draft(license_id: str = "license-1", licensee_id: str = "licensee-1") -> pb.CreateLicenseRequest:
    terms = license_message(a_license(licensee_id=licensee_id), NOON_US).terms
    return pb.CreateLicenseRequest(request_id=uuid7(NOON_US), license_id=license_id, terms=terms)


def a_step(rpc: str) -> Any:
    fields: dict[str, Any] = {"license_id": "license-1", "reason": "as agreed"}
    if rpc == "ActivateLicense":
        fields |= {"version": 1, "terms_digest": a_license().terms_digest}
    return getattr(pb, f"{rpc}Request")(request_id=uuid7(NOON_US), **fields)


async def test_a_license_goes_through_its_life(server: LocalServer) -> None:
    licensee = await call(server, LEGAL, "CreateLicensee", a_licensee())
    created = await call(server, LEGAL, "CreateLicense", a_draft())

    steps = [
        await call(server, LEGAL, rpc, a_step(rpc))
        for rpc in ("ActivateLicense", "SuspendLicense", "ResumeLicense", "TerminateLicense")
    ]

    assert licensee.licensee.created_at.ToMicroseconds() == NOON_US
    states = [answer.license.state for answer in (created, *steps)]
    assert [license_pb2.LicenseState.Name(state) for state in states] == [
        "LICENSE_STATE_DRAFT",
        "LICENSE_STATE_ACTIVE",
        "LICENSE_STATE_SUSPENDED",
        "LICENSE_STATE_ACTIVE",
        "LICENSE_STATE_TERMINATED",
    ]


async def test_l1_the_answer_names_version_and_digest_of_the_exact_terms(server: LocalServer) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    request = a_draft()

    license = (await call(server, LEGAL, "CreateLicense", request)).license

    assert license.terms == request.terms
    assert (license.version, license.terms_digest) == (1, a_license().terms_digest)


async def test_a_repeated_request_gets_the_same_answer(server: LocalServer) -> None:
    request = a_licensee()

    first = await call(server, LEGAL, "CreateLicensee", request)
    again = await call(server, LEGAL, "CreateLicensee", request)

    assert first == again


@pytest.mark.parametrize("word", ["everyone", "all"])
async def test_nobody_is_called_as_choices_call_every_licensee(server: LocalServer, word: str) -> None:
    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        await call(server, LEGAL, "CreateLicensee", a_licensee(word))


async def test_a_reused_request_id_is_refused(server: LocalServer) -> None:
    request, other = a_licensee(), a_licensee("licensee-2")
    other.request_id = request.request_id
    await call(server, LEGAL, "CreateLicensee", request)

    with pytest.raises(Refusal, match="REQUEST_ID_REUSED"):
        await call(server, LEGAL, "CreateLicensee", other)


@pytest_asyncio.fixture
async def stocked(server: LocalServer) -> LocalServer:
    """A licensee with license-1 and license-3, another with license-2; all are active."""
    for number in (1, 2):
        await call(server, LEGAL, "CreateLicensee", a_licensee(f"licensee-{number}"))
    for number, owner in ((1, 1), (2, 2), (3, 1)):
        draft = a_draft(f"license-{number}", f"licensee-{owner}")
        created = (await call(server, LEGAL, "CreateLicense", draft)).license
        await call(server, LEGAL, "ActivateLicense", an_activation(created))
    return server


def an_activation(created: license_pb2.License) -> pb.ActivateLicenseRequest:
    return pb.ActivateLicenseRequest(
        request_id=uuid7(NOON_US),
        license_id=created.license_id,
        version=created.version,
        terms_digest=created.terms_digest,
    )


@pytest.mark.parametrize(
    ("who", "license_id", "found"),
    [
        ((PrincipalKind.LICENSEE, "licensee-1"), "license-1", True),
        ((PrincipalKind.LICENSEE, "licensee-1"), "license-2", False),
        ((PrincipalKind.LICENSEE, "licensee-1"), "license-9", False),
        ((PrincipalKind.PIPELINE, "pipeline-1"), "license-2", True),
        ((PrincipalKind.AUDITOR, "auditor-1"), "license-2", True),
        ((PrincipalKind.OPERATOR, "bob", ("trust",)), "license-2", True),
    ],
)
async def test_anothers_license_looks_like_one_that_is_not_there(
    stocked: LocalServer, who: tuple[Any, ...], license_id: str, found: bool
) -> None:
    request = pb.GetLicenseRequest(license_id=license_id)

    if found:
        answer = await call(stocked, who, "GetLicense", request)
        assert answer.license.license_id == license_id
    else:
        with pytest.raises(Refusal) as refused:
            await call(stocked, who, "GetLicense", request)
        assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "LICENSE_UNKNOWN")
        assert refused.value.message == "there is no such license"


async def test_a_licensee_lists_its_own_licenses_alone(stocked: LocalServer) -> None:
    answer = await call(
        stocked, (PrincipalKind.LICENSEE, "licensee-1"), "ListLicenses", pb.ListLicensesRequest()
    )

    assert [license.license_id for license in answer.licenses] == ["license-1", "license-3"]
    assert answer.next_page_token == ""


async def test_of_another_licensee_there_is_nothing_to_be_seen(stocked: LocalServer) -> None:
    licensee, of_other = (
        (PrincipalKind.LICENSEE, "licensee-1"),
        pb.ListLicensesRequest(licensee_id="licensee-2"),
    )

    seen = await call(stocked, LEGAL, "ListLicenses", of_other)
    nothing = await call(stocked, licensee, "ListLicenses", of_other)

    assert [license.license_id for license in seen.licenses] == ["license-2"]
    assert list(nothing.licenses) == []


async def test_licenses_are_listed_by_how_they_stand(stocked: LocalServer) -> None:
    suspension = pb.SuspendLicenseRequest(request_id=uuid7(NOON_US), license_id="license-3")
    await call(stocked, LEGAL, "SuspendLicense", suspension)
    asking = pb.ListLicensesRequest(states=[license_pb2.LICENSE_STATE_SUSPENDED])

    answer = await call(stocked, LEGAL, "ListLicenses", asking)

    assert [license.license_id for license in answer.licenses] == ["license-3"]


async def test_pages_are_whole_and_end_with_an_empty_token(stocked: LocalServer) -> None:
    first = await call(stocked, LEGAL, "ListLicenses", pb.ListLicensesRequest(page_size=2))
    following = pb.ListLicensesRequest(page_size=2, page_token=first.next_page_token)
    last = await call(stocked, LEGAL, "ListLicenses", following)

    assert [license.license_id for license in first.licenses] == ["license-1", "license-2"]
    assert [license.license_id for license in last.licenses] == ["license-3"]
    assert (first.next_page_token != "", last.next_page_token) == (True, "")


async def test_licensees_are_listed_by_id_page_by_page(stocked: LocalServer) -> None:
    bob = (PrincipalKind.OPERATOR, "bob", ("trust",))
    first = await call(stocked, bob, "ListLicensees", pb.ListLicenseesRequest(page_size=1))
    following = pb.ListLicenseesRequest(page_size=1, page_token=first.next_page_token)
    last = await call(stocked, bob, "ListLicensees", following)

    assert [licensee.licensee_id for licensee in first.licensees] == ["licensee-1"]
    assert [licensee.licensee_id for licensee in last.licensees] == ["licensee-2"]
    assert (first.next_page_token != "", last.next_page_token) == (True, "")


@pytest.mark.parametrize(
    "who",
    [
        (PrincipalKind.LICENSEE, "licensee-1"),
        (PrincipalKind.SUBJECT, "7"),
        (PrincipalKind.PIPELINE, "pipeline-1"),
    ],
)
async def test_who_is_a_licensee_is_not_told_to_everyone(stocked: LocalServer, who: tuple[Any, ...]) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await call(stocked, who, "ListLicensees", pb.ListLicenseesRequest())


@pytest.mark.parametrize("token", ["?", "abc", "/w==", "_w=="])
async def test_a_page_token_of_ones_own_making_is_refused(server: LocalServer, token: str) -> None:
    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await call(server, LEGAL, "ListLicenses", pb.ListLicensesRequest(page_token=token))


@pytest.mark.parametrize(
    ("who", "rpc"),
    [
        ((PrincipalKind.OPERATOR, "bob", ("trust",)), "ActivateLicense"),
        ((PrincipalKind.OPERATOR, "bob", ("trust",)), "ResumeLicense"),
        ((PrincipalKind.OPERATOR, "bob", ("finance",)), "SuspendLicense"),
        ((PrincipalKind.OPERATOR, "bob"), "SuspendLicense"),
        ((PrincipalKind.LICENSEE, "licensee-1"), "ActivateLicense"),
        ((PrincipalKind.PIPELINE, "pipeline-1"), "SuspendLicense"),
        ((PrincipalKind.AUDITOR, "auditor-1"), "TerminateLicense"),
        ((PrincipalKind.SUBJECT, "7"), "SuspendLicense"),
        ((PrincipalKind.SERVICE, "consent"), "SuspendLicense"),
    ],
)
async def test_only_the_right_operators_change_a_license(
    server: LocalServer, who: tuple[Any, ...], rpc: str
) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await call(server, who, rpc, a_step(rpc))


async def test_l4_trust_may_stop_a_license_without_waiting_for_legal(server: LocalServer) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    await call(server, LEGAL, "CreateLicense", a_draft())
    await call(server, LEGAL, "ActivateLicense", a_step("ActivateLicense"))

    answer = await call(
        server, (PrincipalKind.OPERATOR, "bob", ("trust",)), "SuspendLicense", a_step("SuspendLicense")
    )

    assert answer.license.state == license_pb2.LICENSE_STATE_SUSPENDED
    assert answer.license.state_reason == "as agreed"


async def test_every_rpc_of_the_contract_says_whom_it_admits() -> None:
    (service,) = pb.DESCRIPTOR.services_by_name.values()

    assert {f"/{service.full_name}/{method.name}" for method in service.methods} <= set(ADMISSIONS)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("license_id", lambda request: setattr(request, "license_id", "Not An Id")),
        ("terms", lambda request: request.ClearField("terms")),
        ("terms.purposes", lambda request: request.terms.ClearField("purposes")),
        ("terms.purposes[1]", lambda request: request.terms.purposes.append(99)),
        ("terms.languages[1]", lambda request: request.terms.languages.append("english!")),
        ("terms.template", lambda request: request.terms.ClearField("template")),
        ("terms.term_until", lambda request: request.terms.ClearField("term_until")),
        ("terms.allowances[0].limit", lambda request: setattr(request.terms.allowances[0], "limit", 2**63)),
    ],
)
async def test_malformed_terms_are_refused_with_the_field_at_fault(
    server: LocalServer, path: str, change: Any
) -> None:
    request = a_draft()
    change(request)

    with pytest.raises(Refusal, match="INVALID_REQUEST") as refused:
        await call(server, LEGAL, "CreateLicense", request)

    assert path in {violation.field for violation in refused.value.violations}


async def test_l2_terms_that_are_not_understood_are_not_shown_as_terms() -> None:
    license = replace(a_license(), terms=Terms.nothing("licensee-1"))

    message = license_message(license, NOON_US)

    assert message.terms == license_pb2.LicenseTerms(licensee_id="licensee-1")
    assert message.terms_digest == license.terms_digest


async def test_a_time_that_no_calendar_has_is_refused(server: LocalServer) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    request = a_draft()
    request.terms.term_until.seconds = 2**62

    with pytest.raises(Refusal, match="INVALID_REQUEST"):
        await call(server, LEGAL, "CreateLicense", request)


@pytest.mark.parametrize(
    ("calendar", "known"), [("DE", True), ("DE-BY", True), ("US-CA", True), ("DE-XX", False)]
)
async def test_a_calendar_is_one_whose_public_holidays_are_known(
    server: LocalServer, calendar: str, known: bool
) -> None:
    request = pb.CheckTermsRequest(terms=a_draft().terms)
    request.terms.obligations.recall_business_days = True
    request.terms.obligations.recall_calendar = calendar

    if known:
        assert len((await call(server, LEGAL, "CheckTerms", request)).terms_digest) == 32
        return
    with pytest.raises(Refusal) as refused:
        await call(server, LEGAL, "CheckTerms", request)
    assert refused.value.reason == "RECALL_CALENDAR_UNKNOWN"
    assert [each.field for each in refused.value.violations] == ["terms.obligations.recall_calendar"]
