"""`sluice token`: tokens of a local installation."""

from typing import Annotated

import typer

from services.chassis.identity import PrincipalKind
from services.chassis.ids import MINUTE_US
from services.console import options
from services.console.credentials import minter
from services.console.installation import StateFolder
from services.console.output import give_json, say

app = typer.Typer(help="Tokens of the local installation.", no_args_is_help=True)


@app.callback()
def tokens() -> None:
    """Tokens of the local installation."""


@app.command("mint")
def mint(
    *,
    kind: Annotated[PrincipalKind, typer.Option(help="What sort of principal.")],
    party: Annotated[str, typer.Option(help="Which one: the token's subject.")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="A role of an operator: trust, legal, finance, admin. Repeatable."),
    ] = None,
    minutes: Annotated[int, typer.Option(help="How long it is valid.", min=1, max=60 * 24)] = 15,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Mint a token with the key of the local installation, for trying things out."""
    token = minter(StateFolder(state), minutes * MINUTE_US).mint(kind, party, role or [])
    if as_json:
        give_json({"token": token, "kind": kind.value, "party": party, "roles": sorted(role or [])})
    else:
        say(token)
