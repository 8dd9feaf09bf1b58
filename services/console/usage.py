"""`sluice usage`: what was counted, in a stretch of time and in the fullest window of it.

Kinds of access are never added up (M5).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from services.chassis.clock import SystemClock
from services.console import durations, moments, options
from services.console import usage_options as asked
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.names import plain, word_of, words
from services.console.output import counted, give_json, say, show, table
from services.console.usage_absence import absence_sentences, check_known
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.access_pb2 import AccessKind
from sluice.metering.v1.usage_pb2 import Peak, UsageOf, UsageOrigin, UsageRow
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.content_pb2 import ContentKind, MediaFlag

ANSWER_US = 60_000_000
"""A question over years may take longer than other calls, in microseconds."""
DAY = "24h"

app = typer.Typer(help="Usage: what was counted, when it was most, and what adds up.", no_args_is_help=True)


@dataclass
class Total:
    """Posts of one kind of access."""

    used: int = 0
    held: int = 0


@app.command("show")
def show_one(
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    license: asked.License = None,
    since: asked.Since = "",
    until: asked.Until = "",
    last: Annotated[
        str, typer.Option(metavar="DURATION", help="Instead of --since: this long before the end, as in 24h.")
    ] = "",
    address: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what was counted after a time and up to another, by kind of access and content.

    Origin gate is what was reserved here, seen what was reported from elsewhere. Held posts may yet be freed;
    used ones count for good. There is a total for each kind of access, and none of all: the kinds are
    different things. Where nothing was counted, the last access before is named; an id that neither metering
    nor licensing knows is refused.
    """
    of = asked.usage_of(party, group, license)
    stretch = asked.stretch(since, until, SystemClock().now_us(), last)
    request = pb.QueryUsageRequest(of=of, since=stretch.since, until=stretch.until)
    given = {"metering": address, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, given)
    answer = connections.run(lambda connections: known_usage(connections, request))
    if as_json:
        give_json(usage_json(request, answer))
        return
    say(f"Usage of {asked.of_words(of)}, {asked.stretch_words(stretch.since, answer.until)}:")
    if answer.rows:
        columns = ("origin", "access", "kind", "media", ">used", ">held")
        show(table(columns, [usage_row(row) for row in answer.rows]))
        say("")
        rows = [(word, total.used, total.held) for word, total in totals(answer.rows).items()]
        show(table(("all of an access", ">used", ">held"), rows))
    else:
        for sentence in absence_sentences(answer):
            say(sentence)
    say(f"As of revision {answer.revision.number}.")


