"""`sluice invoice`: what there is to draft, and what the running period comes to so far. Both read only."""

from typing import Annotated

import typer

from services.console import bill_calls as calls
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.invoices import tell
from services.console.moments import clock_face
from services.console.names import complete
from services.console.output import give_json, say, show, table
from sluice.licensing.v1.billing_service_pb2 import ListDuePeriodsRequest
from sluice.licensing.v1.invoice_pb2 import DuePeriod


def due(
    *,
    licensee: Annotated[str, typer.Option(metavar="ID", help="Of this licensee. Else of all.")] = "",
    license: Annotated[str, typer.Option(metavar="ID", help="Of this license. Else of all.")] = "",
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the periods that are over and not invoiced. Those of a license are invoiced in this order.

    Example: `sluice invoice due --licensee acme`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    request = ListDuePeriodsRequest(licensee_id=licensee, license_id=license)
    found = connections.run(lambda connections: calls.all_due(connections, request))
    if as_json:
        give_json([complete(each) for each in found])
    elif found:
        columns = ("license", "licensee", "=period", "=over since", "=draft")
        show(table(columns, [_row(each) for each in found]))
    else:
        say("Nothing is due: every period that is over is invoiced.")


def preview(
    license_id: Annotated[str, typer.Argument(metavar="LICENSE", help="The license.")],
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what the running period of a license comes to so far. Nothing is stored.

    Example: `sluice invoice preview acme-training`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    invoice = connections.run(lambda connections: calls.preview_invoice(connections, license_id))
    if as_json:
        give_json(complete(invoice))
    else:
        tell(invoice)


def _row(each: DuePeriod) -> tuple[str, str, str, str, str]:
    if each.reason:
        return each.license_id, each.licensee_id, "", each.reason, ""
    over = clock_face(each.period_until)
    return each.license_id, each.licensee_id, each.period, over, each.invoice_id or "none"
