"""`sluice recall`: what licensees are told to delete, and what they answer (W2, W3)."""

import enum
import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from services.console import options, recall_calls
from services.console.moments import clock_face
from services.console.names import complete, number_of, word_of
from services.console.output import counted, give_json, say, shout, show, table
from sluice.licensing.v1.recall_pb2 import Attestation, Recall, RecallResolution, RecallState

NEVER = "-"

app = typer.Typer(help="Recalls: what licensees are told to delete.", no_args_is_help=True)


class Outcome(enum.StrEnum):
    """How a recall can end."""

    DELETED = "deleted"
    CANNOT_UNTRAIN = "cannot_untrain"
    REFUSED = "refused"


def a_recall_id(text: str) -> str:
    """The id of a recall; raises typer.BadParameter."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise typer.BadParameter(
            f"the id of a recall is expected, as `sluice recall list` has them, not {text[:70]!r}"
        ) from None


RecallId = Annotated[str, typer.Argument(metavar="ID", help="The recall.", parser=a_recall_id)]
OfLicensee = Annotated[
    str | None,
    typer.Option("--licensee", metavar="ID", help="Of this licensee alone.", parser=options.name_id),
]
AsLicensee = Annotated[
    str | None,
    typer.Option(
        "--licensee",
        metavar="ID",
        help="Who says so, where no API key or token does.",
        parser=options.name_id,
    ),
]


@app.callback()
def recalls() -> None:
    """Recalls: what licensees are told to delete, by when, and what they answer."""


@app.command("list")
def list_(
    *,
    licensee: OfLicensee = None,
    state_is: Annotated[
        list[str],
        typer.Option(
            "--is",
            metavar="STATE",
            help="Only those that are issued, acknowledged, overdue, deleted, cannot_untrain or refused.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """List recalls, newest first."""
    states = [state_number(word) for word in state_is]
    connections = recall_calls.connect(state, address, token_file, api_key_file, insecure=insecure)
    found = connections.run(lambda connections: recall_calls.all_recalls(connections, licensee, states))
    if as_json:
        give_json([complete(recall) for recall in found])
        return
    if not found:
        say("There are no such recalls.")
        return
    columns = (">number", "=recall", "licensee", "state", ">withdrawals", ">posts", "issued", "due")
    show(table(columns, [line_of(recall) for recall in found]))


@app.command("show")
def show_one(
    recall_id: RecallId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """Show one recall: how far it has come, and how it ended. What to delete is in `recall entries`."""
    connections = recall_calls.connect(state, address, token_file, api_key_file, insecure=insecure)
    recall = connections.run(lambda connections: recall_calls.get_recall(connections, recall_id))
    tell(recall, as_json=as_json)


@app.command("ack")
def acknowledge(
    recall_id: RecallId,
    *,
    licensee: AsLicensee = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """Say, as a licensee, that you have a recall. The first time stands."""
    connections = recall_calls.connect(
        state, address, token_file, api_key_file, insecure=insecure, licensee=licensee
    )
    recall = connections.run(lambda connections: recall_calls.acknowledge(connections, recall_id))
    if as_json:
        give_json(complete(recall))
        return
    since = clock_face(recall.acknowledged_at) if recall.HasField("acknowledged_at") else NEVER
    due = clock_face(recall.due_at)
    say(f"Recall {recall.number} is {word(recall)}; acknowledged: {since}. It is due {due}.")


@app.command("resolve")
def resolve(
    recall_id: RecallId,
    *,
    outcome: Annotated[Outcome, typer.Option(help="How it ended.")],
    name: Annotated[str, typer.Option(help="Who stands for it.")],
    role: Annotated[str, typer.Option(help="What they are at the licensee.")],
    statement: Annotated[str, typer.Option(help="What they attest, in words.")] = "",
    statement_file: Annotated[
        Path | None, typer.Option(help="File with the statement.", exists=True, dir_okay=False)
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(
            help="A document that says more. Its SHA-256 is sent, not the document.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    licensee: AsLicensee = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """Say, as a licensee, how a recall ended. The first resolution stands.

    Example: `sluice recall resolve ID --outcome deleted --name NAME --role ROLE
    --statement "deleted from all stores"`
    """
    attestation = Attestation(
        name=name,
        role=role,
        statement=statement_of(statement, statement_file),
        document_digest=digest_of(document),
    )
    number = number_of(RecallState.DESCRIPTOR, outcome.value)
    resolution = RecallResolution(outcome=number, attestation=attestation)  # type: ignore[arg-type]
    connections = recall_calls.connect(
        state, address, token_file, api_key_file, insecure=insecure, licensee=licensee
    )
    recall = connections.run(lambda connections: recall_calls.resolve(connections, recall_id, resolution))
    tell(recall, as_json=as_json)


def state_number(text: str) -> int:
    """The number of a state by its word; raises typer.BadParameter."""
    try:
        return number_of(RecallState.DESCRIPTOR, text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--is") from None


def statement_of(text: str, file: Path | None) -> str:
    """The statement, from one of both; raises typer.BadParameter and OSError."""
    if bool(text) == (file is not None):
        which = "just one" if text else "one"
        raise typer.BadParameter(f"{which} of --statement and --statement-file is needed")
    if file is None:
        return text
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is no text in UTF-8", param_hint="--statement-file") from None


def digest_of(document: Path | None) -> bytes:
    """SHA-256 of a file; none (b"") without one. Raises OSError."""
    if document is None:
        return b""
    with document.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def line_of(recall: Recall) -> tuple[object, ...]:
    """A recall as a row."""
    return (
        recall.number,
        recall.recall_id,
        recall.licensee_id,
        word(recall),
        recall.withdrawals,
        recall.posts,
        clock_face(recall.issued_at)[:19],
        clock_face(recall.due_at)[:19],
    )


def word(recall: Recall) -> str:
    """Its state in a word, and that it came too late where it did."""
    state = word_of(RecallState.DESCRIPTOR, recall.state)
    return f"{state} (late)" if recall.HasField("overdue_at") and recall.HasField("resolution") else state


def tell(recall: Recall, *, as_json: bool) -> None:
    """Says how a recall stands."""
    if as_json:
        give_json(complete(recall))
        return
    what = f"{counted(recall.posts, 'post')} by {counted(recall.withdrawals, 'withdrawal')}"
    say(f"Recall {recall.number} of {recall.licensee_id}, {recall.recall_id}: {what}.")
    warn: Callable[[str], None] = shout if recall.state == RecallState.RECALL_STATE_OVERDUE else say
    warn(f"It is {word(recall)}: issued {clock_face(recall.issued_at)}, due {clock_face(recall.due_at)}.")
    for name in ("acknowledged_at", "overdue_at"):
        if recall.HasField(name):
            say(f"{name.removesuffix('_at').capitalize()} since {clock_face(getattr(recall, name))}.")
    if recall.HasField("resolution"):
        _tell_resolution(recall.resolution)


def _tell_resolution(resolution: RecallResolution) -> None:
    attested = resolution.attestation
    how = word_of(RecallState.DESCRIPTOR, resolution.outcome)
    say(f"Resolved as {how} at {clock_face(resolution.resolved_at)} by {resolution.resolved_by}.")
    say(f"{attested.name}, {attested.role}: {attested.statement}")
    if attested.document_digest:
        say(f"Document with SHA-256 {attested.document_digest.hex()}.")