@app.command("peak")
def peak(
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    license: asked.License = None,
    window: asked.Window = DAY,
    since: asked.Since = "",
    until: asked.Until = "",
    address: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Find the fullest rolling window that ends in a stretch of time, and when it was first so full.

    Counted are posts that were given: views and accesses, used and held.
    """
    of = asked.usage_of(party, group, license)
    stretch = asked.stretch(since, until, SystemClock().now_us())
    window_us = options.duration_us(window, "--window")
    request = max_window_request(of, window_us, stretch)
    given = {"metering": address, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, given)
    answer = connections.run(lambda connections: known_peaks(connections, request))
    highest = fullest(answer.peaks)
    if as_json:
        give_json(plain(of) | {"window_us": window_us} | peak_json(highest) | _revision(answer))
    else:
        say(peak_sentence(of, window_us, highest))


async def query_usage(connections: Connections, request: pb.QueryUsageRequest) -> pb.QueryUsageResponse:
    """Raises Refusal."""
    peer = connections.peer("metering")
    return await peer.call(UsageServiceStub(peer.channel).QueryUsage, request, at_most_us=ANSWER_US)


async def known_usage(connections: Connections, request: pb.QueryUsageRequest) -> pb.QueryUsageResponse:
    """The usage of somebody who is known; raises Refusal (not found and others)."""
    answer = await query_usage(connections, request)
    await check_known(connections, request.of, answer)
    return answer


async def known_peaks(connections: Connections, request: pb.MaxWindowRequest) -> pb.MaxWindowResponse:
    """The peaks of somebody who is known; raises Refusal (not found and others)."""
    answer = await max_window(connections, request)
    if not fullest(answer.peaks).HasField("at"):
        await check_known(
            connections, request.of, await query_usage(connections, pb.QueryUsageRequest(of=request.of))
        )
    return answer


async def max_window(connections: Connections, request: pb.MaxWindowRequest) -> pb.MaxWindowResponse:
    """Raises Refusal."""
    peer = connections.peer("metering")
    return await peer.call(UsageServiceStub(peer.channel).MaxWindow, request, at_most_us=ANSWER_US)


def max_window_request(
    of: UsageOf, window_us: int, stretch: asked.Stretch, parts: int = 1
) -> pb.MaxWindowRequest:
    """Asks for a peak in each of `parts` equal parts."""
    request = pb.MaxWindowRequest(of=of, since=stretch.since, until=stretch.until, parts=parts)
    request.window.FromMicroseconds(window_us)
    return request


def fullest(peaks: Iterable[Peak]) -> Peak:
    """The first of the highest; an empty one where there is none."""
    return max(peaks, key=lambda peak: peak.posts, default=Peak())


def totals(rows: Iterable[UsageRow]) -> Mapping[str, Total]:
    """For each kind of access, by its word, in the order of the contract. Never over several kinds (M5)."""
    sums: dict[str, Total] = defaultdict(Total)
    for row in rows:
        total = sums[word_of(AccessKind.DESCRIPTOR, row.access)]
        total.used += row.used
        total.held += row.held
    order = list(words(AccessKind.DESCRIPTOR))
    return dict(
        sorted(sums.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))
    )


def usage_row(row: UsageRow) -> tuple[Any, ...]:
    """One row of the table."""
    return (
        word_of(UsageOrigin.DESCRIPTOR, row.origin),
        word_of(AccessKind.DESCRIPTOR, row.access),
        word_of(ContentKind.DESCRIPTOR, row.kind),
        "+".join(media_words(row.media_flags)) or "none",
        row.used,
        row.held,
    )


def media_words(flags: int) -> list[str]:
    """The words of a sum of flags, without those that are not known."""
    return [word for word, flag in words(MediaFlag.DESCRIPTOR).items() if flags & flag]


def usage_json(request: pb.QueryUsageRequest, answer: pb.QueryUsageResponse) -> dict[str, Any]:
    """The answer for programs; numbers are there also where they are 0."""
    rows = []
    for row in answer.rows:
        origin, access, kind, _, used, held = usage_row(row)
        media = media_words(row.media_flags)
        rows.append(
            {"origin": origin, "access": access, "kind": kind, "media": media, "used": used, "held": held}
        )
    return {
        **plain(request.of),
        "since": moments.written(request.since) if request.HasField("since") else None,
        "until": moments.written(answer.until),
        "rows": rows,
        "last_before": moments.written(answer.last_before) if answer.HasField("last_before") else None,
        "totals": {word: vars(total) for word, total in totals(answer.rows).items()},
        "revision": plain(answer.revision),
    }


def peak_json(peak: Peak) -> dict[str, Any]:
    """A peak for programs: its time is null where no window holds any post."""
    return {"posts": peak.posts, "at": moments.written(peak.at) if peak.HasField("at") else None} | {
        name: moments.written(getattr(peak, name)) for name in ("since", "until") if peak.HasField(name)
    }


def peak_sentence(of: UsageOf, window_us: int, peak: Peak) -> str:
    """For people."""
    length = durations.words(window_us)
    if not peak.HasField("at"):
        return f"No window of {length} of {asked.of_words(of)} holds any post."
    ended = moments.exact_face(peak.at)
    posts = counted(peak.posts, "post")
    return f"The fullest window of {length} of {asked.of_words(of)} holds {posts} and ends at {ended}."


def _revision(answer: pb.MaxWindowResponse) -> dict[str, Any]:
    return {"revision": plain(answer.revision)}
