"""`sluice console`: the operators' page in the foreground, and links into that of an installation."""

from typing import Annotated

import typer

from services.chassis.identity import PrincipalKind
from services.console import options
from services.console.connections import addresses
from services.console.credentials import OPERATOR, Local
from services.console.installation import StateFolder
from services.console.local_pages import CONSOLE, CONSOLE_PORT, console_fields
from services.console.page_commands import USUAL_LIFETIME, Lifetime, give_link, run_page

app = typer.Typer(help="The console of operators.", no_args_is_help=True)


@app.command("serve")
def serve(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = CONSOLE_PORT,
    state: options.State = options.DEFAULT_STATE,
) -> None:
    """Run the console in the foreground, logging to the terminal.

    Its settings are those of the environment (SLUICE_CONSOLE_...), else what `sluice up --console` would
    give it.
    """
    folder = StateFolder(state)
    run_page(folder, CONSOLE, port, console_fields(folder, addresses(folder, {})))


@app.command("link")
def link(
    *,
    party: Annotated[
        str, typer.Option(metavar="NAME", help="Which operator.", parser=options.name_id)
    ] = OPERATOR.party,
    role: Annotated[
        list[str] | None,
        typer.Option(help="trust, legal, finance or admin; all of them unless said. Repeatable."),
    ] = None,
    lifetime: Lifetime = USUAL_LIFETIME,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Print a link that signs an operator in once, at the console of a local installation."""
    roles = [_role(each) for each in role] if role else OPERATOR.roles
    give_link(state, CONSOLE, Local(PrincipalKind.OPERATOR, party, roles), lifetime, as_json=as_json)


def _role(text: str) -> str:
    """A role of operators; raises typer.BadParameter for a word that would open nothing."""
    if text not in OPERATOR.roles:
        raise typer.BadParameter(
            f"{', '.join(OPERATOR.roles)} are possible, not {text!r}", param_hint="--role"
        )
    return text
