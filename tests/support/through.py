"""A whole installation behind its gateway: real services, the real Envoy, and a platform's page behind it.

Callers come from networks that a test chooses: the addresses 127.0.NETWORK.1, which are /24s of their own to
the gateway, as callers of as many places are.
"""

import contextlib
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from google.protobuf.message import Message

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.ids import uuid7
from services.console.connections import Connections
from services.console.credentials import OPERATOR, PIPELINE, minter
from services.console.installation import StateFolder
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.type.v1.purpose_pb2 import PURPOSE_AI_TRAINING_GENERATIVE
from tests.support.gateway_callers import Outcome, in_json, over_grpc, over_grpc_web
from tests.support.http_forms import http_form
from tests.support.ports import HOST
from tests.support.up import Up, up
from tests.support.waiting import until, until_told

ORIGIN = "https://settings.example"
CONTENT = "/posts/"
LICENSE = "acme-training"
UNKNOWN_POST = 999
"""Which the directory does not know."""
REQUEST_RELEASE = "/sluice.licensing.v1.ReleaseService/RequestRelease"
PATIENCE_OF_A_CLIENT_SECONDS = 30.0
Headers = Mapping[str, str]


class Through:
    """What tests do to an installation from outside, and to its processes."""

    def __init__(self, running: Up) -> None:
        self.up = running
        self.state = StateFolder(running.state)
        self._started = running.services()
        self.address: str = self._started["gateway"]["address"]
        self._minted = minter(self.state)

    def token(
        self, kind: PrincipalKind, party: str, roles: Sequence[str] = (), subjects: Sequence[int] = ()
    ) -> str:
        """A token of the installation's own keys."""
        return self._minted.mint(kind, party, roles, subjects=subjects)

    def shown(
        self, kind: PrincipalKind, party: str, roles: Sequence[str] = (), subjects: Sequence[int] = ()
    ) -> dict[str, str]:
        """What such a caller shows."""
        return bearer(self.token(kind, party, roles, subjects))

    @property
    def acme(self) -> dict[str, str]:
        """What the licensee of `LICENSE` shows."""
        return self.shown(PrincipalKind.LICENSEE, "acme")

    @property
    def admin(self) -> dict[str, str]:
        """What an operator of all roles shows."""
        return self.shown(PrincipalKind.OPERATOR, "ada", ("admin", "legal", "trust", "finance"))

    def client(self, network: int = 0) -> httpx.AsyncClient:
        """A client of HTTP/1.1 in one of the networks."""
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.{network}.1")
        url = f"http://{self.address}"
        return httpx.AsyncClient(base_url=url, transport=transport, timeout=PATIENCE_OF_A_CLIENT_SECONDS)

    def operator(self) -> Connections:
        """The services themselves, past the gateway, as an operator."""
        return self._inside(OPERATOR.kind, OPERATOR.party, OPERATOR.roles)

    def as_pipeline(self) -> Connections:
        """The services themselves, past the gateway, as a pipeline."""
        return self.inside(PIPELINE.kind, PIPELINE.party)

    def inside(self, kind: PrincipalKind, party: str) -> Connections:
        """The services themselves, past the gateway."""
        return self._inside(kind, party, ())

    def _inside(self, kind: PrincipalKind, party: str, roles: Sequence[str]) -> Connections:
        addresses = {name: each["address"] for name, each in self._started.items()}
        return Connections(addresses, lambda: self.token(kind, party, roles))

    def address_of(self, service: str) -> str:
        """host:port, the same through all of its processes."""
        address: str = self._started[service]["address"]
        return address

    def pid(self, service: str) -> int:
        """The process that a service runs as now, also after it was started again."""
        first: int = self._started[service]["pid"]
        said = self.up.last_said(f"{service} is running again, as process ")
        return first if said is None else int(said.rpartition(" ")[2].rstrip("."))

    @contextlib.contextmanager
    def stopped(self, *services: str) -> Iterator[None]:
        """Services that stand still: their connections stay, and nothing is answered."""
        pids = [self.pid(service) for service in services]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    @contextlib.asynccontextmanager
    async def gone(self, *services: str) -> AsyncIterator[None]:
        """Services that are not there: nobody starts them again before the end of the context."""
        supervisor = self.up.process.pid
        os.kill(supervisor, signal.SIGSTOP)
        pids = {service: self.pid(service) for service in services}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
            await until(lambda p=pid: has_ended(p), f"process {pid} has ended")  # type: ignore[misc]
        try:
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)
            for service, before in pids.items():
                await until(lambda s=service, b=before: self.pid(s) != b, f"{service} is there", 0.05)  # type: ignore[misc]

    async def serving(self) -> None:
        """Returns when all of the services answer again, whichever of them calls which."""

        async def answer() -> bool:
            async with self.client() as client:
                policies = await client.get("/v1/policies", headers=self.acme)
            return policies.is_success and (await self.release(UNKNOWN_POST)).is_success

        await until_told(answer, "all services answer")

    async def three_ways(
        self, rpc: str, request: Message, headers: Headers, network: int = 0, **sent: Any
    ) -> list[Outcome]:
        """The same call in JSON, over gRPC and over gRPC-Web, one after the other.

        `sent` are further fields of the body in JSON.
        """
        async with self.client(network) as client:
            form = http_form(rpc, request)
            return [
                in_json(
                    await client.request(
                        form.verb, form.path, params=form.query, content=form.content(sent), headers=headers
                    )
                ),
                await over_grpc(self.address, rpc, request.SerializeToString(), headers),
                await over_grpc_web(client, rpc, request.SerializeToString(), headers),
            ]

    async def release(self, *ids: int, headers: Headers | None = None, network: int = 0) -> httpx.Response:
        """A request by post id in JSON, as the licensee of `LICENSE` unless others are shown."""
        form = http_form(REQUEST_RELEASE, a_request(*ids))
        async with self.client(network) as client:
            return await client.post(form.path, content=form.content({}), headers=headers or self.acme)

    async def decided(self, *ids: int) -> dict[str, Any]:
        """The decision on such a request, in JSON; fails where there is none."""
        answer = await self.release(*ids)
        assert answer.is_success, answer.text
        decision: dict[str, Any] = json.loads(answer.content)["decision"]
        return decision


