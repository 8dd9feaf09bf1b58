"""`sluice damages list` and `show`: assessments on record."""

from services.console import damages_options as asked
from services.console import options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.damages_calls import assessment_of, document_of
from services.console.damages_words import in_short, short_row, tell
from services.console.names import complete
from services.console.output import give_json, say, show, table
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.damages_pb2 import Assessment
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub
from sluice.metering.v1.usage_pb2 import UsageOf

PAGE = 200
COLUMNS = ("=assessment", "of", "since", "until just before", ">claimed now", "state")


def list_(
    *,
    party: asked.Party = None,
    group: asked.Group = None,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List assessments on record, latest first: all, or those of a party or a group.

    Example: `sluice damages list --party acme`
    """
    of = None if party is None and group is None else asked.whose(party, group)
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    found = connections.run(lambda connections: all_assessments(connections, of))
    if as_json:
        give_json([in_short(each) for each in found])
    elif found:
        show(table(COLUMNS, [short_row(each) for each in found]))
    else:
        say("No assessments are on record.")


def show_one(
    assessment_id: asked.AssessmentId,
    *,
    all_readings: asked.AllReadings = False,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show an assessment on record: periods, amount, who is liable, other readings, where it stands.

    Example: `sluice damages show 019a0000-0000-7000-8000-000000000000`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    found = connections.run(lambda connections: get_assessment(connections, assessment_id))
    if as_json:
        give_json(complete(found))
    else:
        tell(found, all_readings=all_readings)


async def all_assessments(connections: Connections, of: UsageOf | None) -> list[Assessment]:
    """On record of one, or of all, latest first and in short; raises Refusal."""
    peer = connections.peer("metering")
    stub = DamagesServiceStub(peer.channel)
    found: list[Assessment] = []
    token = ""
    while True:
        request = pb.ListAssessmentsRequest(of=of, page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListAssessments, request)
        found += page.assessments
        token = page.next_page_token
        if not token:
            return found


async def get_assessment(connections: Connections, assessment_id: str) -> Assessment:
    """The whole; raises Refusal (ASSESSMENT_UNKNOWN, and others)."""
    return await assessment_of(connections.peer("metering"), assessment_id)


async def read_document(connections: Connections, assessment_id: str) -> bytes:
    """That its digest is of; raises Refusal (ASSESSMENT_UNKNOWN, and others)."""
    return await document_of(connections.peer("metering"), assessment_id)
