"""Options of `sluice usage import`, and how they are read."""

import enum
import re
from pathlib import Path
from typing import Annotated

import typer

from services.console.access_files import Form, LogAccesses
from services.console.access_rows import Defaults, read_media
from services.console.exact_times import zone_of
from services.console.names import number_of
from services.console.robots import read_robots
from sluice.type.v1.content_pb2 import ContentKind


class By(enum.StrEnum):
    """Whom the lines of a log count for."""

    BOT = "bot"
    CLIENT = "client"


File = Annotated[
    Path, typer.Argument(help="CSV file, JSON lines or access log; .gz, too.", exists=True, dir_okay=False)
]
Format = Annotated[
    Form | None,
    typer.Option(
        "--format",
        help="How it is written. Else csv for .csv, jsonl for .jsonl, .ndjson, .json, combined for others.",
    ),
]
Source = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who saw the accesses: the same line of the same source counts once. Else the file's name"
        " (without .gz); give it where files are renamed, as logs are when they rotate. It belongs to whoever"
        " first reports under it.",
    ),
]
RobotsFile = Annotated[
    Path | None,
    typer.Option(
        help="Of logs: robots as ai.robots.txt lists them, a JSON object by name. A line counts for the"
        " robot that its user agent names in full, by that name in lower case.",
        exists=True,
        dir_okay=False,
    ),
]
CountBy = Annotated[
    By | None,
    typer.Option(
        help="Of logs: bot counts lines for the robots they name and others for their addresses, client"
        " all for their addresses. Else bot with --robots."
    ),
]
Only = Annotated[
    str,
    typer.Option(
        metavar="REGEX",
        help="Of logs: paths in which this is found are posts (^/posts/), other lines are passed over.",
    ),
]
Kind = Annotated[
    str, typer.Option(help="Kind of the posts where a line has none: post, reply, quote, repost.")
]
Media = Annotated[
    list[str] | None,
    typer.Option(help="Media of the posts where a line has none: image, video, other. Repeatable."),
]
Zone = Annotated[
    str, typer.Option(help="Zone of times without one (Europe/Berlin, +01:00). Else they are refused.")
]
Remarks = Annotated[
    Path | None,
    typer.Option(
        "--bad-rows",
        help="Write every remark to this file, as CSV: line, outcome, reason, message.",
        dir_okay=False,
        writable=True,
    ),
]


def defaults(source: str, kind: str, media: list[str], zone: str) -> Defaults:
    """What holds for lines that do not say it themselves; raises typer.BadParameter."""
    try:
        number_of(ContentKind.DESCRIPTOR, kind.lower())
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--kind") from None
    try:
        flags = read_media(media)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--media") from None
    try:
        return Defaults(source, kind.lower(), flags, zone_of(zone) if zone else None)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None


def log_of(defaults: Defaults, form: Form, robots: Path | None, by: By | None, only: str) -> LogAccesses:
    """How lines of a log are read; raises typer.BadParameter and Refusal ROBOTS_MALFORMED."""
    given = {"--robots": robots, "--by": by, "--only": only}
    if form is not Form.COMBINED and (stray := [name for name, value in given.items() if value]):
        raise typer.BadParameter(f"it goes with access logs, and this is {form}", param_hint=stray[0])
    if by is By.BOT and robots is None:
        raise typer.BadParameter("bot needs --robots FILE", param_hint="--by")
    try:
        pattern = re.compile(only) if only else None
    except re.error as error:
        raise typer.BadParameter(f"this is no regular expression: {error}", param_hint="--only") from None
    known = read_robots(robots) if robots and by is not By.CLIENT else None
    return LogAccesses(defaults, known, pattern)
