"""`sluice usage plot`: a rolling window over time against its limit."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis.clock import SystemClock
from services.console import durations, options
from services.console import usage_options as asked
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.limits import LARGEST, Limit, find_limit, window_of
from services.console.names import plain
from services.console.output import give_json, note, say
from services.console.plots import FORMATS, Plot, draw, need_matplotlib
from services.console.usage import DAY, fullest, known_peaks, max_window_request, peak_json, peak_sentence
from sluice.metering.v1 import usage_service_pb2 as pb

PARTS = 400
MOST_PARTS = 5_000


def plot(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The picture: .png or .svg.", dir_okay=False)],
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    license: asked.License = None,
    window: asked.Window = DAY,
    since: asked.Since = "",
    until: asked.Until = "",
    limit: Annotated[
        int | None,
        typer.Option(help="Posts. Else what --license allows; else no line.", min=0, max=LARGEST),
    ] = None,
    parts: Annotated[
        int, typer.Option(help="In how many parts the time is cut.", min=1, max=MOST_PARTS)
    ] = PARTS,
    address: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Draw a rolling window over time against its limit, with its peak.

    The time is cut into equal parts, and each shows the fullest window that ends in it, so that no peak is
    missed. Takes matplotlib: pip install 'sluice[plot]'.
    """
    check_out(out)
    of = asked.usage_of(party, group, license)
    stretch = asked.stretch(since, until, SystemClock().now_us())
    window_us = options.duration_us(window, "--window")
    need_matplotlib()
    request = max_window_request(of, window_us, stretch, parts)
    given = {"metering": address, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, given)
    answer, found = connections.run(lambda connections: look(connections, request, limit))
    draw(plot_of(request, answer, found.posts), out)
    if as_json:
        give_json(plot_json(request, answer, found, out))
        return
    say(f"Wrote {out}. {peak_sentence(of, window_us, fullest(answer.peaks))}")
    for sentence in found.notes():
        note(sentence)


async def look(
    connections: Connections, request: pb.MaxWindowRequest, given: int | None
) -> tuple[pb.MaxWindowResponse, Limit]:
    """The peaks and the limit; raises Refusal of metering's alone."""
    answer = await known_peaks(connections, request)
    window = window_of(request.window.ToMicroseconds())
    return answer, await find_limit(connections, request.of, window, given)


def check_out(out: Path, option: str = "OUT") -> None:
    """Raises typer.BadParameter where no picture can be written to."""
    if out.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"a name that ends in {' or '.join(FORMATS)} is expected", param_hint=option)
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}", param_hint=option)


def plot_of(request: pb.MaxWindowRequest, answer: pb.MaxWindowResponse, limit: int | None) -> Plot:
    """What is to be drawn of an answer."""
    edges = [peak.until.ToMicroseconds() for peak in answer.peaks]
    if edges:
        edges.insert(0, answer.peaks[0].since.ToMicroseconds())
    highest = fullest(answer.peaks)
    length = durations.words(request.window.ToMicroseconds())
    return Plot(
        title=f"Posts of {asked.of_words(request.of)} in any window of {length}",
        edges_us=edges,
        posts=[peak.posts for peak in answer.peaks],
        peak_us=highest.at.ToMicroseconds() if highest.HasField("at") else None,
        limit=limit,
    )


def plot_json(
    request: pb.MaxWindowRequest, answer: pb.MaxWindowResponse, limit: Limit, out: Path
) -> dict[str, Any]:
    """What was drawn, for programs."""
    highest = peak_json(fullest(answer.peaks))
    return {
        "out": str(out),
        **plain(request.of),
        "window_us": request.window.ToMicroseconds(),
        "parts": len(answer.peaks),
        "peak": {"posts": highest["posts"], "at": highest["at"]},
        "limit": limit.posts,
        "limit_fault": limit.fault and limit.fault.reason,
        "revision": plain(answer.revision),
    }
