"""What is said where nothing was counted: whether anybody is known by that id, and when something was before.

Metering knows whom it has counted and what was said of parties; licensing knows licensees and licenses of
which nothing has been counted yet. Only who talks to both services can say that nobody is known.
"""

from services.chassis.refusals import Kind, Refusal, not_found
from services.console.connections import Connections
from services.console.known_licensees import LOOK_UP_US, look_up
from services.console.license_calls import get_license
from services.console.moments import exact_face
from sluice.metering.v1.usage_pb2 import UsageOf
from sluice.metering.v1.usage_service_pb2 import QueryUsageResponse


async def check_known(connections: Connections, of: UsageOf, answer: QueryUsageResponse) -> None:
    """Raises Refusal (not found: PARTY_UNKNOWN, GROUP_UNKNOWN, LICENSE_UNKNOWN) where nobody knows the id."""
    if not answer.unknown:
        return
    if of.HasField("license_id"):
        await _check_license(connections, of.license_id)
    elif of.HasField("party_id"):
        await _check_party(connections, of.party_id)
    else:
        said = (
            f"no group {of.group_id} is on record: no party ever belonged to it. `sluice party list` has them"
        )
        raise not_found("GROUP_UNKNOWN", said)


def absence_sentences(answer: QueryUsageResponse) -> list[str]:
    """For people, of somebody who is known."""
    said = ["Nothing was counted."]
    if answer.HasField("last_before"):
        said.append(f"The last access before that was at {exact_face(answer.last_before)}.")
    return said


async def _check_party(connections: Connections, id: str) -> None:
    naming = await look_up(connections, [id])
    if naming.is_known():
        return
    nearest = naming.nearest.get(id)
    hint = (
        f" Did you mean {nearest}?"
        if nearest
        else " `sluice party list` and `sluice licensee list` have them"
    )
    said = (
        f"no party {id} is on record: nothing was ever counted or said of it, and {_licensing(naming.fault)}"
    )
    raise not_found("PARTY_UNKNOWN", f"{said}.{hint}")


async def _check_license(connections: Connections, id: str) -> None:
    try:
        await get_license(connections, id, at_most_us=LOOK_UP_US)
    except Refusal as refusal:
        fault = None if refusal.kind is Kind.NOT_FOUND else refusal
        said = f"no license {id} is on record: nothing was ever reserved under it, and {_licensing(fault)}"
        raise not_found("LICENSE_UNKNOWN", f"{said}. `sluice license list` has them") from refusal


def _licensing(fault: Refusal | None) -> str:
    if fault is None:
        return "licensing does not know it"
    return f"licensing could not be asked ({fault.reason}: {fault.message})"
