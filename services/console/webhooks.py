"""`sluice webhook`: where the recalls of licensees are announced."""

from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import precondition
from services.console import options, recall_calls
from services.console.api_keys import private_file
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete, plain, word_of
from services.console.output import give_json, note, say, show, table
from sluice.licensing.v1 import webhook_service_pb2 as pb
from sluice.licensing.v1.webhook_service_pb2_grpc import WebhookServiceStub

PAGE = 500
NEVER = "-"

app = typer.Typer(help="Webhooks: where recalls are announced.", no_args_is_help=True)

LicenseeId = Annotated[str, typer.Argument(metavar="LICENSEE", help="Whose.", parser=options.name_id)]
Out = Annotated[
    Path | None,
    typer.Option(help="Write the secret to this new file, for its owner alone, instead of stdout."),
]


@app.callback()
def webhooks() -> None:
    """Webhooks: where the recalls of licensees are announced."""


@app.command("put")
def put(
    licensee: LicenseeId,
    url: Annotated[str, typer.Argument(metavar="URL", help="https:// and the name of a host.")],
    *,
    off: Annotated[bool, typer.Option("--off", help="Send nothing there, for the time being.")] = False,
    out: Out = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Make or change the webhook of a licensee. The secret of a new one is shown this once."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    request = pb.PutRecallWebhookRequest(licensee_id=licensee, url=url, enabled=not off)
    # Made before the webhook is: a secret that cannot be written down would be of no use.
    with private_file(out) as write:
        answer = connections.run(lambda connections: put_webhook(connections, request))
        if answer.secret:
            write(answer.secret + "\n")
    if out is not None and not answer.secret:
        # It has a secret from before, which nobody is shown again.
        out.unlink()
    tell(answer.webhook, answer.secret, out, as_json=as_json)


@app.command("rotate")
def rotate(
    licensee: LicenseeId,
    *,
    out: Out = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a new secret. The one before signs as well, for 24 hours.

    Rotate again where the answer was lost: within these hours that replaces the new secret alone, and the one
    that the licensee has signs on until its 24 hours are over.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    with private_file(out) as write:
        answer = connections.run(lambda connections: rotate_secret(connections, licensee))
        write(answer.secret + "\n")
    tell(answer.webhook, answer.secret, out, as_json=as_json)


@app.command("remove")
def remove(
    licensee: LicenseeId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove the webhook of a licensee, and forget what waits to be announced there."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    connections.run(lambda connections: remove_webhook(connections, licensee))
    give_json({"licensee_id": licensee}) if as_json else say(f"{licensee} has no webhook any more.")


@app.command("list")
def list_(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """List webhooks, and how the announcements go."""
    connections = recall_calls.connect(state, address, token_file, api_key_file, insecure=insecure)
    found = connections.run(all_webhooks)
    if as_json:
        give_json([complete(webhook) for webhook in found])
        return
    columns = (
        *("licensee", "url", "sending", "old secret until", "last arrived"),
        *(">waiting", "next try", "last fault", ">given up"),
    )
    show(table(columns, [_line(webhook) for webhook in found]))


def tell(webhook: pb.RecallWebhook, secret: str, out: Path | None, *, as_json: bool) -> None:
    """Says how a webhook stands; its secret only where that was not written to a file."""
    if as_json:
        give_json(plain(webhook) | ({"secret": secret} if secret and out is None else {}))
        return
    if secret and out is None:
        say(secret)
    if secret:
        where = f"is in {out}" if out else "is above; keep it safe"
        note(f"The secret of the webhook of {webhook.licensee_id} {where}. It cannot be shown again.")
    what = "are announced" if webhook.enabled else "are not announced"
    note(f"Recalls of {webhook.licensee_id} {what} at {webhook.url}.")


async def put_webhook(
    connections: Connections, request: pb.PutRecallWebhookRequest
) -> pb.PutRecallWebhookResponse:
    """Puts it under a fresh request id. Raises Refusal, SECRET_LOST where the answer with it was lost."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    answer = await peer.call(WebhookServiceStub(peer.channel).PutRecallWebhook, request)
    if not answer.secret and answer.webhook.put_at == answer.webhook.secret_made_at:
        # The first answer was lost on its way, and the call repeated.
        raise precondition("SECRET_LOST", "it is there, but its secret was lost on its way: rotate it")
    return answer


async def rotate_secret(connections: Connections, licensee: str) -> pb.RotateRecallWebhookSecretResponse:
    """Rotates under a fresh request id. Raises Refusal, SECRET_LOST where the answer with it was lost."""
    peer = connections.peer("licensing")
    request = pb.RotateRecallWebhookSecretRequest(request_id=connections.new_id(), licensee_id=licensee)
    answer = await peer.call(WebhookServiceStub(peer.channel).RotateRecallWebhookSecret, request)
    if not answer.secret:
        raise precondition("SECRET_LOST", "the new secret was lost on its way; rotate once more")
    return answer


async def remove_webhook(connections: Connections, licensee: str) -> None:
    """Removes it under a fresh request id; raises Refusal."""
    peer = connections.peer("licensing")
    request = pb.RemoveRecallWebhookRequest(request_id=connections.new_id(), licensee_id=licensee)
    await peer.call(WebhookServiceStub(peer.channel).RemoveRecallWebhook, request)


async def all_webhooks(connections: Connections) -> list[pb.RecallWebhook]:
    """Every webhook that the caller may see, by licensee; raises Refusal."""
    peer = connections.peer("licensing")
    stub, found = WebhookServiceStub(peer.channel), list[pb.RecallWebhook]()
    request = pb.ListRecallWebhooksRequest(page_size=PAGE)
    while True:
        page = await peer.call(stub.ListRecallWebhooks, request)
        found += page.webhooks
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


def _line(webhook: pb.RecallWebhook) -> tuple[object, ...]:
    def face(name: str) -> str:
        return clock_face(getattr(webhook, name))[:16] if webhook.HasField(name) else NEVER

    fault = word_of(pb.WebhookFault.DESCRIPTOR, webhook.last_fault) if webhook.last_fault else NEVER
    status = f" {webhook.last_status}" if webhook.last_status else ""
    return (
        webhook.licensee_id,
        webhook.url,
        "on" if webhook.enabled else "off",
        face("old_secret_until"),
        face("last_delivered_at"),
        webhook.waiting,
        face("next_try_at"),
        f"{fault}{status}",
        webhook.given_up,
    )
