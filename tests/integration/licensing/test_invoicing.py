"""From decisions of the three services to an invoice: what was released, confirmed, late or never (B2)."""

import pytest
from google.type.money_pb2 import Money

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import billing_service_pb2 as pb
from sluice.licensing.v1 import price_pb2
from sluice.licensing.v1.billing_service_pb2_grpc import BillingServiceStub
from tests.support.billing import instant
from tests.support.cluster import PERMIT_US, Cluster, a_post

PRICE = price_pb2.Price(
    currency="EUR",
    period=price_pb2.BILLING_PERIOD_MONTH,
    time_zone="Europe/Paris",
    charges=[price_pb2.Charge(name="Posts", per_unit=price_pb2.PerUnit(unit_price="0.5", per=1))],
)
POSTS = [a_post(101, 1), a_post(102, 2), a_post(103, 3)]


@pytest.fixture
async def billed(cluster: Cluster) -> Cluster:
    await cluster.license("priced", 100, price=PRICE)
    return cluster


async def test_b2_what_the_pipeline_confirmed_is_billed_and_the_rest_in_full(billed: Cluster) -> None:
    in_time = await billed.decide(POSTS, license_id="priced")
    late = await billed.decide(POSTS, license_id="priced")
    never = await billed.decide(POSTS, license_id="priced")
    await billed.confirm(in_time.decision_id, b"\x03")
    billed.clock.advance(2 * PERMIT_US)
    await billed.sweeper.sweep()
    await billed.confirm(late.decision_id, b"\x01")
    billed.clock.advance(instant("2025-11-02T00:00") - billed.clock.now_us())
    finance = billed.licensing.peer(PrincipalKind.OPERATOR, "fay", ["finance"])
    request = pb.DraftInvoiceRequest(request_id=billed.new_id(), license_id="priced", period="2025-10")

    invoice = (await finance.call(BillingServiceStub(finance.channel).DraftInvoice, request)).invoice

    assert never.outcome == in_time.outcome
    assert (invoice.posts, invoice.total) == (2 + 1 + 3, Money(currency_code="EUR", units=3))
