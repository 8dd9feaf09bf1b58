"""Webhooks: put, rotated, removed and listed over gRPC; recalls announced at them, at least once each."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal
from services.licensing.announcing import Announcer
from services.licensing.domain.webhooks.webhooks import (
    Failure,
    Fault,
)
from sluice.licensing.v1 import webhook_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.recalls import Shelf
from tests.support.webhooks import (
    ACME,
    LEGAL,
    Receivers,
    a_put,
    an_announcer,
    call,
    listed,
    put,
    serving_webhooks,
)


@pytest_asyncio.fixture
async def service(database: Database, clock: ManualClock, tmp_path: Path) -> AsyncIterator[LocalServer]:
    async with serving_webhooks(database, clock, tmp_path) as server:
        yield server


@pytest.fixture
def receivers() -> Receivers:
    return Receivers()


@pytest.fixture
def announcer(database: Database, clock: ManualClock, receivers: Receivers) -> Announcer:
    return an_announcer(database, clock, receivers)


async def test_a_secret_is_shown_once_and_is_in_no_stored_answer(service: LocalServer, shelf: Shelf) -> None:
    request = a_put()

    first = await call(service, LEGAL, "PutRecallWebhook", request)
    again = await call(service, LEGAL, "PutRecallWebhook", request)
    changed = await put(service, url="https://other.example.com/")

    assert first.secret == "whsec_" + base64.b64encode(bytes([1]) * 32).decode()
    assert (again.secret, again.webhook) == ("", first.webhook)
    assert (changed.secret, changed.webhook.url) == ("", "https://other.example.com/")
    assert changed.webhook.secret_made_at == first.webhook.secret_made_at
    assert first.webhook.put_by == "operator:ada"


async def test_a_licensee_sees_their_own_webhook_and_not_who_put_it(
    service: LocalServer, shelf: Shelf
) -> None:
    await put(service, "acme")
    await put(service, "beta")

    (own,) = await listed(service, ACME)

    assert (own.licensee_id, own.put_by) == ("acme", "")
    assert await listed(service, ACME, licensee_id="beta") == []
    assert [each.licensee_id for each in await listed(service)] == ["acme", "beta"]
    first = await call(service, LEGAL, "ListRecallWebhooks", pb.ListRecallWebhooksRequest(page_size=1))
    rest = await listed(service, page_size=1, page_token=first.next_page_token)
    assert [each.licensee_id for each in (*first.webhooks, *rest)] == ["acme", "beta"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (a_put("nobody"), "LICENSEE_UNKNOWN"),
        (a_put(url="https://localhost/"), "WEBHOOK_URL_REFUSED"),
        (a_put(url="https://10.0.0.1/"), "WEBHOOK_URL_REFUSED"),
        (a_put(url="http://example.com/"), "WEBHOOK_URL_REFUSED"),
        (a_put(url="https://example.com/\n"), "INVALID_REQUEST"),
        (
            pb.RotateRecallWebhookSecretRequest(request_id=uuid7(NOON_US), licensee_id="acme"),
            "WEBHOOK_UNKNOWN",
        ),
        (pb.RemoveRecallWebhookRequest(request_id=uuid7(NOON_US), licensee_id="acme"), "WEBHOOK_UNKNOWN"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_its_reason(
    service: LocalServer, shelf: Shelf, request_: Any, reason: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await call(service, LEGAL, type(request_).__name__.removesuffix("Request"), request_)

    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "who", [ACME, (PrincipalKind.AUDITOR, "eve"), (PrincipalKind.OPERATOR, "fin", ("finance",))]
)
async def test_nobody_but_legal_trust_and_admin_changes_a_webhook(
    service: LocalServer, shelf: Shelf, who: tuple[Any, ...]
) -> None:
    with pytest.raises(Refusal, match="NOT_ADMITTED"):
        await call(service, who, "PutRecallWebhook", a_put())


async def test_a_webhook_that_is_removed_is_gone_with_what_waits(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers
) -> None:
    await put(service)
    shelf.recall("acme")
    receivers.answers = [Failure(Fault.TIMED_OUT)]
    await announcer.announce()
    request = pb.RemoveRecallWebhookRequest(request_id=uuid7(NOON_US), licensee_id="acme")

    await call(service, LEGAL, "RemoveRecallWebhook", request)
    await call(service, LEGAL, "RemoveRecallWebhook", request)

    assert await listed(service) == []
    assert not await announcer.announce()
