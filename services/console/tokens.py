"""`sluice token`: tokens for an API key, and tokens of a local installation."""

from pathlib import Path
from typing import Annotated

import typer

from services.chassis.claims import subjects_of
from services.chassis.identity import PrincipalKind
from services.chassis.ids import MINUTE_US
from services.chassis.refusals import invalid
from services.console import options
from services.console.connections import addresses
from services.console.credentials import api_key_source, minter
from services.console.installation import StateFolder
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import give_json, note, say
from services.console.releases import LICENSING
from services.console.secure_channels import certificates_for, credentials_of
from sluice.licensing.v1.api_key_pb2 import KeyHolderKind
from sluice_gate.tokens import exchanging

app = typer.Typer(help="Tokens: who the bearer is, for some minutes.", no_args_is_help=True)


@app.callback()
def tokens() -> None:
    """Tokens: who the bearer is, for some minutes."""


@app.command("get")
def get(
    *,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File with the API key. Else the variable SLUICE_API_KEY.", dir_okay=False),
    ] = None,
    address: options.Licensing = None,
    insecure: options.Insecure = False,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Exchange an API key for a token."""
    api_key = api_key_source(api_key_file)
    folder = StateFolder(state)
    target = addresses(folder, {LICENSING: address})[LICENSING]
    encrypted = credentials_of(certificates_for(folder))
    answer = exchanging(target, api_key, encrypted, insecure=insecure, server_name=LICENSING)()
    if as_json:
        give_json(plain(answer))
        return
    say(answer.token)
    holder = answer.holder
    place = "sandbox " if holder.sandbox else ""
    kind = word_of(KeyHolderKind.DESCRIPTOR, holder.kind)
    note(f"For {place}{kind} {holder.party}, until {clock_face(answer.expires_at)}.")


@app.command("mint")
def mint(
    *,
    kind: Annotated[PrincipalKind, typer.Option(help="What sort of principal.")],
    party: Annotated[str, typer.Option(help="Which one: the token's subject.")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="A role of an operator: trust, legal, finance, admin. Repeatable."),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(help="A subject that an agent acts for. Repeatable."),
    ] = None,
    minutes: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=60 * 24)] = 15,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Mint a token with the key of the local installation, for trying things out."""
    subjects = _subjects(kind, subject or [])
    token = minter(StateFolder(state), minutes * MINUTE_US).mint(kind, party, role or [], subjects=subjects)
    if as_json:
        said = {"token": token, "kind": kind.value, "party": party, "roles": sorted(role or [])}
        give_json({**said, "subjects": [str(each) for each in sorted(subjects)]} if subjects else said)
    else:
        say(token)


def _subjects(kind: PrincipalKind, listed: list[str]) -> frozenset[int]:
    """For whom the token is; raises Refusal (invalid, SUBJECTS_WRONG) where no service would believe it."""
    if kind is not PrincipalKind.AGENT and not listed:
        return frozenset()
    if kind is not PrincipalKind.AGENT:
        raise invalid("SUBJECTS_WRONG", "an agent, and nobody else, acts for subjects")
    try:
        return subjects_of(listed)
    except ValueError as error:
        raise invalid("SUBJECTS_WRONG", str(error)) from error