def has_ended(pid: int) -> bool:
    """Also one that nobody has taken note of yet, whose ports are free by then."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):  # gone before it was opened, and between that and reading
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"authorization": f"Bearer {token}"}


def new_id() -> str:
    """A fresh request id."""
    return uuid7(SystemClock().now_us())


def a_request(*ids: int, license_id: str = LICENSE) -> pb.RequestReleaseRequest:
    """A licensee's, for training, under a new id."""
    return pb.RequestReleaseRequest(
        request_id=new_id(), license_id=license_id, purpose=PURPOSE_AI_TRAINING_GENERATIVE, post_ids=ids
    )


class _Page(BaseHTTPRequestHandler):
    """The platform's own page: a document of its own, or the path and where it was told the reader is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Every other path is a post."""
        assert isinstance(self.server, _Server)
        seen = f"{self.path} {self.headers.get('x-forwarded-for', '')}".encode()
        said = self.server.documents.get(self.path, seen)
        self.send_response(200)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    def __init__(self, documents: Mapping[str, bytes]) -> None:
        super().__init__((HOST, 0), _Page)
        self.documents = documents


@contextlib.contextmanager
def a_platform(documents: Mapping[str, bytes]) -> Iterator[str]:
    """A platform's own server with these documents, by path; its URL."""
    server = _Server(documents)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def through(folder: Path, platform: str, *arguments: str) -> Iterator[Through]:
    """A running installation with its gateway before it and a platform, and nothing in it."""
    gateway = ("--gateway", "--origin", ORIGIN)
    with up(folder / "state", *gateway, "--content", f"{platform}{CONTENT}", *arguments) as running:
        yield Through(running)
