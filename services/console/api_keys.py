"""`sluice key`: API keys, with which licensees and pipelines get their tokens."""

import contextlib
import enum
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.refusals import Refusal, precondition
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import plain, value_name, word_of
from services.console.output import give_json, note, say, show, table
from sluice.licensing.v1 import key_service_pb2 as keys
from sluice.licensing.v1.api_key_pb2 import ApiKey, KeyHolder, KeyHolderKind
from sluice.licensing.v1.key_service_pb2_grpc import ApiKeyServiceStub
from sluice_gate.files import AppendFile, sync_folder

PAGE = 200
_KEY_ID = re.compile(r"[0-9a-f]{16}")
"""As the contract has it."""

app = typer.Typer(help="API keys of licensees and pipelines.", no_args_is_help=True)


class KeyKind(enum.StrEnum):
    """The kinds that have keys: all others show a token of their own issuer."""

    LICENSEE = "licensee"
    PIPELINE = "pipeline"


@app.callback()
def api_keys() -> None:
    """API keys of licensees and pipelines."""


@app.command("create")
def create(
    *,
    kind: Annotated[KeyKind, typer.Option(help="Whose it is.")],
    party: Annotated[str, typer.Option(help="Which one.", parser=options.name_id)],
    label: Annotated[str, typer.Option(help="What the key is for, in your own words.")],
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For trying out: what it asks is answered and never released.")
    ] = False,
    expires_at: Annotated[
        str, typer.Option(help="When it ends: a time like 2026-12-31T00:00:00Z, or a date.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="Write the key to this new file, for its owner alone, instead of stdout."),
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Create a key. It is shown this once, and kept nowhere."""
    holder = KeyHolder(kind=value_name(KeyHolderKind.DESCRIPTOR, kind.value), party=party, sandbox=sandbox)
    request = keys.CreateApiKeyRequest(
        holder=holder, label=label, expires_at=options.moment(expires_at, "--expires-at")
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    # Made before the key is: one that cannot be written down would take a place and be of no use.
    with private_file(out) as write:
        answer = connections.run(lambda connections: create_kept_key(connections, request, write))
    tell(answer, out, as_json=as_json)


@contextlib.contextmanager
def private_file(path: Path | None) -> Iterator[Callable[[str], object]]:
    """Gives what writes to a new file that is for its owner alone, to nowhere without one.

    What is written is durable when the writer returns; the writer, as this, raises OSError. The file goes
    again where the body fails.
    """
    if path is None:
        yield lambda _text: None
        return
    file = AppendFile.create(path)
    try:
        yield lambda text: _write(file, text)
    except BaseException:
        path.unlink()
        raise
    finally:
        file.close()


def _write(file: AppendFile, text: str) -> None:
    # Now, while something can be done about it: else a full disk is noticed when the file is closed.
    file.append(text.encode())
    file.sync()
    sync_folder(file.path.parent)


def tell(answer: keys.CreateApiKeyResponse, out: Path | None, *, as_json: bool) -> None:
    """Says what was created; the key itself only where it was not written to a file."""
    if as_json:
        shown = {} if out else {"secret": answer.secret}
        give_json(plain(answer.api_key) | shown)
        return
    if out is None:
        say(answer.secret)
    where = f"It is in {out}" if out else "Keep it safe"
    note(f"Key {answer.api_key.key_id} is created. {where}; it cannot be shown again.")


def key_id_of(text: str) -> str:
    """The public id of a key; raises typer.BadParameter, which does not quote what may be a key itself."""
    if not _KEY_ID.fullmatch(text):
        raise typer.BadParameter(
            "the id of a key is expected: its 16 digits, 0-9 and a-f, as `sluice key list` has them"
        )
    return text


@app.command("revoke")
def revoke(
    key_id: Annotated[
        str,
        typer.Argument(metavar="ID", help="Its public id: the 16 digits in the key.", parser=key_id_of),
    ],
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """End a key at once. Tokens that it got before last for some minutes more."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    key = connections.run(lambda connections: revoke_key(connections, key_id))
    if as_json:
        give_json(plain(key))
        return
    say(f"Key {key.key_id} of {key.holder.party} is revoked since {clock_face(key.revoked_at)}.")


@app.command("list")
def list_(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the keys, by id. The keys themselves are kept nowhere."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(all_keys)
    if as_json:
        give_json([plain(key) for key in found])
        return
    rows = [
        (
            key.key_id,
            word_of(KeyHolderKind.DESCRIPTOR, key.holder.kind),
            key.holder.party,
            "sandbox" if key.holder.sandbox else "",
            key.label,
            clock_face(key.created_at),
            ending(key),
        )
        for key in found
    ]
    show(table(("=key", "kind", "party", "", "label", "created at", "ends"), rows))


def ending(key: ApiKey) -> str:
    """When a key ended or will, in words."""
    if key.HasField("revoked_at"):
        return f"revoked {clock_face(key.revoked_at)}"
    return clock_face(key.expires_at) if key.HasField("expires_at") else "never"


async def create_key(
    connections: Connections, request: keys.CreateApiKeyRequest
) -> keys.CreateApiKeyResponse:
    """Creates it under a fresh request id. Raises Refusal, API_KEY_LOST where the answer with it was lost."""
    peer = connections.peer("licensing")
    request.request_id = connections.new_id()
    answer = await peer.call(ApiKeyServiceStub(peer.channel).CreateApiKey, request)
    if not answer.secret:
        # The first answer was lost on its way, and the call repeated: the key is there, and nobody has it.
        await revoke_key(connections, answer.api_key.key_id)
        raise precondition("API_KEY_LOST", "the key was lost on its way, and is revoked; create another")
    return answer


async def create_kept_key(
    connections: Connections, request: keys.CreateApiKeyRequest, write: Callable[[str], object]
) -> keys.CreateApiKeyResponse:
    """Creates it and has `write` write it down; revoked where that fails, for then nobody has it.

    Raises Refusal: what `create_key` raises, and API_KEY_NOT_WRITTEN.
    """
    answer = await create_key(connections, request)
    try:
        write(answer.secret + "\n")
    except OSError as error:
        why, key_id = error.strerror or str(error), answer.api_key.key_id
        message = f"the key could not be written down ({why})"
        try:
            await revoke_key(connections, key_id)
        except Refusal as refusal:
            message = f"{message}, and key {key_id} is still active ({refusal.message}): revoke it"
            raise precondition("API_KEY_NOT_WRITTEN", message) from error
        raise precondition("API_KEY_NOT_WRITTEN", f"{message}, and is revoked; create another") from error
    return answer


async def revoke_key(connections: Connections, key_id: str) -> ApiKey:
    """Ends it under a fresh request id; raises Refusal."""
    peer = connections.peer("licensing")
    request = keys.RevokeApiKeyRequest(request_id=connections.new_id(), key_id=key_id)
    return (await peer.call(ApiKeyServiceStub(peer.channel).RevokeApiKey, request)).api_key


async def all_keys(connections: Connections) -> list[ApiKey]:
    """Every key, by id. Raises Refusal."""
    peer = connections.peer("licensing")
    stub = ApiKeyServiceStub(peer.channel)
    found: list[ApiKey] = []
    token = ""
    while True:
        request = keys.ListApiKeysRequest(page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListApiKeys, request)
        found += page.api_keys
        token = page.next_page_token
        if not token:
            return found
