"""The logs of operators' actions, fetched from the services: for people two entries are one action."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from services.chassis.action_messages import entry_of
from services.chassis.actions import ActionHead, Begun, ChainCheck, Ended, Entry, Fault
from services.chassis.dialing import Peer
from services.chassis.refusals import Refusal, unavailable
from services.console.connections import Connections
from sluice.consent.v1 import action_service_pb2 as of_consent
from sluice.consent.v1.action_service_pb2_grpc import ActionServiceStub as ConsentStub
from sluice.licensing.v1 import action_service_pb2 as of_licensing
from sluice.licensing.v1.action_service_pb2_grpc import ActionServiceStub as LicensingStub
from sluice.metering.v1 import action_service_pb2 as of_metering
from sluice.metering.v1.action_service_pb2_grpc import ActionServiceStub as MeteringStub

PAGE = 200

Found = TypeVar("Found")

CONTRACTS: dict[str, tuple[Any, Any]] = {
    "consent": (ConsentStub, of_consent.ListActionsRequest),
    "metering": (MeteringStub, of_metering.ListActionsRequest),
    "licensing": (LicensingStub, of_licensing.ListActionsRequest),
}
"""The stub and the request of ListActions, by service."""


@dataclass(frozen=True)
class Filter:
    """Which actions."""

    operator: str = ""
    method: str = ""
    since: Timestamp | None = None


@dataclass(frozen=True)
class Action:
    """What an operator did, and what came of it."""

    service: str
    entry: Entry
    begun: Begun
    end: Entry | None
    """None where the log does not say how it ended."""

    @property
    def ended(self) -> Ended | None:
        """How, if that is on record."""
        return self.end.what if self.end is not None and isinstance(self.end.what, Ended) else None


@dataclass(frozen=True)
class Checked:
    """What the check of one log has found."""

    service: str
    head: ActionHead
    """The last entry that was looked at."""
    fault: Fault | None
    unfinished: tuple[int, ...]
    """Numbers of the actions of which the log does not say how they ended."""


@dataclass(frozen=True)
class Logs(Generic[Found]):
    """What was read of several logs, and which of them could not be read."""

    read: dict[str, Found]
    """By service."""
    refused: dict[str, Refusal]
    """Why not, by service."""

    def check(self) -> None:
        """Raises Refusal (unavailable, ACTIONS_INCOMPLETE) naming those that could not be read."""
        if self.refused:
            why = [f"{name} ({refusal.reason}: {refusal.message})" for name, refusal in self.refused.items()]
            raise unavailable("ACTIONS_INCOMPLETE", f"this is without the log of {' and '.join(why)}")


async def of_each(services: Sequence[str], read: Callable[[str], Awaitable[Found]]) -> Logs[Found]:
    """Reads one log after the other: of a service that is down the others' say nothing less.

    Raises the first Refusal where none can be read.
    """
    logs = Logs[Found]({}, {})
    for service in services:
        try:
            logs.read[service] = await read(service)
        except Refusal as refusal:
            logs.refused[service] = refusal
    if not logs.read:
        raise next(iter(logs.refused.values()))
    return logs


async def latest(
    connections: Connections, services: Sequence[str], wanted: Filter, limit: int
) -> Logs[list[Action]]:
    """The newest actions of each service, newest first, one more than `limit` if there are; raises Refusal
    where none of them can be read.
    """
    return await of_each(services, lambda name: _latest_of(connections, name, wanted, limit + 1))


def merged(logs: Logs[list[Action]], limit: int) -> tuple[list[Action], bool]:
    """At most `limit` actions of all services, newest first, and whether there are more."""
    found = [action for actions in logs.read.values() for action in actions]
    found.sort(key=lambda action: (action.entry.at_us, action.service, action.entry.number), reverse=True)
    return found[:limit], len(found) > limit


async def check(
    connections: Connections, services: Sequence[str], known: Mapping[str, Sequence[ActionHead]]
) -> Logs[Checked]:
    """Reads the whole logs from their first entries on; raises Refusal where none of them can be read."""
    return await of_each(services, lambda name: _check_one(connections, name, known.get(name, [])))


async def _check_one(connections: Connections, service: str, known: Sequence[ActionHead]) -> Checked:
    chain, head = ChainCheck(known), ActionHead()
    async for page in _pages(connections, service, Filter(), oldest_first=True):
        head = ActionHead(page.head.number, page.head.digest)
        for message in page.entries:
            chain.add(entry_of(message))
    fault = chain.finish(head)
    return Checked(service, chain.head, fault, chain.unfinished)


async def _latest_of(connections: Connections, service: str, wanted: Filter, limit: int) -> list[Action]:
    actions: list[Action] = []
    ends: dict[int, Entry] = {}
    async for page in _pages(connections, service, wanted):
        for entry in map(entry_of, page.entries):
            # Newest first: how an action ended comes before what it was.
            if isinstance(entry.what, Begun):
                actions.append(Action(service, entry, entry.what, ends.pop(entry.number, None)))
            else:
                ends[entry.action] = entry
        if len(actions) >= limit:
            break
    return actions[:limit]


async def page_of_actions(
    peer: Peer, service: str, wanted: Filter, page_size: int, token: str, *, oldest_first: bool
) -> Any:
    """An answer of ListActions by the service, whose `peer` it is; raises Refusal."""
    stub, request_type = CONTRACTS[service]
    request = request_type(
        page_size=page_size,
        page_token=token,
        operator=wanted.operator,
        method=wanted.method,
        since=wanted.since,
        oldest_first=oldest_first,
    )
    return await peer.call(stub(peer.channel).ListActions, request)


async def _pages(
    connections: Connections, service: str, wanted: Filter, *, oldest_first: bool = False
) -> AsyncIterator[Any]:
    peer = connections.peer(service)
    token = ""
    while True:
        page = await page_of_actions(peer, service, wanted, PAGE, token, oldest_first=oldest_first)
        yield page
        token = page.next_page_token
        if not token:
            return
