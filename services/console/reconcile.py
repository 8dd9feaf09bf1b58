"""`sluice reconcile`: whether the books of licensing and metering are whole, and say the same."""

from typing import Annotated

import typer

from services.console import options
from services.console.checks import Check, JsonTeller, PlainTeller, Teller, check_json
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.output import counted, give_json, note, say
from services.console.usage_audits import audit_sums
from sluice.licensing.v1 import audit_service_pb2 as ledger
from sluice.licensing.v1.audit_service_pb2_grpc import AuditServiceStub


def reconcile(
    *,
    after: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            min=0,
            help="Only decisions with receipts after this one, which must be on record.",
        ),
    ] = 0,
    address: options.Licensing = None,
    metering: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Compare every decision with its receipt, leaf, attempt, manifest, settlement and hold, and all sums.

    Decisions may go on meanwhile. Names every difference, up to a hundred of a check. Says on stderr which
    check is at work; with --json each step is a line there. Exits with 1 when something differs, or could not
    be compared.
    """
    addresses = {"licensing": address, "metering": metering}
    connections = Connections.open(state, token_file, OPERATOR, addresses)
    teller: Teller = JsonTeller() if as_json else PlainTeller()
    checks = connections.run(lambda connections: run_checks(connections, after, teller))
    difference_count = sum(check.difference_count for check in checks)
    if as_json:
        document = {"difference_count": difference_count, "checks": [check_json(check) for check in checks]}
        give_json(document)
    elif difference_count:
        note(f"{counted(difference_count, 'difference')}.")
    else:
        say("All that was compared agrees.")
    if difference_count:
        raise typer.Exit(1)


async def run_checks(connections: Connections, after: int, teller: Teller) -> list[Check]:
    """Every check of licensing, then those that metering makes of its own sums; raises Refusal."""
    peer, checks = connections.peer("licensing"), list[Check]()
    request = ledger.AuditLedgerRequest(after_number=after)
    async with peer.open(AuditServiceStub(peer.channel).AuditLedger, request) as steps:
        async for step in steps:
            match step.step:
                case ledger.LEDGER_AUDIT_STEP_STARTED:
                    teller.started(step.check)
                case ledger.LEDGER_AUDIT_STEP_GOING_ON:
                    teller.goes_on(step)
                case _:
                    checks.append(step)
                    teller.done(step)
    return [*checks, *await audit_sums(connections, teller)]
