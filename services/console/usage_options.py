"""Whose usage is asked for, and in which stretch of time: options that the commands of usage share."""

from dataclasses import dataclass
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from services.console import moments, options
from sluice.metering.v1.usage_pb2 import UsageOf

Party = Annotated[str | None, typer.Option(metavar="ID", help="Of this party.", parser=options.name_id)]
Group = Annotated[
    str | None,
    typer.Option(
        metavar="ID", help="Of this group: each party while it belonged to it.", parser=options.name_id
    ),
]
License = Annotated[
    str | None,
    typer.Option(metavar="ID", help="What was reserved under this license.", parser=options.name_id),
]
Since = Annotated[
    str, typer.Option(metavar="TIME", help="After this time (2026-01-31T12:00:00Z). Else from the first on.")
]
Until = Annotated[str, typer.Option(metavar="TIME", help="Up to this time. Else now.")]
Window = Annotated[
    str, typer.Option(metavar="DURATION", help="Length of the rolling window: 1s, 15m, 24h, 7d.")
]

_NOUNS = {"party_id": "party", "group_id": "group", "license_id": "license"}


@dataclass(frozen=True)
class Stretch:
    """A stretch of time (since, until]."""

    since: Timestamp | None
    """None: from the beginning."""
    until: Timestamp | None
    """None: up to now, by the service's clock."""


def usage_of(party: str | None, group: str | None, license: str | None) -> UsageOf:
    """Whose usage; raises typer.BadParameter unless exactly one is named."""
    given = [name for name in (party, group, license) if name is not None]
    if len(given) != 1:
        raise typer.BadParameter(
            "whose usage? One of them is expected, and not two", param_hint="--party, --group, --license"
        )
    return UsageOf(party_id=party, group_id=group, license_id=license)


def of_words(of: UsageOf) -> str:
    """For people: "party acme"."""
    kind = of.WhichOneof("whose")
    assert kind is not None, "a usage is somebody's"
    return f"{_NOUNS[kind]} {getattr(of, kind)}"


def stretch(since: str, until: str, now_us: int, last: str = "") -> Stretch:
    """The stretch that the options name, `last` counted back from its end; raises typer.BadParameter."""
    if since and last:
        raise typer.BadParameter("--since says when it begins already", param_hint="--last")
    end = options.moment(until, "--until")
    end_us = now_us if end is None else end.ToMicroseconds()
    begin = options.moment(since, "--since")
    if last:
        begin = _before(end_us, options.duration_us(last, "--last"))
    if begin is not None and begin.ToMicroseconds() >= end_us:
        what = "now" if end is None else "--until"
        raise typer.BadParameter(f"a time before {what} is expected, not {since}", param_hint="--since")
    return Stretch(begin, end)


def stretch_words(since: Timestamp | None, until: Timestamp | None) -> str:
    """For people; empty for all the time up to now."""
    begin = f"after {moments.clock_face(since)}" if since else ""
    end = f"up to {moments.clock_face(until)}" if until else ""
    return " ".join(filter(None, (begin, end)))


def _before(end_us: int, us: int) -> Timestamp:
    try:
        return moments.from_us(end_us - us)
    except ValueError:
        raise typer.BadParameter("it begins before any time there is", param_hint="--last") from None
