"""Amendments as callers meet them over gRPC: who sees what, and what is refused with which field."""

from typing import Any

import pytest

from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Kind, Refusal
from services.licensing.rpc.license_messages import license_message
from sluice.licensing.v1 import contract_service_pb2 as pb
from sluice.licensing.v1 import license_pb2, price_pb2
from tests.contract.licensing.test_contract_service import (
    LEGAL,
    a_draft,
    a_licensee,
    a_step,
    call,
)
from tests.support.clock import NOON_US
from tests.support.grpc import LocalServer
from tests.support.licensing import a_license

LICENSEE = (PrincipalKind.LICENSEE, "licensee-1")
STRANGER = (PrincipalKind.LICENSEE, "licensee-2")


def an_amendment() -> pb.AmendLicenseRequest:
    terms = license_message(a_license(languages=frozenset({"en"})), NOON_US).terms
    base_digest = a_license().terms_digest
    return pb.AmendLicenseRequest(
        request_id=uuid7(NOON_US), license_id="license-1", base_digest=base_digest, terms=terms
    )


async def an_amended_license(server: LocalServer) -> license_pb2.License:
    """license-1, active, with version 2 drafted."""
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    await call(server, LEGAL, "CreateLicense", a_draft())
    await call(server, LEGAL, "ActivateLicense", a_step("ActivateLicense"))
    amended: license_pb2.License = (await call(server, LEGAL, "AmendLicense", an_amendment())).license
    return amended


def version_2_from(license: license_pb2.License, from_us: int) -> pb.ActivateLicenseRequest:
    request = pb.ActivateLicenseRequest(
        request_id=uuid7(NOON_US), license_id="license-1", version=2, terms_digest=license.next.terms_digest
    )
    request.effective_at.FromMicroseconds(from_us)
    return request


async def test_l1_a_licensee_is_told_of_an_amendment_once_its_time_is_set(server: LocalServer) -> None:
    amended, get = await an_amended_license(server), pb.GetLicenseRequest(license_id="license-1")
    listing = pb.ListLicenseVersionsRequest(license_id="license-1")

    as_draft = (await call(server, LICENSEE, "GetLicense", get)).license
    listed_as_draft = (await call(server, LICENSEE, "ListLicenseVersions", listing)).versions
    in_list = (await call(server, LICENSEE, "ListLicenses", pb.ListLicensesRequest())).licenses
    await call(server, LEGAL, "ActivateLicense", version_2_from(amended, NOON_US + 5))
    with_time = (await call(server, LICENSEE, "GetLicense", get)).license
    listed = (await call(server, LICENSEE, "ListLicenseVersions", listing)).versions

    assert not as_draft.HasField("next")
    assert not any(each.HasField("next") for each in in_list)
    assert [each.version for each in listed_as_draft] == [1]
    assert with_time.next.effective_from.ToMicroseconds() == NOON_US + 5
    assert [(each.version, each.created_by) for each in listed] == [(2, ""), (1, "")]


READS = {
    "GetLicense": pb.GetLicenseRequest(license_id="license-1"),
    "ListLicenseVersions": pb.ListLicenseVersionsRequest(license_id="license-1"),
}


@pytest.mark.parametrize("rpc", READS)
async def test_l1_a_draft_that_has_no_time_looks_to_its_licensee_like_no_license(
    server: LocalServer, rpc: str
) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    await call(server, LEGAL, "CreateLicense", a_draft())

    with pytest.raises(Refusal) as refused:
        await call(server, LICENSEE, rpc, READS[rpc])
    listed = (await call(server, LICENSEE, "ListLicenses", pb.ListLicensesRequest())).licenses
    await call(server, LEGAL, "ActivateLicense", a_step("ActivateLicense"))
    told = await call(server, LICENSEE, rpc, READS[rpc])

    assert (refused.value.kind, refused.value.reason) == (Kind.NOT_FOUND, "LICENSE_UNKNOWN")
    assert list(listed) == []
    assert told.ByteSize() > 0


INSIDERS = [LEGAL, (PrincipalKind.OPERATOR, "bob"), (PrincipalKind.AUDITOR, "auditor-1")]


@pytest.mark.parametrize(
    ("who", "told"),
    [(LICENSEE, ""), ((PrincipalKind.PIPELINE, "exports"), ""), *((each, "suspected") for each in INSIDERS)],
)
async def test_why_an_operator_stopped_a_license_is_told_to_operators_and_auditors_only(
    server: LocalServer, who: tuple[Any, ...], told: str
) -> None:
    await an_amended_license(server)
    stop = a_step("SuspendLicense")
    stop.reason = "suspected"
    await call(server, LEGAL, "SuspendLicense", stop)

    license = (await call(server, who, "GetLicense", READS["GetLicense"])).license

    assert (license.state, license.state_reason) == (license_pb2.LICENSE_STATE_SUSPENDED, told)


async def test_why_a_version_was_drafted_is_not_told_to_the_licensee(server: LocalServer) -> None:
    await call(server, LEGAL, "CreateLicensee", a_licensee())
    await call(server, LEGAL, "CreateLicense", a_draft())
    await call(server, LEGAL, "ActivateLicense", a_step("ActivateLicense"))
    request = an_amendment()
    request.reason = "they threaten to sue"
    amended = (await call(server, LEGAL, "AmendLicense", request)).license
    await call(server, LEGAL, "ActivateLicense", version_2_from(amended, NOON_US + 5))

    versions, licenses = [
        (await call(server, LICENSEE, "ListLicenseVersions", READS["ListLicenseVersions"])).versions,
        (await call(server, LICENSEE, "ListLicenses", pb.ListLicensesRequest())).licenses,
    ]
    seen_inside = (await call(server, LEGAL, "ListLicenseVersions", READS["ListLicenseVersions"])).versions

    assert [each.reason for each in versions] == ["", ""]
    assert [each.state_reason for each in licenses] == [""]
    assert seen_inside[0].reason == "they threaten to sue"


