"""`sluice license history`: who changed a license, when and why."""

from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.license_calls import all_changes
from services.console.licenses import LicenseId
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import give_json, show, table
from sluice.licensing.v1.license_pb2 import LicenseChange, LicenseState, LicenseStep


def history(
    license_id: LicenseId,
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the changes of a license, newest first: who made each, when and why.

    What time alone does, such as the hour at which a version comes into force, is no change: the line that
    set the hour says it.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    changes = connections.run(lambda connections: all_changes(connections, license_id))
    if as_json:
        give_json([plain(change) for change in changes])
        return
    rows = [
        (
            clock_face(change.changed_at),
            what(change),
            word_of(LicenseState.DESCRIPTOR, change.state),
            change.changed_by,
            change.reason,
        )
        for change in changes
    ]
    show(table(("=when", "what", "then", "by", "reason"), rows))


def what(change: LicenseChange) -> str:
    """What a change did, in words: version 2 scheduled for 2027-01-01 00:00:00.000 UTC."""
    if not change.step:
        return "not on record"
    done = f"version {change.version} {word_of(LicenseStep.DESCRIPTOR, change.step)}"
    if not change.HasField("effective_from"):
        return done
    when = clock_face(change.effective_from)
    match change.step:
        case LicenseStep.LICENSE_STEP_SCHEDULED:
            return f"{done} for {when}"
        case LicenseStep.LICENSE_STEP_WITHDRAWN:
            return f"{done}, which was set for {when}"
        case _:
            return done
