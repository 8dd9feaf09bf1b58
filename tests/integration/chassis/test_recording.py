"""What operators do is on record before it is done, and what came of it after; seen from a client."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1.health_pb2 import HealthCheckRequest

from services.chassis.action_pages import Wanted
from services.chassis.action_rows import SqlActions
from services.chassis.actions import Begun, ChainCheck, Ended, Entry, Outcome
from services.chassis.database import Database
from services.chassis.dialing import Peer
from services.chassis.group_commit import CommitUnknown
from services.chassis.identity import PrincipalKind
from services.chassis.recording import LONGEST_URGENT
from services.chassis.refusals import Refusal, unavailable
from services.chassis.urgency import is_urgent
from services.metering.schema.tables import ACTIONS
from tests.integration.chassis.echo import NAME, Echo
from tests.support.admissions import admit
from tests.support.clock import ManualClock
from tests.support.grpc import LocalServer, serving
from tests.support.metering import metering_database_at
from tests.support.waiting import PATIENCE_SECONDS

OPERATOR, PIPELINE = PrincipalKind.OPERATOR, PrincipalKind.PIPELINE
METHODS = ("Say", "Refuse", "Fail", "Wait", "Count", "Linger", "Join", "ChatRaw", "SayParsed")


class Log(SqlActions):
    """The log of a database, which can be told to fail."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, ACTIONS, clock)
        self.refuses_begin: Refusal | None = None
        self.refuses_end: Refusal | None = None
        self.ended = asyncio.Semaphore(0)

    async def begin(self, caller: Any, begun: Begun) -> int:
        """As the log's, unless told otherwise."""
        if self.refuses_begin:
            raise self.refuses_begin
        return await super().begin(caller, begun)

    async def end(self, action: int, caller: Any, ended: Ended) -> None:
        """As the log's, unless told otherwise."""
        if self.refuses_end:
            raise self.refuses_end
        await super().end(action, caller, ended)
        self.ended.release()

    async def entries(self) -> Sequence[Entry]:
        return (await self.page(Wanted(100, oldest_first=True))).entries

    async def ends(self) -> list[Ended]:
        return [entry.what for entry in await self.entries() if isinstance(entry.what, Ended)]

    async def end_when_there(self) -> Ended:
        """The only one, for what is written when nobody waits for it any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.ended.acquire()
        (end,) = await self.ends()
        return end


class Looking(Echo):
    """Sees what is on record while it is being called."""

    log: Log

    def __init__(self) -> None:
        super().__init__()
        self.were_urgent: list[bool] = []

    async def join(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        self.were_urgent.append(is_urgent())
        return await super().join(requests, context)

    async def say_parsed(self, request: Any, context: Any) -> bytes:
        self.were_urgent.append(is_urgent())
        return await super().say_parsed(request, context)

    async def say(self, request: bytes, context: Any) -> bytes:
        """How many entries there are."""
        self.asked += 1
        self.were_urgent.append(is_urgent())
        if request == b"unknown":
            raise CommitUnknown
        return str(len(await self.log.entries())).encode()


@pytest.fixture
def echo() -> Looking:
    return Looking()


@pytest_asyncio.fixture
async def log(tmp_path: Path, echo: Looking) -> AsyncIterator[Log]:
    database = metering_database_at(f"sqlite:///{tmp_path}/metering.db")
    echo.log = Log(database, ManualClock())
    yield echo.log
    await database.close()


@pytest_asyncio.fixture
async def server(tmp_path: Path, echo: Looking, log: Log) -> AsyncIterator[LocalServer]:
    admissions = {f"/{NAME}/{method}": admit(OPERATOR, PIPELINE) for method in METHODS}
    async with serving(
        tmp_path, echo.bolt(), admissions=admissions, clock=ManualClock(), actions=log
    ) as local:
        yield local


@pytest.fixture
def operator(server: LocalServer) -> Peer:
    return server.peer(OPERATOR, "ada", ["trust", "legal"])


@pytest_asyncio.fixture
async def channel(server: LocalServer) -> AsyncIterator[Any]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
def metadata(server: LocalServer) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {server.token(OPERATOR, 'ada')}")]


async def ask(peer: Peer, method: str, request: bytes = b"hello") -> bytes:
    answer: bytes = await peer.call(peer.channel.unary_unary(f"/{NAME}/{method}"), request)
    return answer


async def refused(peer: Peer, method: str, request: bytes = b"hello") -> str:
    with pytest.raises(Refusal) as caught:
        await ask(peer, method, request)
    return caught.value.reason


async def test_an_action_is_on_record_before_its_handler_runs_and_its_end_before_the_answer(
    operator: Peer, log: Log
) -> None:
    seen = await ask(operator, "Say")

    begun, ended = await log.entries()
    assert seen == b"1"
    assert (begun.caller.operator, begun.caller.roles) == ("ada", ("legal", "trust"))
    assert begun.caller.method == f"{NAME}/Say"
    assert (ended.action, ended.what) == (begun.number, Ended(Outcome.DONE))


async def test_what_others_do_is_not_an_action_of_an_operator(server: LocalServer, log: Log) -> None:
    await ask(server.peer(PIPELINE), "Say")

    assert await log.entries() == ()


async def test_an_action_is_urgent_unless_it_is_a_stream_or_long_and_what_others_do_is_not(
    server: LocalServer,
    operator: Peer,
    echo: Looking,
    channel: Any,
    metadata: list[tuple[str, str]],
) -> None:
    await ask(operator, "Say")
    await ask(operator, "SayParsed", HealthCheckRequest(service="x" * LONGEST_URGENT).SerializeToString())
    await channel.stream_unary(f"/{NAME}/Join")(iter([b"a"]), metadata=metadata)
    await ask(server.peer(PIPELINE), "Say")

    assert echo.were_urgent == [True, False, False, False]


async def test_a_stranger_and_a_request_that_cannot_be_read_leave_no_entry(
    server: LocalServer, operator: Peer, log: Log
) -> None:
    assert await refused(operator, "SayParsed", b"\xff") == "REQUEST_UNREADABLE"
    assert await refused(server.peer_showing(lambda: "nobody"), "Say") == "TOKEN_INVALID"

    assert await log.entries() == ()


async def test_no_entry_no_action(operator: Peer, log: Log, echo: Looking) -> None:
    log.refuses_begin = unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")

    assert await refused(operator, "Say") == "DATABASE_UNAVAILABLE"
    assert echo.asked == 0


async def test_who_hears_that_an_action_is_done_finds_its_end_on_record_or_repeats_it(
    operator: Peer, log: Log
) -> None:
    log.refuses_end = unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")
    first = await refused(operator, "Say")
    log.refuses_end = None
    await ask(operator, "Say")

    check = ChainCheck()
    for entry in await log.entries():
        check.add(entry)
    assert first == "DATABASE_UNAVAILABLE"
    assert check.fault is None
    # More than one, for a peer tries again by itself what is unavailable.
    assert check.unfinished == tuple(range(1, check.head.number - 1))
    assert await log.ends() == [Ended(Outcome.DONE)]


async def test_a_refusal_is_heard_also_where_it_cannot_be_put_on_record(operator: Peer, log: Log) -> None:
    log.refuses_end = unavailable("DATABASE_UNAVAILABLE", "the database cannot be written now")

    assert await refused(operator, "Refuse") == "NOT_READY"


async def test_the_outcome_says_what_was_refused_and_what_is_not_known(operator: Peer, log: Log) -> None:
    for method, request, reason in (
        ("Refuse", b"", "NOT_READY"),
        ("Fail", b"", "INTERNAL"),
        ("Say", b"unknown", "COMMIT_UNKNOWN"),
    ):
        assert await refused(operator, method, request) == reason

    first, second, *others = await log.ends()
    assert first == Ended(Outcome.REFUSED, "NOT_READY")
    assert second == Ended(Outcome.UNKNOWN, "INTERNAL")
    # More than one, for a peer tries again by itself what is unavailable.
    assert set(others) == {Ended(Outcome.UNKNOWN, "COMMIT_UNKNOWN")}


async def test_an_action_whose_caller_went_away_ends_as_not_known(
    operator: Peer, echo: Looking, log: Log
) -> None:
    calling = asyncio.create_task(ask(operator, "Wait"))
    await echo.entered.acquire()
    calling.cancel()

    assert await log.end_when_there() == Ended(Outcome.UNKNOWN, "CANCELLED")


async def test_a_stream_is_one_action_with_its_counts_in_the_outcome(
    channel: Any, metadata: list[tuple[str, str]], log: Log
) -> None:
    chat = channel.stream_stream(f"/{NAME}/ChatRaw")(iter([b"a", b"b", b"c"]), metadata=metadata)
    said = [answer async for answer in chat]
    joined = await channel.stream_unary(f"/{NAME}/Join")(iter([b"a", b"b"]), metadata=metadata)
    counted = [each async for each in channel.unary_stream(f"/{NAME}/Count")(b"4", metadata=metadata)]

    assert (said[0], joined, len(counted)) == (b"ada a", b"ada a b", 4)
    assert await log.ends() == [
        Ended(Outcome.DONE, requests=3, answers=3),
        Ended(Outcome.DONE, requests=2),
        Ended(Outcome.DONE, answers=4),
    ]


async def test_a_stream_that_its_caller_leaves_ends_as_not_known_with_what_was_answered(
    channel: Any, metadata: list[tuple[str, str]], log: Log
) -> None:
    lingering = channel.unary_stream(f"/{NAME}/Linger")(b"", metadata=metadata)
    assert await lingering.read() == b"here"
    lingering.cancel()

    assert await log.end_when_there() == Ended(Outcome.UNKNOWN, "CANCELLED", answers=1)
