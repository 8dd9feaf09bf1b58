"""What the commands of both pages share: a page in the foreground, and a link that is printed."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from services.chassis.refusals import precondition
from services.console import options
from services.console.coming_in import LONGEST_US, sign_in_link
from services.console.credentials import Local
from services.console.durations import patience
from services.console.installation import HOST, StateFolder
from services.console.local_pages import MODULES, PREFIXES, check_installed, page_environment, prepare_pages
from services.console.output import give_json, note, say

Lifetime = Annotated[
    str, typer.Option(metavar="DURATION", help="How long they are signed in: 30m, 8h; at most 12h.")
]
USUAL_LIFETIME = "12h"
"""As that of the links of `sluice up` and `sluice demo`."""


def run_page(state: StateFolder, page: str, port: int, usual: Mapping[str, str]) -> NoReturn:
    """Becomes the page: as its variables in the environment say, else as an installation has it.

    `usual` are settings of it alone in an installation. Raises Refusal (precondition): CONSOLE_MISSING,
    STATE_MISSING where there is neither an installation nor a variable.
    """
    check_installed()
    named = {name: value for name, value in os.environ.items() if name.startswith(PREFIXES[page])}
    local: Mapping[str, str] = {}
    if state.keys.is_dir():
        state.prepare()
        prepare_pages(state)
        local = page_environment(state, page, f"{HOST}:{port}", usual)
    elif not named:
        message = f"there is no installation in {state.root}, and no variable {PREFIXES[page]}... is set"
        raise precondition("STATE_MISSING", f"{message}; start one with `sluice up --console`")
    environment = {**os.environ, **local, **named}
    os.execve(sys.executable, [sys.executable, "-P", "-m", MODULES[page]], environment)  # noqa: S606 - that is what it is for


def lifetime_us(text: str) -> int:
    """--lifetime in microseconds; raises typer.BadParameter for none, and for more than a working day."""
    read = options.duration_us(text, "--lifetime")
    if not 0 < read <= LONGEST_US:
        raise typer.BadParameter(f"at most {patience(LONGEST_US)} are possible", param_hint="--lifetime")
    return read


def give_link(
    state: Path,
    page: str,
    who: Local,
    lifetime: str,
    subjects: frozenset[int] = frozenset(),
    *,
    as_json: bool,
) -> None:
    """Prints a link; raises as `sign_in_link`."""
    lasts_us = lifetime_us(lifetime)
    link = sign_in_link(StateFolder(state), page, who, lasts_us, subjects)
    if as_json:
        give_json({"sign_in": link, "kind": who.kind.value, "party": who.party, "roles": sorted(who.roles)})
        return
    say(link)
    note(f"It signs {who.kind.value} {who.party} in once, within the hour, for {patience(lasts_us)}.")
