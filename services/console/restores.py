"""`sluice restore`: an operator accepts that the database of a service was restored from a backup (R5)."""

import getpass
import os
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from services.chassis.restores import LONGEST_NAME, LONGEST_REASON
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.installation import ServiceName, StateFolder
from services.console.moments import clock_face
from services.console.names import plain
from services.console.output import give_json, say, show, table
from services.console.program_modes import run_program
from services.console.programs import local_services
from services.console.service_settings import Settings, parse_settings
from services.console.state_lock import only_one
from sluice.consent.v1 import state_service_pb2
from sluice.consent.v1.state_service_pb2_grpc import StateServiceStub
from sluice.licensing.v1 import log_service_pb2
from sluice.licensing.v1.log_service_pb2 import LogRestore
from sluice.licensing.v1.log_service_pb2_grpc import LogServiceStub
from sluice.metering.v1 import usage_service_pb2
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from sluice.type.v1.restore_pb2 import Restore
from sluice.type.v1.revision_pb2 import Revision

PAGE = 200

Reason = Annotated[str, typer.Option(help="Why, for the record.")]
LOST = "Of licensing: the folder of its log is lost with all copies, and this is the newest database."
By = Annotated[str | None, typer.Option(help="Who, for the record. Else the account that this runs under.")]

app = typer.Typer(help="Databases that were restored from a backup.", no_args_is_help=True)


@app.command("accept")
def accept(
    service: Annotated[ServiceName, typer.Argument(help="Whose database was restored.")],
    *,
    reason: Reason,
    by: By = None,
    log_folder_lost: Annotated[bool, typer.Option("--log-folder-lost", help=LOST)] = False,
    state: options.State = options.DEFAULT_STATE,
    settings: Settings = None,
) -> None:
    """Go on with a database that is older than it was: what came after the backup is lost for good.

    The service is stopped, in all its processes. A new epoch begins, and the service can be started again.
    Settings are found as `sluice serve` finds them.
    """
    who = by or _account()
    _check_length("--reason", reason, LONGEST_REASON)
    _check_length("--by", who, LONGEST_NAME)
    if log_folder_lost and service is not ServiceName.LICENSING:
        raise typer.BadParameter("only licensing has a log", param_hint="--log-folder-lost")
    folder = StateFolder(state)
    with only_one(folder):
        environment = program_environment(folder, service, parse_settings(settings or []).get(service, {}))
        # In one argument each, for what somebody says may begin like an option.
        arguments = ["--accept-restore", f"--reason={reason}", f"--by={who}"]
        arguments += ["--log-folder-lost"] if log_folder_lost else []
        say(run_program(service, arguments, environment))


@app.command("list")
def list_(
    service: Annotated[ServiceName, typer.Argument(help="Whose restores.")],
    *,
    consent: options.Consent = None,
    metering: options.Metering = None,
    licensing: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the restores that were accepted, newest first, as the running service has them on record."""
    addresses = {"consent": consent, "metering": metering, "licensing": licensing}
    connections = Connections.open(state, token_file, OPERATOR, addresses)
    restores = connections.run(lambda connections: list_restores(connections, service))
    if as_json:
        give_json([plain(restore) for restore in restores])
    elif restores:
        columns = (">epoch", "goes on after", "had come to", ">shared up to", "accepted at", "by", "reason")
        of_log = ("lost receipts",) if service is ServiceName.LICENSING else ()
        show(table((*columns, *of_log), [_row(restore) for restore in restores]))
    else:
        say(f"No restore of {service} was ever accepted.")


def program_environment(folder: StateFolder, service: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """The environment that `sluice serve` would start the service in."""
    programs = local_services(folder, folder.existing_keys(), {})
    (own,) = (program.environment() for program in programs if program.name == service)
    prefix = f"SLUICE_{service.upper()}_"
    named = {name: value for name, value in os.environ.items() if name.startswith(prefix)}
    return {**own, **named, **{prefix + name.upper(): value for name, value in chosen.items()}}


async def list_restores(connections: Connections, service: str) -> list[Restore | LogRestore]:
    """Newest first, those of licensing with what they mean for the log; raises Refusal."""
    peer = connections.peer(service)
    restores: list[Restore | LogRestore] = []
    token = ""
    while True:
        page: Any
        if service == ServiceName.CONSENT:
            asked = state_service_pb2.ListRestoresRequest(page_size=PAGE, page_token=token)
            page = await peer.call(StateServiceStub(peer.channel).ListRestores, asked)
        elif service == ServiceName.LICENSING:
            of_log = log_service_pb2.ListRestoresRequest(page_size=PAGE, page_token=token)
            page = await peer.call(LogServiceStub(peer.channel).ListRestores, of_log)
        else:
            request = usage_service_pb2.ListRestoresRequest(page_size=PAGE, page_token=token)
            page = await peer.call(UsageServiceStub(peer.channel).ListRestores, request)
        restores += page.restores
        token = page.next_page_token
        if not token:
            return restores


def _account() -> str:
    """The name of the account that this runs under, or its number where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _check_length(option: str, text: str, longest: int) -> None:
    if not 0 < len(text.strip()) <= longest:
        raise typer.BadParameter(f"it takes 1 to {longest} characters", param_hint=option)


def _row(listed: Restore | LogRestore) -> tuple[str, ...]:
    if isinstance(listed, LogRestore):
        first, last = listed.first_lost_receipt, listed.last_lost_receipt
        return (*_row(listed.restore), f"{first} to {last}" if first else "none")
    restore = listed
    return (
        str(restore.epoch),
        _position(restore.found),
        _position(restore.lost) if restore.HasField("lost") else "not known",
        str(restore.shared_number),
        clock_face(restore.accepted_at),
        restore.accepted_by,
        restore.reason,
    )


def _position(revision: Revision) -> str:
    return f"{revision.epoch}:{revision.number}"
