"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STATE = Path(".sluice")

State = Annotated[
    Path, typer.Option("--state", envvar="SLUICE_STATE", help="Folder of the local installation.")
]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="File with the token to call with. Else SLUICE_TOKEN, else one minted from the local keys.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]
Consent = Annotated[
    str | None,
    typer.Option(
        "--consent", metavar="HOST:PORT", help="Where consent is. Else as announced in the state folder."
    ),
]
Licensing = Annotated[
    str | None,
    typer.Option(
        "--licensing", metavar="HOST:PORT", help="Where licensing is. Else as announced in the state folder."
    ),
]
