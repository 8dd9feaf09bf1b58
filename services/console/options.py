"""Arguments and options that several commands share, and how they are read."""

import re
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from services.console import durations, moments
from services.console.cells import an_id
from services.console.names import number_of
from sluice.type.v1.purpose_pb2 import Purpose


def subject_number(text: str) -> int:
    """The id of a subject; raises typer.BadParameter."""
    return _id_of("subject", text)


def post_number(text: str) -> int:
    """The id of a post; raises typer.BadParameter."""
    return _id_of("post", text)


def purpose_number(text: str) -> int:
    """The number of a purpose by its word; a number stands for itself. Raises typer.BadParameter."""
    if text.isascii() and text.isdecimal() and int(text) < 2**31:
        return int(text)
    try:
        return number_of(Purpose.DESCRIPTOR, text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--purpose") from None


def moment(text: str, option: str) -> Timestamp | None:
    """A time, None for an empty text; raises typer.BadParameter."""
    try:
        return moments.read(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def duration_us(text: str, option: str) -> int:
    """A duration in microseconds; raises typer.BadParameter."""
    try:
        return durations.read(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def name_id(text: str) -> str:
    """An id that somebody chose: of a party, a group or a license. Raises typer.BadParameter."""
    if not _NAME_ID.fullmatch(text):
        said = "lower-case letters, digits, dots, dashes and underscores are expected, at most 63, not"
        raise typer.BadParameter(f"{said} {text[:70]!r}")
    return text


def _id_of(noun: str, text: str) -> int:
    try:
        return an_id(noun, text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


_NAME_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
"""As the contracts have it."""
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
ApiKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--api-key-file",
        help="File with an API key: it is exchanged for tokens, which are renewed for as long as it takes.",
        dir_okay=False,
    ),
]
Insecure = Annotated[
    bool,
    typer.Option(
        "--insecure", help="Send an API key to another machine unencrypted: only through a network you trust."
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
Metering = Annotated[
    str | None,
    typer.Option(
        "--metering", metavar="HOST:PORT", help="Where metering is. Else as announced in the state folder."
    ),
]
SubjectId = Annotated[
    int, typer.Argument(metavar="SUBJECT", help="Id of the subject.", parser=subject_number)
]
ImportFile = Annotated[
    Path, typer.Argument(help="CSV file, or Parquet (.parquet, .pq).", exists=True, dir_okay=False)
]
BadRows = Annotated[
    Path | None,
    typer.Option(
        "--bad-rows",
        help="Write every row that was refused to this file, as CSV: line, reason, message.",
        dir_okay=False,
        writable=True,
    ),
]
