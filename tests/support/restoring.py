"""A service's database that is backed up, and restored later: while its process is stopped, or under it."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.dialing import Peer
from services.chassis.group_commit import EXIT_IO_ERROR
from services.chassis.identity import PrincipalKind
from services.chassis.kept_heads import KeptHead, decode
from services.chassis.refusals import Refusal
from tests.support.keys import a_minter, some_keys
from tests.support.postgres import PostgresServer
from tests.support.replicas import PATIENCE_SECONDS, Replica
from tests.support.waiting import until

DEADLINE_US = 20_000_000


class Store(Protocol):
    """Where a database is."""

    @property
    def url(self) -> str: ...

    def back_up(self) -> None:
        """Copies it; nobody has it open."""
        ...

    def restore(self) -> None:
        """Puts the copy in its place, whoever has it open."""
        ...


class FileStore:
    """A SQLite file, and a copy of it."""

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "service.db", folder / "backup.db"
        self.url = f"sqlite:///{self._file}"

    def back_up(self) -> None:
        shutil.copy(self._file, self._copy)

    def restore(self) -> None:
        """As docs/restores.md has it: what was not yet in the file goes, and another file takes its place."""
        for part in ("-wal", "-shm"):
            self._file.with_name(self._file.name + part).unlink(missing_ok=True)
        draft = self._copy.with_suffix(".draft")
        shutil.copy(self._copy, draft)
        draft.replace(self._file)


class ServerStore:
    """A database of a server, and a copy of it."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self.url = server.new_database()
        self._name = self.url.rpartition("/")[2]

    def back_up(self) -> None:
        self._server.execute(f"CREATE DATABASE {self._name}_copy TEMPLATE {self._name}")

    def restore(self) -> None:
        """Ends all sessions, and gives a copy of the copy the name of the database."""
        name = self._name
        self._server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self._server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        self._server.execute(f"CREATE DATABASE {name} TEMPLATE {name}_copy")


class Restorable:
    """A service as one process at a time, over a database that is restored; its head is kept beside."""

    def __init__(self, service: str, folder: Path, store: Store) -> None:
        self.store = store
        self._service, self._folder = service, folder
        self._process = self._replica()
        self._minter = a_minter(some_keys(folder))
        self._peers = list[Peer]()

    async def start(self) -> None:
        """Returns when it serves, on an address of its own; raises AssertionError with what it said."""
        self._process = self._replica()
        await self._process.start()

    async def stop(self) -> None:
        """Ends it in order."""
        await self.hang_up()
        assert await self._process.stop() == 0

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        await self.hang_up()
        await self._process.kill()

    async def hang_up(self) -> None:
        """Closes the connections to it."""
        for peer in self._peers:
            await peer.close()
        self._peers.clear()

    async def refusal_to_start(self) -> str:
        """The line that it ends with instead of serving."""
        status, said = await self._replica().run()
        assert status == 1
        return said

    async def accept(self) -> tuple[int, str]:
        """The operator's acceptance: exit status, and what is said."""
        return await self._replica().run("--accept-restore", "--reason", "the disk died", "--by", "olga")

    def peer(self, kind: PrincipalKind = PrincipalKind.SERVICE) -> Peer:
        """A connection to the process, as a service, or as an operator with every role."""
        roles = ["admin"] if kind is PrincipalKind.OPERATOR else []
        peer = Peer(
            self._process.address,
            lambda: self._minter.mint(kind, "licensing", roles),
            name=self._service,
            default_deadline_us=DEADLINE_US,
        )
        self._peers.append(peer)
        return peer

    async def refuses(self, call: Awaitable[Any]) -> bool:
        """Whether the process serves no more: it says that its database is behind, or has ended over it."""
        reason = await reason_of(call)
        return reason == "DATABASE_BEHIND" or (self._has_given_up and reason == "PEER_UNAVAILABLE")

    @property
    def _has_given_up(self) -> bool:
        return self._process.status == EXIT_IO_ERROR

    async def is_healthy(self) -> bool:
        """Whether its health says SERVING."""
        if self._has_given_up:
            return False
        async with grpc.aio.insecure_channel(self._process.address) as channel:
            asked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            status = (await asked).status
        return bool(status == health_pb2.HealthCheckResponse.SERVING)

    @property
    def kept(self) -> Path:
        """The file with the kept head."""
        return self._folder / "heads" / f"{self._service}.head"

    def kept_head(self) -> KeptHead:
        """What it says."""
        return decode(self.kept.read_bytes())

    async def until_kept(self, number: int) -> None:
        """Returns when the file says so much."""
        await until(lambda: self.kept_head().head.number >= number, f"{number} is kept")

    async def until_refused(self, ask: Callable[[], Awaitable[Any]]) -> None:
        """Returns when the process has noticed that its database was restored, or has given up on it.

        To whom a file is changed under, its first sign may be a read that fails, which ends the process.
        """
        reason: str | None = None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while reason != "DATABASE_BEHIND" and not self._has_given_up:
                reason = await reason_of(ask())
                # Sessions were ended; and of a file that nobody finds any more is read for a moment.
                assert reason in {None, "DATABASE_UNAVAILABLE", "PEER_UNAVAILABLE", "DATABASE_BEHIND"}

    def _replica(self) -> Replica:
        folder = self._folder
        settings = {
            "DATABASE_URL": self.store.url,
            "STATE_DIR": str(folder),
            "HEAD_DIR": str(folder / "heads"),
        }
        return Replica(f"services.{self._service}", self._service, folder, settings)


async def reason_of(call: Awaitable[Any]) -> str | None:
    """The reason that a call is refused for; None where it is answered."""
    try:
        await call
    except Refusal as refusal:
        return refusal.reason
    return None
