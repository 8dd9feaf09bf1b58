"""Webhooks as operators put them, and everybody else's servers that they lead to."""

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from services.chassis.clock import Clock
from services.chassis.database import Database
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.chassis.public_addresses import Target
from services.licensing.announcing import Announcer
from services.licensing.domain.webhooks.webhooks import (
    Failure,
    Outcome,
)
from services.licensing.rpc.admissions import ADMISSIONS
from services.licensing.rpc.webhooks import bolt
from services.licensing.storage.announcements import AnnouncementStore
from services.licensing.storage.webhooks import WebhookStore
from services.licensing.webhooks import WebhookDesk
from sluice.licensing.v1 import webhook_service_pb2 as pb
from sluice.licensing.v1.webhook_service_pb2_grpc import WebhookServiceStub
from tests.support.clock import NOON_US, ManualClock
from tests.support.grpc import LocalServer, serving

LEGAL = (PrincipalKind.OPERATOR, "ada", ("legal",))
ACME = (PrincipalKind.LICENSEE, "acme")
URL = "https://hooks.example.com/in"


@dataclass
class Receivers:
    """Everybody else's servers, as a test says: what they were sent, and what they answer, in order."""

    answers: list[Failure | None] = field(default_factory=list)
    sent: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    async def post(self, target: Target, headers: Sequence[tuple[str, str]], body: bytes) -> Failure | None:
        self.sent.append((target.host, dict(headers), json.loads(body)))
        return self.answers.pop(0) if self.answers else None

    @property
    def numbers(self) -> list[int]:
        return [body["data"]["number"] for _, _, body in self.sent]


def an_announcer(
    database: Database, clock: ManualClock, post: Any, outcomes: list[Outcome] | None = None
) -> Announcer:
    seen = [] if outcomes is None else outcomes
    return Announcer(
        AnnouncementStore(database), post, clock, lambda: 0.0, allow_private=True, count=seen.append
    )


@contextlib.asynccontextmanager
async def serving_webhooks(database: Database, clock: Clock, folder: Path) -> AsyncIterator[LocalServer]:
    """The service of webhooks; the first secret is bytes of 1, the second of 2."""
    numbers = count(1)
    store = WebhookStore(database)
    desk = WebhookDesk(store, clock, lambda: bytes([next(numbers)]) * 32, allow_private=False)
    async with serving(folder, bolt(desk), admissions=ADMISSIONS, clock=clock) as server:
        yield server


async def call(service: LocalServer, who: tuple[Any, ...], rpc: str, request: Any) -> Any:
    peer = service.peer(*who)
    return await peer.call(getattr(WebhookServiceStub(peer.channel), rpc), request)


def a_put(licensee_id: str = "acme", url: str = URL, *, enabled: bool = True) -> pb.PutRecallWebhookRequest:
    return pb.PutRecallWebhookRequest(
        request_id=uuid7(NOON_US), licensee_id=licensee_id, url=url, enabled=enabled
    )


async def put(service: LocalServer, *args: Any, **fields: Any) -> pb.PutRecallWebhookResponse:
    answer: pb.PutRecallWebhookResponse = await call(
        service, LEGAL, "PutRecallWebhook", a_put(*args, **fields)
    )
    return answer


async def listed(
    service: LocalServer, who: tuple[Any, ...] = LEGAL, **fields: Any
) -> Sequence[pb.RecallWebhook]:
    answer = await call(service, who, "ListRecallWebhooks", pb.ListRecallWebhooksRequest(**fields))
    webhooks: Sequence[pb.RecallWebhook] = answer.webhooks
    return webhooks
