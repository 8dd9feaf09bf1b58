"""`sluice stats`: how many decisions and posts there were, by time, licensee, purpose and reason."""

import enum
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from sluice.licensing.v1 import statistics_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Reason, Verdict
from sluice.licensing.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from sluice.type.v1.purpose_pb2 import Purpose

PAGE = 500

app = typer.Typer(
    help="Decisions and posts by time, licensee, purpose and reason.", invoke_without_command=True
)


class By(enum.StrEnum):
    """Stretches of time that counts are given for."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


_UNTIL = "Up to and with the stretch that the moment before this time lies in."
_TOGETHER = "One row for each stretch, the sum over licensees and purposes."
_SHOWN = {By.MINUTE: 16, By.HOUR: 13, By.DAY: 10}
"""Characters of a time that say which stretch it begins."""


@app.callback()
def stats(
    context: typer.Context,
    *,
    by: Annotated[By, typer.Option(help="Stretches of time, in UTC.")] = By.DAY,
    since: Annotated[str, typer.Option(metavar="TIME", help="From the stretch that this time lies in.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help=_UNTIL)] = "",
    licensee: Annotated[str, typer.Option(metavar="ID", help="For this licensee alone.")] = "",
    together: Annotated[bool, typer.Option("--together", help=_TOGETHER)] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Count decisions and posts, exact up to the receipt that is named.

    A posts column has one line a reason; an auditor is told coarse verdicts only.
    """
    if context.invoked_subcommand:
        return
    request = pb.GetDecisionStatsRequest(
        by=f"STATS_STRETCH_{by.name}",
        since=options.moment(since, "--since"),
        until=options.moment(until, "--until"),
        licensee_id=licensee,
        together=together,
        page_size=PAGE,
    )
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    rows, number = connections.run(lambda connections: all_stats(connections, request))
    if as_json:
        give_json({"rows": [complete(row) for row in rows], "as_of_receipt_number": number})
        return
    columns = (by, "licensee", "purpose", ">released", ">partial", ">denied", "answer", ">posts")
    show(table(columns, [line for row in rows for line in _lines(row, by)]))
    say(f"As of receipt {number:,}. Decisions are counted as released, partial or denied; posts by answer.")


@app.command("rebuild")
def rebuild(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Have the sums made anew from the ledger; until they are, counts of many decisions are refused."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    number = connections.run(rebuild_stats)
    if as_json:
        give_json({"up_to_receipt_number": number})
    else:
        say(f"The sums are made anew, up to receipt {number:,} at least.")


async def all_stats(
    connections: Connections, request: pb.GetDecisionStatsRequest
) -> tuple[list[pb.DecisionStats], int]:
    """Every row, and the number of the last receipt that the last page counts; raises Refusal."""
    peer = connections.peer("licensing")
    stub, rows = StatisticsServiceStub(peer.channel), list[pb.DecisionStats]()
    while True:
        page = await peer.call(stub.GetDecisionStats, request)
        rows += page.rows
        if not page.next_page_token:
            return rows, page.as_of_receipt_number
        request.page_token = page.next_page_token


async def rebuild_stats(connections: Connections) -> int:
    """Raises Refusal; the receipt number up to which the sums will be made."""
    peer = connections.peer("licensing")
    request = pb.RebuildDecisionStatsRequest(request_id=connections.new_id())
    stub = StatisticsServiceStub(peer.channel)
    return (await peer.call(stub.RebuildDecisionStats, request)).up_to_receipt_number


def _lines(row: pb.DecisionStats, by: By) -> Sequence[tuple[Any, ...]]:
    """The first line says where the row stands; the others have a reason each."""
    head = (
        moments.clock_face(row.since)[: _SHOWN[by]],
        row.licensee_id or "all",
        # Of nobody alone, and so of no purpose alone.
        word_of(Purpose.DESCRIPTOR, row.purpose) if row.licensee_id else "all",
        row.decisions_released,
        row.decisions_partial,
        row.decisions_denied,
    )
    blank = ("",) * len(head)
    return [
        (*(blank if place else head), _answer(count), count.posts) for place, count in enumerate(row.posts)
    ]


def _answer(count: pb.PostCount) -> str:
    """The verdict, and the reason behind it where it is told and says more."""
    verdict = word_of(Verdict.DESCRIPTOR, count.verdict)
    reason = word_of(Reason.DESCRIPTOR, count.reason) if count.reason else verdict
    return verdict if reason == verdict else f"{verdict}, {reason}"
