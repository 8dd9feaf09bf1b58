"""What the console asks about recalls, and as whom. Each call raises Refusal where it is not done."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from services.chassis.dialing import Peer, Stream
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal, forbidden
from services.console.connections import Connections, addresses
from services.console.credentials import OPERATOR, Local, token_source
from services.console.installation import StateFolder
from services.console.releases import tokens_of_key
from services.console.secure_channels import certificates_for, credentials_of
from sluice.licensing.v1 import recall_service_pb2 as pb
from sluice.licensing.v1.recall_pb2 import Recall, RecallEntry, RecallResolution, ReleaseGap
from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceStub

if TYPE_CHECKING:
    # The stub as it is on a channel of asyncio; it exists in the annotations alone.
    from sluice.licensing.v1.recall_service_pb2_grpc import RecallServiceAsyncStub

PAGE = 500

Steps = AbstractAsyncContextManager[Stream[pb.WatchRecallsRequest, pb.WatchRecallsResponse]]


def connect(
    state: Path,
    address: str | None,
    token_file: Path | None,
    api_key_file: Path | None,
    *,
    insecure: bool,
    licensee: str | None = None,
) -> Connections:
    """By an API key, a token, or one of the local installation: for a licensee if one is said.

    Raises Refusal (STATE_MISSING, TOKEN_MISSING, API_KEY_MISSING, SANDBOX_KEY and others) and GateError.
    """
    folder = StateFolder(state)
    places = addresses(folder, {"licensing": address})
    certificates = certificates_for(folder)
    if api_key_file is not None:
        encrypted = credentials_of(certificates)
        tokens = tokens_of_key(places["licensing"], api_key_file, encrypted, insecure=insecure)
        return Connections(places, tokens, certificates)
    local = Local(PrincipalKind.LICENSEE, licensee) if licensee else OPERATOR
    return Connections(places, token_source(folder, token_file, local), certificates)


async def all_recalls(connections: Connections, licensee: str | None, states: Sequence[int]) -> list[Recall]:
    """Every recall that the caller may see, newest first; of a licensee and in these states, if any."""
    peer, stub = _desk(connections)
    found: list[Recall] = []
    request = pb.ListRecallsRequest(licensee_id=licensee or "", states=states, page_size=PAGE)  # type: ignore[arg-type]
    while True:
        page = await peer.call(stub.ListRecalls, request)
        found += page.recalls
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def get_recall(connections: Connections, recall_id: str) -> Recall:
    """One recall."""
    peer, stub = _desk(connections)
    return (await peer.call(stub.GetRecall, pb.GetRecallRequest(recall_id=recall_id))).recall


async def entry_pages(connections: Connections, recall_id: str) -> AsyncIterator[Sequence[RecallEntry]]:
    """Everything that a recall asks to delete, page by page."""
    peer, stub = _desk(connections)
    request = pb.ListRecallEntriesRequest(recall_id=recall_id, page_size=PAGE)
    while True:
        page = await peer.call(stub.ListRecallEntries, request)
        yield page.entries
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def acknowledge(connections: Connections, recall_id: str) -> Recall:
    """Says that the licensee has it."""
    peer, stub = _desk(connections)
    request = pb.AcknowledgeRecallRequest(recall_id=recall_id)
    with _said_by_a_licensee():
        return (await peer.call(stub.AcknowledgeRecall, request)).recall


async def resolve(connections: Connections, recall_id: str, resolution: RecallResolution) -> Recall:
    """Says how it ended."""
    peer, stub = _desk(connections)
    request = pb.ResolveRecallRequest(recall_id=recall_id, resolution=resolution)
    with _said_by_a_licensee():
        return (await peer.call(stub.ResolveRecall, request)).recall


async def all_gaps(connections: Connections, licensee: str | None) -> list[ReleaseGap]:
    """Every gap on record, newest withdrawal first; of a licensee, if one is said."""
    peer, stub = _desk(connections)
    found: list[ReleaseGap] = []
    request = pb.ListReleaseGapsRequest(licensee_id=licensee or "", page_size=PAGE)
    while True:
        page = await peer.call(stub.ListReleaseGaps, request)
        found += page.gaps
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def progress(connections: Connections) -> pb.GetRecallProgressResponse:
    """How far withdrawals have been followed."""
    peer, stub = _desk(connections)
    return await peer.call(stub.GetRecallProgress, pb.GetRecallProgressRequest())


def follow(connections: Connections, licensee: str | None, after: int) -> Steps:
    """The stream of recalls after a number."""
    peer, stub = _desk(connections)
    return peer.open(stub.WatchRecalls, pb.WatchRecallsRequest(after=after, licensee_id=licensee or ""))


@contextlib.contextmanager
def _said_by_a_licensee() -> Iterator[None]:
    """Tells whoever is not admitted how a licensee says who they are."""
    try:
        yield
    except Refusal as refusal:
        if refusal.reason != "NOT_ADMITTED":
            raise
        raise forbidden(
            refusal.reason,
            "only a licensee says this: name their key with --api-key-file, or, at a local installation, "
            "the licensee with --licensee",
        ) from refusal


def _desk(connections: Connections) -> tuple[Peer, "RecallServiceAsyncStub"]:
    peer = connections.peer("licensing")
    return peer, RecallServiceStub(peer.channel)
