"""A name server that says nothing holds up nobody but whoever asked it."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from threading import Event
from typing import Any

import pytest

from services.chassis.names import MOST_OPEN, SystemNames
from services.chassis.public_addresses import target_of
from services.licensing.domain.webhooks.webhooks import Failure, Fault
from services.licensing.webhook_peer import WebhookPeer

IN_VAIN = Failure(Fault.TIMED_OUT)
SHORT_SECONDS = 0.05


class Resolver:
    """The machine's resolver: names under `hang.example` get their answer when the test is over."""

    def __init__(self) -> None:
        self.over = Event()
        self.asked: list[str] = []

    def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        if host.endswith(".hang.example"):
            self.over.wait()
        if host.startswith("no."):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.getaddrinfo)
    yield resolver
    resolver.over.set()


async def post(peer: WebhookPeer, host: str) -> Failure | None:
    return await peer.post(target_of(f"https://{host}/in"), (), b"{}")


async def eventually(names: SystemNames, host: str) -> Sequence[str]:
    """Its addresses, when the lookup before has come back."""
    while True:
        try:
            return await names.resolve(host, 443)
        except TimeoutError:
            await asyncio.sleep(0)


async def test_lookups_that_hang_leave_the_threads_of_everybody_else_alone(resolver: Resolver) -> None:
    peer = WebhookPeer(deadline_seconds=SHORT_SECONDS)

    failures = await asyncio.gather(*(post(peer, f"l{number}.hang.example") for number in range(8)))
    taken = await asyncio.wait_for(asyncio.to_thread(lambda: "taken"), 1)

    assert failures == [IN_VAIN] * 8
    assert taken == "taken"


async def test_a_name_whose_lookup_still_hangs_is_not_asked_again(resolver: Resolver) -> None:
    names = SystemNames()
    await post(WebhookPeer(resolve=names.resolve, deadline_seconds=SHORT_SECONDS), "slow.hang.example")

    again = await asyncio.wait_for(post(WebhookPeer(resolve=names.resolve), "slow.hang.example"), 1)

    assert again == IN_VAIN
    assert resolver.asked == ["slow.hang.example"]


async def test_a_name_is_asked_again_once_its_answer_came(resolver: Resolver) -> None:
    names = SystemNames()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(names.resolve("slow.hang.example", 443), SHORT_SECONDS)

    resolver.over.set()
    found = await eventually(names, "slow.hang.example")

    assert found == ["192.0.2.1"]


async def test_no_more_threads_wait_than_there_may_be(resolver: Resolver) -> None:
    names = SystemNames()
    hanging = [
        asyncio.create_task(names.resolve(f"l{number}.hang.example", 443)) for number in range(MOST_OPEN)
    ]
    await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await names.resolve("good.example", 443)
    resolver.over.set()
    await asyncio.gather(*hanging)

    assert await names.resolve("good.example", 443) == ["192.0.2.1"]


async def test_a_name_that_is_none_is_an_error_of_the_system(resolver: Resolver) -> None:
    with pytest.raises(socket.gaierror):
        await SystemNames().resolve("no.example", 443)


def test_a_process_ends_while_a_lookup_hangs() -> None:
    program = """
import asyncio, socket, threading
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
from services.chassis.names import SystemNames
try:
    asyncio.run(asyncio.wait_for(SystemNames().resolve("hang.example", 443), 0.05))
except TimeoutError:
    print("over")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    )

    assert (ended.stdout, ended.stderr) == ("over\n", "")
