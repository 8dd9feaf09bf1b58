"""Recalls announced at webhooks: at least once each, whoever dies, and for three days."""

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.chassis.database import Database
from services.chassis.ids import uuid7
from services.chassis.refusals import Refusal, unavailable
from services.licensing.announcing import AT_ONCE, Announcer
from services.licensing.domain.webhooks.webhooks import (
    HOUR_US,
    LEASE_US,
    OVERLAP_US,
    SECOND_US,
    TRIED_FOR_US,
    Failure,
    Fault,
    Outcome,
    Wish,
)
from services.licensing.domain.webhooks.webhooks import put as new
from services.licensing.storage.announcements import AnnouncementStore
from services.licensing.storage.webhooks import WebhookStore
from services.licensing.webhook_peer import WebhookPeer
from sluice.licensing.v1 import webhook_service_pb2 as pb
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer
from tests.support.https import HttpsServer, an_https_server, is_signed_with
from tests.support.recalls import Shelf
from tests.support.webhooks import (
    LEGAL,
    Receivers,
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


async def test_recalls_issued_since_are_announced_once_each_and_to_their_licensee_alone(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers
) -> None:
    shelf.recall("acme")
    await put(service)
    recall_id = shelf.recall("acme")
    shelf.recall("beta")
    shelf.recall("acme")

    while await announcer.announce():
        pass

    assert receivers.numbers == [2, 3]
    host, headers, body = receivers.sent[0]
    assert (host, headers["webhook-id"], body["data"]["recall_id"]) == (
        "hooks.example.com",
        recall_id,
        recall_id,
    )
    (webhook,) = await listed(service)
    assert (webhook.waiting, webhook.HasField("next_try_at")) == (0, False)
    assert webhook.last_delivered_at.ToMicroseconds() == NOON_US


async def test_what_failed_is_tried_again_later_and_says_why(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    shelf.recall("acme")
    receivers.answers = [Failure(Fault.STATUS, 503), Failure(Fault.TIMED_OUT)]

    assert await announcer.announce()
    (after_one,) = await listed(service)
    early = await announcer.announce()
    clock.advance(5 * SECOND_US)
    assert await announcer.announce()
    clock.advance(10 * SECOND_US)
    assert await announcer.announce()
    (at_last,) = await listed(service)

    assert (after_one.waiting, after_one.last_fault, after_one.last_status) == (
        1,
        pb.WEBHOOK_FAULT_STATUS,
        503,
    )
    assert after_one.next_try_at.ToMicroseconds() == NOON_US + 5 * SECOND_US
    assert not early
    assert receivers.numbers == [1, 1, 1]
    assert len({headers["webhook-id"] for _, headers, _ in receivers.sent}) == 1
    assert at_last.waiting == 0
    assert at_last.last_fault == pb.WEBHOOK_FAULT_TIMED_OUT
    assert at_last.last_delivered_at.ToMicroseconds() == NOON_US + 15 * SECOND_US


async def test_after_three_days_an_announcement_is_given_up_and_counted(
    service: LocalServer, shelf: Shelf, database: Database, receivers: Receivers, clock: ManualClock
) -> None:
    outcomes: list[Outcome] = []
    announcer = an_announcer(database, clock, receivers, outcomes)
    await put(service)
    shelf.recall("acme")
    receivers.answers = [Failure(Fault.UNREACHABLE)] * 2

    await announcer.announce()
    clock.advance(TRIED_FOR_US)
    await announcer.announce()

    (webhook,) = await listed(service)
    assert (webhook.given_up, webhook.waiting) == (1, 0)
    assert webhook.last_given_up_at.ToMicroseconds() == NOON_US + TRIED_FOR_US
    assert [outcome.word for outcome in outcomes] == ["failed", "given_up"]
    assert not await announcer.announce()


async def test_a_process_that_dies_while_it_sends_leaves_it_to_another_after_the_lease(
    service: LocalServer, shelf: Shelf, database: Database, clock: ManualClock, receivers: Receivers
) -> None:
    class Death(BaseException):
        pass

    class Dying:
        async def post(self, *_: Any) -> Failure | None:
            raise Death

    await put(service)
    shelf.recall("acme")
    with pytest.raises(Death):
        await an_announcer(database, clock, Dying()).announce()
    other = an_announcer(database, clock, receivers)

    assert not await other.announce()
    clock.advance(LEASE_US)
    assert await other.announce()
    assert receivers.numbers == [1]


async def test_what_arrived_and_could_not_be_written_down_is_sent_again_with_the_same_id(
    service: LocalServer, shelf: Shelf, announcer: Announcer, clock: ManualClock, receivers: Receivers
) -> None:
    async def lost(*_: Any) -> None:
        raise unavailable("DATABASE_UNAVAILABLE", "the database is out of reach")

    await put(service)
    shelf.recall("acme")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Refusal, match="DATABASE_UNAVAILABLE"):
        patch.setattr(AnnouncementStore, "conclude", lost)
        await announcer.announce()

    clock.advance(LEASE_US)
    assert await announcer.announce()
    assert not await announcer.announce()

    assert receivers.numbers == [1, 1]
    assert len({headers["webhook-id"] for _, headers, _ in receivers.sent}) == 1


async def test_of_two_replicas_one_sends_what_is_due(
    service: LocalServer, shelf: Shelf, database: Database, clock: ManualClock
) -> None:
    store = AnnouncementStore(database)
    await put(service)
    shelf.recall("acme")

    first = await store.lease(clock.now_us(), AT_ONCE)
    second = await store.lease(clock.now_us(), AT_ONCE)

    assert (len(first), len(second)) == (1, 0)


async def test_who_lost_the_lease_changes_no_later_try(
    service: LocalServer, shelf: Shelf, database: Database, clock: ManualClock
) -> None:
    store = AnnouncementStore(database)
    await put(service)
    shelf.recall("acme")
    (slow,) = await store.lease(clock.now_us(), AT_ONCE)
    clock.advance(LEASE_US)
    (fresh,) = await store.lease(clock.now_us(), AT_ONCE)

    late = Outcome(slow, clock.now_us() + TRIED_FOR_US, Failure(Fault.TIMED_OUT), clock.now_us())
    await store.conclude([late])

    (webhook,) = await listed(service)
    assert (webhook.waiting, webhook.given_up) == (1, 0)
    assert webhook.next_try_at.ToMicroseconds() == fresh.webhook.next_try_us


async def test_one_licensee_that_does_not_answer_holds_up_no_other(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers
) -> None:
    await put(service, "acme", "https://acme.example.com/")
    await put(service, "beta", "https://beta.example.com/")
    for _ in range(AT_ONCE + 2):
        shelf.recall("acme")
    shelf.recall("beta")

    await announcer.announce()

    assert sorted(host for host, _, _ in receivers.sent) == ["acme.example.com", "beta.example.com"]


async def test_what_is_switched_off_is_sent_nothing_and_begins_anew_when_it_is_switched_on(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    shelf.recall("acme")
    receivers.answers = [Failure(Fault.TIMED_OUT)]
    await announcer.announce()
    off = await put(service, enabled=False)
    shelf.recall("acme")
    clock.advance(60 * SECOND_US)
    silent = await announcer.announce()
    await put(service)
    shelf.recall("acme")

    assert await announcer.announce()

    assert (off.webhook.waiting, silent) == (0, False)
    assert receivers.numbers == [1, 3]


async def test_what_waits_goes_to_a_new_address(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    shelf.recall("acme")
    receivers.answers = [Failure(Fault.TIMED_OUT)]
    await announcer.announce()
    await put(service, url="https://new.example.com/")
    clock.advance(60 * SECOND_US)

    await announcer.announce()

    assert [host for host, _, _ in receivers.sent] == ["hooks.example.com", "new.example.com"]


async def test_while_a_webhook_takes_nothing_the_oldest_alone_is_tried_and_once_it_does_all_arrive(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    for _ in range(5):
        shelf.recall("acme")
    receivers.answers = [Failure(Fault.TIMED_OUT)] * 3

    for _ in range(60):
        await announcer.announce()
        clock.advance(SECOND_US)

    assert receivers.numbers == [1, 1, 1, 1, 2, 3, 4, 5]


async def test_webhooks_that_hang_do_not_keep_others_waiting_however_much_waits_for_them(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    dead = [f"dead-{number}" for number in range(AT_ONCE)]
    shelf.licensees(*dead)
    for licensee in dead:
        await put(service, licensee, f"https://{licensee}.example.com/")
        for _ in range(20):
            shelf.recall(licensee)
    receivers.answers = [Failure(Fault.TIMED_OUT)] * AT_ONCE
    await announcer.announce()
    await put(service)
    shelf.recall("acme")

    await announcer.announce()

    assert [host for host, _, _ in receivers.sent[AT_ONCE:]] == ["hooks.example.com"]


async def test_all_that_waited_for_three_days_is_given_up_with_the_oldest(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    for _ in range(3):
        shelf.recall("acme")
    receivers.answers = [Failure(Fault.TIMED_OUT)] * 3
    await announcer.announce()
    clock.advance(TRIED_FOR_US - 1)
    shelf.recall("acme")
    await announcer.announce()
    (before,) = await listed(service)
    clock.advance(HOUR_US)
    await announcer.announce()
    (after,) = await listed(service)

    assert (before.waiting, before.given_up) == (4, 0)
    assert (after.waiting, after.given_up) == (1, 3)
    assert receivers.numbers == [1, 1, 1]


async def test_a_rotated_secret_signs_beside_the_old_one_until_the_overlap_is_over(
    service: LocalServer, shelf: Shelf, announcer: Announcer, receivers: Receivers, clock: ManualClock
) -> None:
    await put(service)
    request = pb.RotateRecallWebhookSecretRequest(request_id=uuid7(NOON_US), licensee_id="acme")
    rotated = await call(service, LEGAL, "RotateRecallWebhookSecret", request)
    again = await call(service, LEGAL, "RotateRecallWebhookSecret", request)
    shelf.recall("acme")
    await announcer.announce()
    clock.advance(OVERLAP_US)
    shelf.recall("acme")
    await announcer.announce()

    new = base64.b64decode(rotated.secret.removeprefix("whsec_"))
    (_, during, _), (_, after, _) = receivers.sent
    assert len(new) == 32
    assert again.secret == ""
    assert rotated.webhook.old_secret_until.ToMicroseconds() == NOON_US + OVERLAP_US
    assert len(during["webhook-signature"].split(" ")) == 2
    assert len(after["webhook-signature"].split(" ")) == 1


@pytest_asyncio.fixture
async def https(tmp_path: Path) -> AsyncIterator[tuple[HttpsServer, ssl.SSLContext]]:
    async with an_https_server(tmp_path, "localhost") as both:
        yield both


async def test_a_real_server_gets_what_it_can_check_and_again_after_it_failed(
    database: Database, shelf: Shelf, clock: ManualClock, https: tuple[HttpsServer, ssl.SSLContext]
) -> None:
    server, trust = https
    secret, url = b"s" * 32, f"https://localhost:{server.port}/recalls"
    wish = Wish("acme", url, enabled=True, by="operator:ada")
    await WebhookStore(database).write(lambda rows: rows.put_webhook(new(None, wish, 0, secret, NOON_US)))
    recall_id = shelf.recall("acme")
    server.answer = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"
    announcer = an_announcer(database, clock, WebhookPeer(allow_private=True, context=trust))

    await announcer.announce()
    server.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    clock.advance(5 * SECOND_US)
    await announcer.announce()

    first, second = server.received
    for received in (first, second):
        assert is_signed_with(received.headers, received.body, secret)
        assert received.headers["webhook-id"] == recall_id
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
