"""`sluice gateway limits`: the limits on calls from outside, as a file says them."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import options
from services.console.output import give_json, say, show, table
from services.console.program_modes import run_program

app = typer.Typer(help="Limits on calls from outside.", no_args_is_help=True)


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="YAML in the form of envoyproxy/ratelimit.")],
    *,
    as_json: options.AsJson = False,
) -> None:
    """Check a file of limits as metering would read it, and list what it says; nothing is changed.

    A fault is named with its part of the file, and the exit code is 1.
    """
    # Metering's own program reads it, so that what is good here is good there.
    said = json.loads(run_program("metering", [f"--check-limits={file}"], os.environ))
    if as_json:
        give_json(said)
        return
    say(f"{file} holds good limits for the domain {said['domain']}.")
    show(table(("descriptor", "name", ">calls", "in any", "kept"), [_row(each) for each in said["limits"]]))


def _row(limit: dict[str, Any]) -> tuple[str, ...]:
    descriptor = limit["descriptor"]
    if limit.get("unlimited"):
        return descriptor, "", "unlimited", "", ""
    kept = "tried out" if limit["shadow"] else "kept"
    return descriptor, limit["name"], f"{limit['calls']:,}", limit["unit"], kept
