"""The webhook desk over gRPC: translates, calls, translates."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.replays import replay_key
from services.chassis.serving import Bolt
from services.licensing.domain.webhooks.signatures import secret_text
from services.licensing.domain.webhooks.webhooks import Queue, Webhook, Wish
from services.licensing.rpc.contracts import own_licensee, page_token, read_page_token, stored
from services.licensing.webhooks import WebhookDesk
from sluice.licensing.v1 import webhook_service_pb2 as pb
from sluice.licensing.v1 import webhook_service_pb2_grpc as pb_grpc

FULL_NAME = "sluice.licensing.v1.WebhookService"
DEFAULT_PAGE_SIZE = 100


class WebhookServicer(pb_grpc.WebhookServiceServicer):
    """`sluice.licensing.v1.WebhookService`."""

    def __init__(self, desk: WebhookDesk) -> None:
        self._desk = desk

    async def PutRecallWebhook(  # noqa: N802
        self, request: pb.PutRecallWebhookRequest, context: Any
    ) -> pb.PutRecallWebhookResponse:
        replay = replay_key("PutRecallWebhook", request)
        wish = Wish(request.licensee_id, request.url, request.enabled, replay.principal)
        # What is stored is the description alone: who repeats a request finds no secret.
        answer, secret = await self._desk.put(wish, replay, _described)
        webhook = pb.RecallWebhook.FromString(answer)
        return pb.PutRecallWebhookResponse(webhook=webhook, secret=secret_text(secret) if secret else "")

    async def RotateRecallWebhookSecret(  # noqa: N802
        self, request: pb.RotateRecallWebhookSecretRequest, context: Any
    ) -> pb.RotateRecallWebhookSecretResponse:
        replay = replay_key("RotateRecallWebhookSecret", request)
        answer, secret = await self._desk.rotate(request.licensee_id, replay, _described)
        webhook = pb.RecallWebhook.FromString(answer)
        return pb.RotateRecallWebhookSecretResponse(
            webhook=webhook, secret=secret_text(secret) if secret else ""
        )

    async def RemoveRecallWebhook(  # noqa: N802
        self, request: pb.RemoveRecallWebhookRequest, context: Any
    ) -> pb.RemoveRecallWebhookResponse:
        await self._desk.remove(request.licensee_id, replay_key("RemoveRecallWebhook", request))
        return pb.RemoveRecallWebhookResponse()

    async def ListRecallWebhooks(  # noqa: N802
        self, request: pb.ListRecallWebhooksRequest, context: Any
    ) -> pb.ListRecallWebhooksResponse:
        size, own = request.page_size or DEFAULT_PAGE_SIZE, own_licensee()
        after = read_page_token(request.page_token)
        if own and request.licensee_id not in {"", own}:
            # What is not theirs looks like what is not there.
            return pb.ListRecallWebhooksResponse()
        # One more than asked for tells whether there is a next page.
        found = await self._desk.page(own or request.licensee_id or None, after, size + 1)
        more = page_token(found[size - 1][0].licensee_id) if len(found) > size else ""
        page = [webhook_message(*each, told_who=own is None) for each in found[:size]]
        return pb.ListRecallWebhooksResponse(webhooks=page, next_page_token=more)


def bolt(desk: WebhookDesk) -> Bolt:
    """The service, ready to be served."""
    return Bolt(pb_grpc.add_WebhookServiceServicer_to_server, WebhookServicer(desk), FULL_NAME)


def webhook_message(webhook: Webhook, queue: Queue, *, told_who: bool = True) -> pb.RecallWebhook:
    """A webhook and how it goes, without its secrets; `told_who`: also who of the platform put it."""
    failure = webhook.last_failure
    return pb.RecallWebhook(
        licensee_id=webhook.licensee_id,
        url=webhook.url,
        enabled=webhook.enabled,
        put_by=webhook.put_by if told_who else "",
        put_at=_time(webhook.put_at_us),
        secret_made_at=_time(webhook.secret_made_at_us),
        old_secret_until=_time(webhook.old_until_us),
        last_delivered_at=_time(webhook.last_delivered_at_us),
        waiting=queue.waiting,
        next_try_at=_time(queue.next_try_us),
        last_fault=None if failure is None else f"WEBHOOK_FAULT_{failure.fault.name}",
        last_status=0 if failure is None else failure.status,
        last_failed_at=_time(webhook.last_failed_at_us),
        given_up=webhook.given_up,
        last_given_up_at=_time(webhook.last_given_up_at_us),
    )


def _described(webhook: Webhook, queue: Queue) -> bytes:
    return stored(webhook_message(webhook, queue))


def _time(time_us: int | None) -> Timestamp | None:
    if time_us is None:
        return None
    message = Timestamp()
    message.FromMicroseconds(time_us)
    return message
