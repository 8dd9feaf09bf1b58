"""`sluice usage watch`: how a window fills against its limit, as it happens."""

import asyncio
import enum
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, cast

import typer

from services.chassis.refusals import Refusal, unavailable
from services.chassis.terms import has_run_out
from services.console import options
from services.console import usage_options as asked
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.limits import LARGEST, Limit, find_limit
from services.console.moments import clock_face, written
from services.console.names import number_of, plain, word_of
from services.console.output import give_line, say, shout
from services.console.pages import Sleep, pause_us
from sluice.metering.v1 import usage_service_pb2 as pb
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1 import window_pb2

Standing = pb.WatchUsageResponse
Standings = AbstractAsyncContextManager[AsyncIterable[Standing]]

_REACHED = {pb.USAGE_LEVEL_HIGH: "80 %", pb.USAGE_LEVEL_FULL: "100 %"}


class Span(enum.StrEnum):
    """The windows that allowances have."""

    SECOND = "second"
    MINUTE = "minute"
    ROLLING_DAY = "rolling_day"
    TERM = "term"


def watch(
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    license: asked.License = None,
    window: Annotated[Span, typer.Option(help="The window of the allowance.")],
    limit: Annotated[
        int | None, typer.Option(help="Posts. Else what --license allows.", min=1, max=LARGEST)
    ] = None,
    address: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document a line.")] = False,
) -> None:
    """Follow how a window fills against its limit, a line for each change, until it is interrupted.

    A line that begins with NOTICE says that 80 % or all of the limit is reached. It goes on by itself after
    the connection was lost.
    """
    of = asked.usage_of(party, group, license)
    number = cast("window_pb2.Window", number_of(window_pb2.Window.DESCRIPTOR, window.value))
    given = {"metering": address, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, given)

    async def work(connections: Connections) -> None:
        found = await find_limit(connections, of, number, limit)
        request = pb.WatchUsageRequest(of=of, window=number, limit=needed(found))
        tell = tell_json if as_json else Telling(request).tell
        await Watching(tell).run(lambda: follow(connections, request))

    connections.run(work)


class Watching:
    """Follows a window, and takes it up again when it is lost."""

    def __init__(self, tell: Callable[[Standing], None], *, sleep: Sleep = asyncio.sleep) -> None:
        self._tell = tell
        self._sleep = sleep
        self._failures = 0
        self._last: Standing | None = None

    async def run(self, follow: Callable[[], Standings]) -> None:
        """Tells every change; raises the Refusal that no patience helps against."""
        while True:
            try:
                async with follow() as standings:
                    await self._tell_all(standings)
            except Refusal as refusal:
                self._failures += not has_run_out(refusal)
                await self._sleep(pause_us(refusal, self._failures) / 1_000_000)

    async def _tell_all(self, standings: AsyncIterable[Standing]) -> None:
        is_again = self._last is not None
        async for standing in standings:
            self._failures = 0
            news = self._news(standing) if is_again else standing
            is_again = False
            self._last = standing
            if news is not None:
                self._tell(news)
        raise unavailable("STREAM_ENDED", "metering has ended the stream")

    def _news(self, standing: Standing) -> Standing | None:
        """What the first answer of a stream that was taken up again says that was not said before."""
        last = self._last
        assert last is not None, "a stream was lost"
        if (standing.used, standing.held, standing.level) == (last.used, last.held, last.level):
            return None
        news = Standing()
        news.CopyFrom(standing)
        # A new stream repeats the notice of where it begins.
        news.notice = standing.notice and standing.level > last.level
        return news


class Telling:
    """Tells people."""

    def __init__(self, request: pb.WatchUsageRequest) -> None:
        self._request = request

    def tell(self, standing: Standing) -> None:
        """A line, and before it a loud one where a level is reached."""
        if standing.notice:
            shout(notice_line(self._request, standing))
        say(line_of(self._request, standing))


def follow(connections: Connections, request: pb.WatchUsageRequest) -> Standings:
    """The stream; raises Refusal."""
    peer = connections.peer("metering")
    return peer.open(UsageServiceStub(peer.channel).WatchUsage, request)


def needed(limit: Limit) -> int:
    """The limit in posts, at least 1; raises typer.BadParameter where none is known."""
    if limit.fault is not None:
        raise typer.BadParameter(limit.notes()[0], param_hint="--limit")
    if limit.posts is None:
        raise typer.BadParameter("no license says how many posts; give a limit", param_hint="--limit")
    if limit.posts == 0:
        raise typer.BadParameter("the license allows none in this window", param_hint="--limit")
    return limit.posts


def tell_json(standing: Standing) -> None:
    """One line for each change; numbers are there also where they are 0."""
    give_line(
        {
            "used": standing.used,
            "held": standing.held,
            "level": word_of(pb.UsageLevel.DESCRIPTOR, standing.level),
            "notice": standing.notice,
            "at": written(standing.at),
            "revision": plain(standing.revision),
        }
    )


def line_of(request: pb.WatchUsageRequest, standing: Standing) -> str:
    """How the window stands, for people."""
    # Never rounded up: 80 % is where the notice comes, and not before.
    percent = (standing.used + standing.held) * 100 // request.limit
    counts = f"{standing.used:,} used, {standing.held:,} held"
    return f"{clock_face(standing.at)}  {counts}: {percent:,} % of {request.limit:,}"


def notice_line(request: pb.WatchUsageRequest, standing: Standing) -> str:
    """Says that a level is reached."""
    reached = _REACHED.get(standing.level, word_of(pb.UsageLevel.DESCRIPTOR, standing.level))
    window = word_of(window_pb2.Window.DESCRIPTOR, request.window)
    whose = asked.of_words(request.of)
    return f"NOTICE: {whose} has reached {reached} of {request.limit:,} posts a {window}"
