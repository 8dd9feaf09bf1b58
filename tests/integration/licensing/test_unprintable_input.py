"""What no database holds alike, such as a NUL, is refused by the contract, and the same on each engine."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Kind, Refusal
from sluice.licensing.v1 import affiliate_service_pb2 as affiliates
from sluice.licensing.v1 import billing_service_pb2 as billing
from sluice.licensing.v1 import contract_service_pb2 as contracts
from sluice.licensing.v1 import key_service_pb2 as keys
from sluice.licensing.v1 import release_service_pb2 as releases
from sluice.licensing.v1.affiliate_service_pb2_grpc import AffiliateServiceStub
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from sluice.licensing.v1.contract_service_pb2_grpc import ContractServiceStub
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from sluice.licensing.v1.license_pb2 import Licensee
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub
from sluice.licensing.v1.token_service_pb2 import GetTokenRequest
from sluice.licensing.v1.token_service_pb2_grpc import TokenServiceStub
from tests.support.cluster import TRAINING, Cluster, a_post

NUL = "a\0b"
ID = "acme-training"
OPERATOR = (PrincipalKind.OPERATOR, "ann", ("legal",))
FINANCE = (PrincipalKind.OPERATOR, "eve", ("finance",))
LICENSEE = (PrincipalKind.LICENSEE, "acme")
PIPELINE = (PrincipalKind.PIPELINE, "exports")

Ask = Callable[[Cluster], Any]
BY_RULE: dict[str, tuple[tuple[Any, ...], type, str, Ask]] = {
    "GetLicense": (
        LICENSEE,
        ContractServiceStub,
        "license_id",
        lambda _: contracts.GetLicenseRequest(license_id=NUL),
    ),
    "ListLicenseVersions": (
        LICENSEE,
        ContractServiceStub,
        "license_id",
        lambda _: contracts.ListLicenseVersionsRequest(license_id=NUL),
    ),
    "ListAffiliates": (
        LICENSEE,
        AffiliateServiceStub,
        "licensee_id",
        lambda _: affiliates.ListAffiliatesRequest(licensee_id=NUL),
    ),
    "Decide": (
        PIPELINE,
        ReleaseServiceStub,
        "license_id",
        lambda cluster: releases.DecideRequest(
            request_id=cluster.new_id(), license_id=NUL, purpose=TRAINING, posts={"posts": [a_post(1, 1)]}
        ),
    ),
    "SuspendLicense": (
        OPERATOR,
        ContractServiceStub,
        "reason",
        lambda cluster: contracts.SuspendLicenseRequest(
            request_id=cluster.new_id(), license_id=ID, reason=NUL
        ),
    ),
    "RemoveAffiliate": (
        OPERATOR,
        AffiliateServiceStub,
        "reason",
        lambda cluster: affiliates.RemoveAffiliateRequest(
            request_id=cluster.new_id(), licensee_id="acme", affiliate_id="lab", reason=NUL
        ),
    ),
    "CreateLicensee": (
        OPERATOR,
        ContractServiceStub,
        "licensee.display_name",
        lambda cluster: contracts.CreateLicenseeRequest(
            request_id=cluster.new_id(), licensee=Licensee(licensee_id="another", display_name=NUL)
        ),
    ),
    "ListInvoices": (
        LICENSEE,
        BillingServiceStub,
        "license_id",
        lambda _: billing.ListInvoicesRequest(license_id=NUL),
    ),
    "ListCreditNotes": (
        LICENSEE,
        BillingServiceStub,
        "invoice_id",
        lambda _: billing.ListCreditNotesRequest(invoice_id=NUL),
    ),
    "DraftInvoice": (
        FINANCE,
        BillingServiceStub,
        "license_id",
        lambda cluster: billing.DraftInvoiceRequest(
            request_id=cluster.new_id(), license_id=NUL, period="2026-01"
        ),
    ),
    "CreateApiKey": (
        OPERATOR,
        ApiKeyServiceStub,
        "label",
        lambda cluster: keys.CreateApiKeyRequest(
            request_id=cluster.new_id(), holder={"kind": 2, "party": "exports"}, label=NUL
        ),
    ),
}
PAGES: dict[str, tuple[type, Callable[[str], Any]]] = {
    "ListLicenses": (ContractServiceStub, lambda token: contracts.ListLicensesRequest(page_token=token)),
    "ListLicenseVersions": (
        ContractServiceStub,
        lambda token: contracts.ListLicenseVersionsRequest(license_id=ID, page_token=token),
    ),
    "ListAffiliates": (
        AffiliateServiceStub,
        lambda token: affiliates.ListAffiliatesRequest(licensee_id="acme", page_token=token),
    ),
    "ListInvoices": (BillingServiceStub, lambda token: billing.ListInvoicesRequest(page_token=token)),
    "ListApiKeys": (ApiKeyServiceStub, lambda token: keys.ListApiKeysRequest(page_token=token)),
}


async def refusal_of(peer: Peer, stub: type, rpc: str, request: Any) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await peer.call(getattr(stub(peer.channel), rpc), request)
    return refused.value


async def test_ids_reasons_labels_and_names_with_a_nul_are_refused_by_field(cluster: Cluster) -> None:
    for rpc, (who, stub, field, ask) in BY_RULE.items():
        refusal = await refusal_of(cluster.licensing.peer(*who), stub, rpc, ask(cluster))

        said = (refusal.reason, [violation.field for violation in refusal.violations])
        assert said == ("INVALID_REQUEST", [field]), rpc


@pytest.mark.parametrize("place", [b"a\0b", b"\0", b"a\nb", b"\xc2\x85", b"\xff"])
async def test_a_page_token_of_what_cannot_be_an_id_is_none_of_ours(cluster: Cluster, place: bytes) -> None:
    licensee, token = cluster.licensing.peer(*LICENSEE), base64.urlsafe_b64encode(place).decode()
    for rpc, (stub, ask) in PAGES.items():
        refusal = await refusal_of(licensee, stub, rpc, ask(token))

        assert (refusal.kind, refusal.reason) == (Kind.INVALID, "PAGE_TOKEN_INVALID"), rpc


async def test_a_stranger_whose_key_has_a_nul_hears_what_every_stranger_hears(cluster: Cluster) -> None:
    stranger = cluster.licensing.peer_showing(str)

    refusal = await refusal_of(stranger, TokenServiceStub, "GetToken", GetTokenRequest(api_key=NUL))

    assert (refusal.kind, refusal.reason) == (Kind.UNAUTHENTICATED, "API_KEY_INVALID")


@pytest.mark.parametrize("field", ["period_from", "cut_off"])
async def test_an_invoice_of_or_up_to_what_is_no_time_is_refused_by_field(
    cluster: Cluster, field: str
) -> None:
    request = billing.DraftInvoiceRequest(request_id=cluster.new_id(), license_id=ID, period="2026-01")
    getattr(request, field).nanos = -5

    refusal = await refusal_of(cluster.licensing.peer(*FINANCE), BillingServiceStub, "DraftInvoice", request)

    said = (refusal.reason, [violation.field for violation in refusal.violations])
    assert said == ("INVALID_REQUEST", [field])
