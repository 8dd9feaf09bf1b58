"""`sluice revenue`: what was billed by licensee and month, as final invoices and credit notes say."""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.console import options
from services.console.bill_calls import all_revenue
from services.console.bill_files import safe_cell
from services.console.bill_papers import amount, plain_amount
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.money import face, in_nanos, of_nanos
from services.console.names import complete
from services.console.output import give_json, say, show, table
from services.console.plots import need_matplotlib
from services.console.revenue_plots import draw_revenue
from services.console.usage_plots import check_out
from sluice.licensing.v1.billing_service_pb2 import GetRevenueRequest
from sluice.licensing.v1.invoice_pb2 import Revenue

HEADER = ("month", "licensee_id", "currency", "invoiced", "credited", "net")


def revenue(
    *,
    since: Annotated[
        str, typer.Option("--from", metavar="MONTH", help="From this month on, such as 2026-01.")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="MONTH", help="Up to this month, itself included.")
    ] = "",
    licensee: Annotated[str, typer.Option(metavar="ID", help="Of this licensee. Else of all.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer with CSV.")] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw it too, into this file: .png or .svg.", dir_okay=False)
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show revenue by licensee and month: what final invoices come to, less credit notes.

    A month has the periods that begin in it; a correction counts for the period that it corrects. Amounts of
    two currencies are never added: each has sums, and a panel of the plot, of its own.

    Example: `sluice revenue --from 2026-01 --plot revenue.svg`
    """
    if plot is not None:
        check_out(plot, "--plot")
        need_matplotlib()
    request = GetRevenueRequest(from_month=since, to_month=until, licensee_id=licensee)
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: all_revenue(connections, request))
    if plot is not None:
        draw_revenue(found, plot)
    if as_json:
        give_json([complete(each) for each in found])
    elif as_csv:
        sys.stdout.write(revenue_csv(found))
    else:
        _tell(found)
        if plot is not None:
            say(f"Wrote {plot}.")


def revenue_csv(found: Sequence[Revenue]) -> str:
    """A row for each month, licensee and currency."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for each in found:
        amounts = (plain_amount(money, each.decimals) for money in (each.invoiced, each.credited, each.net))
        writer.writerow([each.month, safe_cell(each.licensee_id), each.net.currency_code, *amounts])
    return out.getvalue()


def _tell(found: Sequence[Revenue]) -> None:
    if not found:
        say("Nothing was billed.")
        return
    rows = [
        (
            *(each.month, each.licensee_id, each.net.currency_code),
            *(amount(money, each.decimals) for money in (each.invoiced, each.credited, each.net)),
        )
        for each in found
    ]
    show(table(("=month", "licensee", "currency", ">invoiced", ">credited", ">net"), rows))
    for currency in sorted({each.net.currency_code for each in found}):
        same = [each for each in found if each.net.currency_code == currency]
        total = of_nanos(sum(in_nanos(each.net) for each in same), currency)
        say(f"Total: {face(total, same[0].decimals)}.")
