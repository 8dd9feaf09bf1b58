"""`sluice settings-page`: the users' page in the foreground, and links into that of an installation."""

from typing import Annotated

import typer

from services.chassis.identity import PrincipalKind
from services.chassis.refusals import invalid
from services.console import options
from services.console.credentials import Local, a_subject
from services.console.gateway.local import PORT as GATEWAY_PORT
from services.console.gateway.program import NAME as GATEWAY
from services.console.installation import HOST, StateFolder
from services.console.local_pages import (
    PLATFORM_NAME,
    SETTINGS_PAGE,
    SETTINGS_PAGE_PORT,
    PagesAsked,
    settings_page_fields,
)
from services.console.page_commands import USUAL_LIFETIME, Lifetime, give_link, run_page

app = typer.Typer(help="The settings page of users, and of those who act for them.", no_args_is_help=True)


@app.command("serve")
def serve(
    *,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes a free one.")] = SETTINGS_PAGE_PORT,
    gateway: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Else the gateway of the installation.")
    ] = None,
    platform_name: Annotated[
        str, typer.Option(metavar="NAME", help="What it calls the platform.")
    ] = PLATFORM_NAME,
    state: options.State = options.DEFAULT_STATE,
) -> None:
    """Run the page in the foreground, logging to the terminal.

    Its settings are those of the environment (SLUICE_SETTINGS_PAGE_...), else what `sluice up --console`
    would give it.
    """
    folder = StateFolder(state)
    usual = settings_page_fields(folder, gateway_of(folder, gateway), PagesAsked(platform_name=platform_name))
    run_page(folder, SETTINGS_PAGE, port, usual)


def gateway_of(state: StateFolder, given: str | None) -> str:
    """host:port of the gateway: as given, else as the installation announces it, else on its usual port."""
    return given or state.address(GATEWAY) or f"{HOST}:{GATEWAY_PORT}"


@app.command("link")
def link(
    *,
    subject: Annotated[
        str | None, typer.Option(metavar="ID", help="The subject who is to be signed in.")
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Instead: somebody who acts for subjects.", parser=options.name_id),
    ] = None,
    acts_for: Annotated[
        list[str] | None, typer.Option("--for", metavar="ID", help="A subject they act for. Repeatable.")
    ] = None,
    lifetime: Lifetime = USUAL_LIFETIME,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Print a link that signs a subject or an agent in once, at the page of a local installation."""
    who, subjects = who_comes_in(subject, agent, acts_for or [])
    give_link(state, SETTINGS_PAGE, who, lifetime, subjects, as_json=as_json)


def who_comes_in(subject: str | None, agent: str | None, acts_for: list[str]) -> tuple[Local, frozenset[int]]:
    """Who is to be signed in, and for whom they act; raises Refusal (invalid, WHO_UNCLEAR)."""
    if subject is not None and agent is None and not acts_for:
        return a_subject(options.subject_number(subject)), frozenset()
    if agent is not None and subject is None and acts_for:
        return Local(PrincipalKind.AGENT, agent), frozenset(map(options.subject_number, acts_for))
    raise invalid("WHO_UNCLEAR", "say --subject ID; or --agent NAME, and --for ID for each whom they act for")
