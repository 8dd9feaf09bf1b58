"""The pages about licensees: who they are, their licenses, who is counted with them, and their keys."""

import pytest

from services.chassis.identity import PrincipalKind
from sluice.licensing.v1 import affiliate_service_pb2 as affiliates
from sluice.licensing.v1 import api_key_pb2, key_service_pb2
from sluice.licensing.v1.affiliate_service_pb2_grpc import AffiliateServiceStub
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from tests.support.consoles import a_console
from tests.support.pages_licensing import a_draft, a_licensee
from tests.support.pages_world import PagesWorld


@pytest.fixture
async def known(world: PagesWorld) -> PagesWorld:
    """Acme with a license, an affiliate and a key, and Beta with a draft."""
    cluster = world.cluster
    await cluster.license()
    await a_licensee(cluster, "beta", "Beta")
    await a_draft(cluster, "beta-draft", "beta")
    return world


async def a_key(world: PagesWorld, party: str, label: str) -> key_service_pb2.CreateApiKeyResponse:
    """A key of a licensee."""
    lea = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "lea", ["legal"])
    request = key_service_pb2.CreateApiKeyRequest(
        request_id=world.cluster.new_id(),
        holder=api_key_pb2.KeyHolder(kind="KEY_HOLDER_KIND_LICENSEE", party=party),
        label=label,
    )
    return await lea.call(ApiKeyServiceStub(lea.channel).CreateApiKey, request)


async def revoke(world: PagesWorld, key_id: str) -> None:
    """Ends a key."""
    lea = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "lea", ["legal"])
    request = key_service_pb2.RevokeApiKeyRequest(request_id=world.cluster.new_id(), key_id=key_id)
    await lea.call(ApiKeyServiceStub(lea.channel).RevokeApiKey, request)


async def add_affiliate(world: PagesWorld, licensee_id: str, affiliate_id: str, name: str) -> None:
    """Somebody who is counted with a licensee."""
    lea = world.cluster.licensing.peer(PrincipalKind.OPERATOR, "lea", ["legal"])
    request = affiliates.AddAffiliateRequest(
        request_id=world.cluster.new_id(),
        licensee_id=licensee_id,
        affiliate_id=affiliate_id,
        display_name=name,
    )
    await lea.call(AffiliateServiceStub(lea.channel).AddAffiliate, request)


async def test_licensees_are_listed_and_lead_to_a_page_each(known: PagesWorld) -> None:
    async with known.operator() as (visitor, _):
        listed = await visitor.get("/licensees")
        acme = await visitor.get("/licensees/acme")

    assert '<a href="/licensees/acme">' in listed.html
    assert "Beta" in listed.text
    assert "acme-training" in acme.text
    assert "beta-draft" not in acme.text


async def test_keys_are_told_by_their_ids_and_states_and_never_shown(known: PagesWorld) -> None:
    live, old = await a_key(known, "acme", "nightly"), await a_key(known, "acme", "old")
    others = await a_key(known, "beta", "others")
    await revoke(known, old.api_key.key_id)

    async with known.operator() as (visitor, _):
        page = await visitor.get("/licensees/acme")

    keys = page.text.partition("API keys")[2]
    assert f"{live.api_key.key_id} Active nightly" in keys
    assert f"{old.api_key.key_id} Revoked" in keys
    assert others.api_key.key_id not in keys
    assert live.secret not in page.html


async def test_m6_who_is_counted_with_a_licensee_is_shown(known: PagesWorld) -> None:
    await add_affiliate(known, "acme", "acme-labs", "Acme Labs")

    async with known.operator() as (visitor, _):
        page = await visitor.get("/licensees/acme")

    assert "acme-labs Acme Labs Counted together with the licensee" in page.text


@pytest.mark.parametrize("id", ["nobody", "NOT-AN-ID", "%3Cscript%3E", "x" * 64])
async def test_a_licensee_that_is_not_there_is_a_page_that_is_not_there(known: PagesWorld, id: str) -> None:
    async with known.operator() as (visitor, _):
        page = await visitor.get(f"/licensees/{id}")

    assert page.status == 404
    assert "There is no such page" in page.text


async def test_while_metering_is_down_the_other_parts_stand(known: PagesWorld) -> None:
    async with a_console(known, without=["metering"]) as (visitor, _):
        page = await visitor.get("/licensees/acme")

    assert page.status == 200
    assert "acme-training" in page.text


async def test_a_page_token_that_no_page_gave_is_refused(known: PagesWorld) -> None:
    async with known.operator() as (visitor, _):
        page = await visitor.get("/licensees?page=nonsense")

    assert page.status == 400