async def test_l1_operators_see_who_drafted_a_version(server: LocalServer) -> None:
    await an_amended_license(server)
    listing = pb.ListLicenseVersionsRequest(license_id="license-1", page_size=1)

    first = await call(server, LEGAL, "ListLicenseVersions", listing)
    listing.page_token = first.next_page_token
    last = await call(server, LEGAL, "ListLicenseVersions", listing)

    assert [(each.version, each.created_by) for each in (*first.versions, *last.versions)] == [
        (2, "operator:ann"),
        (1, "operator:ann"),
    ]
    assert last.next_page_token == ""


@pytest.mark.parametrize("rpc", ["GetLicense", "ListLicenseVersions"])
async def test_the_versions_of_anothers_license_look_like_those_of_none(
    server: LocalServer, rpc: str
) -> None:
    await an_amended_license(server)
    request = getattr(pb, f"{rpc}Request")

    with pytest.raises(Refusal) as of_another:
        await call(server, STRANGER, rpc, request(license_id="license-1"))
    with pytest.raises(Refusal) as of_nobody:
        await call(server, STRANGER, rpc, request(license_id="license-9"))

    assert (of_another.value.kind, of_another.value.reason) == (Kind.NOT_FOUND, "LICENSE_UNKNOWN")
    assert str(of_another.value) == str(of_nobody.value)


async def test_l1_an_activation_in_the_past_is_refused(server: LocalServer) -> None:
    amended = await an_amended_license(server)

    with pytest.raises(Refusal, match="ACTIVATION_IN_PAST") as refused:
        await call(server, LEGAL, "ActivateLicense", version_2_from(amended, NOON_US - 1))

    assert [violation.field for violation in refused.value.violations] == ["effective_at"]


@pytest.mark.parametrize("field", ["terms_digest", "version"])
async def test_l1_nothing_is_activated_that_was_not_read(server: LocalServer, field: str) -> None:
    request = version_2_from(await an_amended_license(server), NOON_US + 5)
    request.ClearField(field)

    with pytest.raises(Refusal, match="INVALID_REQUEST") as refused:
        await call(server, LEGAL, "ActivateLicense", request)

    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize(("field", "of"), [("terms.contract_digest", "terms"), ("base_digest", "amendment")])
async def test_terms_without_a_digest_are_refused(server: LocalServer, field: str, of: str) -> None:
    request = an_amendment()
    (request.terms if of == "terms" else request).ClearField(field.rpartition(".")[2])

    with pytest.raises(Refusal, match="INVALID_REQUEST") as refused:
        await call(server, LEGAL, "AmendLicense", request)

    assert [violation.field for violation in refused.value.violations] == [field]


async def test_terms_are_checked_without_being_stored(server: LocalServer) -> None:
    terms = an_amendment().terms

    answer = await call(server, LEGAL, "CheckTerms", pb.CheckTermsRequest(terms=terms))
    terms.price.CopyFrom(price_pb2.Price(currency="USD", period="BILLING_PERIOD_MONTH", time_zone="UTC"))
    terms.price.charges.add(name="posts").per_unit.unit_price = "-0.01"
    with pytest.raises(Refusal, match="INVALID_REQUEST") as refused:
        await call(server, LEGAL, "CheckTerms", pb.CheckTermsRequest(terms=terms))

    assert answer.terms_digest == a_license(languages=frozenset({"en"})).terms_digest
    negative = "terms.price.charges[0].per_unit.unit_price"
    assert [violation.field for violation in refused.value.violations] == [negative]


@pytest.mark.parametrize("rpc", ["CreateLicense", "AmendLicense", "CheckTerms"])
async def test_l2_a_country_that_means_none_is_refused_wherever_terms_are_given(
    server: LocalServer, rpc: str
) -> None:
    await an_amended_license(server)
    terms = an_amendment().terms
    terms.territory[:] = ["DE", "EU"]
    requests = {
        "CreateLicense": pb.CreateLicenseRequest(
            request_id=uuid7(NOON_US), license_id="license-2", terms=terms
        ),
        "AmendLicense": pb.AmendLicenseRequest(
            request_id=uuid7(NOON_US),
            license_id="license-1",
            base_digest=a_license().terms_digest,
            terms=terms,
        ),
        "CheckTerms": pb.CheckTermsRequest(terms=terms),
    }

    with pytest.raises(Refusal, match="COUNTRY_UNKNOWN") as refused:
        await call(server, LEGAL, rpc, requests[rpc])

    assert [violation.field for violation in refused.value.violations] == ["terms.territory"]


@pytest.mark.parametrize("token", ["MQ==x", "LTE=", "MS41", "OTk5OTk5OTk5OTk5"])
async def test_a_token_of_no_page_of_versions_is_refused(server: LocalServer, token: str) -> None:
    await an_amended_license(server)
    request = pb.ListLicenseVersionsRequest(license_id="license-1", page_token=token)

    with pytest.raises(Refusal, match="PAGE_TOKEN_INVALID"):
        await call(server, LEGAL, "ListLicenseVersions", request)
