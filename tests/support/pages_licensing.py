"""What the pages about licenses, revenue, halts and the wall show: put on record over the real services."""

from datetime import UTC, datetime

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import billing_service_pb2, contract_service_pb2, license_pb2, price_pb2
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from sluice.licensing.v1.reason_pb2 import Verdict
from tests.support.cluster import PERMIT_US, Cluster, a_post, some_terms

POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]
SCRIPT = "<script>alert(1)</script>"


def a_price(currency: str = "EUR", unit_price: str = "0.5") -> price_pb2.Price:
    """So much a post, by the month."""
    charge = price_pb2.Charge(name="Posts", per_unit=price_pb2.PerUnit(unit_price=unit_price, per=1))
    return price_pb2.Price(
        currency=currency, period=price_pb2.BILLING_PERIOD_MONTH, time_zone="Europe/Paris", charges=[charge]
    )


async def a_licensee(cluster: Cluster, licensee_id: str, name: str) -> None:
    """Somebody who may be given licenses."""
    licensee = license_pb2.Licensee(licensee_id=licensee_id, display_name=name)
    request = contract_service_pb2.CreateLicenseeRequest(request_id=cluster.new_id(), licensee=licensee)
    await cluster.contracts("CreateLicensee", request)


async def a_draft(cluster: Cluster, license_id: str, licensee_id: str) -> None:
    """A license that is not in force."""
    request = contract_service_pb2.CreateLicenseRequest(
        request_id=cluster.new_id(), license_id=license_id, terms=some_terms(licensee_id=licensee_id)
    )
    await cluster.contracts("CreateLicense", request)


async def open_to_all(cluster: Cluster) -> None:
    """Subjects 1 to 3, whose posts go out unless somebody says no."""
    await cluster.publish_policy()
    await cluster.know(1, 2, 3)


async def released(cluster: Cluster, license_id: str = "acme-training") -> int:
    """How many of three posts are released now."""
    decision = await cluster.decide(POSTS, license_id=license_id)
    return decision.verdicts.count(Verdict.VERDICT_RELEASED)


async def invoiced(cluster: Cluster, *license_ids: str) -> None:
    """Three posts are released under each, and its invoice of October is final; it is November then."""
    for license_id in license_ids:
        await released(cluster, license_id)
    cluster.clock.advance(2 * PERMIT_US)
    await cluster.sweeper.sweep()
    november_us = int(datetime(2025, 11, 2, tzinfo=UTC).timestamp()) * 1_000_000
    cluster.clock.advance(november_us - cluster.clock.now_us())
    for license_id in license_ids:
        await _finalize(cluster, license_id)


async def _finalize(cluster: Cluster, license_id: str) -> None:
    fay = cluster.licensing.peer(PrincipalKind.OPERATOR, "fay", ["finance"])
    stub = BillingServiceStub(fay.channel)
    draft = billing_service_pb2.DraftInvoiceRequest(
        request_id=cluster.new_id(), license_id=license_id, period="2025-10"
    )
    invoice = (await fay.call(stub.DraftInvoice, draft)).invoice
    final = billing_service_pb2.FinalizeInvoiceRequest(
        request_id=cluster.new_id(), invoice_id=invoice.invoice_id, digest=invoice.digest
    )
    await fay.call(stub.FinalizeInvoice, final)
