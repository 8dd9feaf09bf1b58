"""The login wall of a local installation, worked as people do, while the gateway asks about strangers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis.dialing import Peer
from services.chassis.identity import PrincipalKind
from services.console.credentials import minter
from services.console.installation import StateFolder
from sluice.metering.v1 import usage_pb2, usage_service_pb2
from sluice.metering.v1.usage_service_pb2_grpc import UsageServiceStub
from tests.support.command_line import Cli
from tests.support.up import Up, up
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.walls import reads_content

ADDRESS, NETWORK = "2001:db8:7::1", "network-2001-db8-7-48"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(
        tmp_path_factory.mktemp("wall") / "state", "--set", "licensing.network_interval_seconds=1"
    ) as running:
        yield running


@pytest.fixture
def cli(running: Up, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(running.state, capsys, monkeypatch)


def anonymous_hears(running: Up, *awaited: str) -> list[str]:
    """How anonymous calls to content go, one after the other, up to the first that goes as awaited."""
    minted = minter(StateFolder(running.state))
    address = running.services()["licensing"]["address"]

    async def ask() -> list[str]:
        gateway = Peer(address, lambda: minted.mint(PrincipalKind.SERVICE, "gateway"), name="licensing")
        told = list[str]()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not told or told[-1] not in awaited:
                told.append(await reads_content(gateway, address=ADDRESS))
        await gateway.close()
        return told

    return asyncio.run(ask())


def test_a_wall_is_raised_shown_and_lowered_and_what_was_read_without_one_is_counted(
    running: Up, cli: Cli
) -> None:
    assert cli("wall", "show").strip() == "There is no wall: it was never raised."
    before = anonymous_hears(running, "admitted")

    raised = cli.json("wall", "raise", "--reason", "scraping", "--for", "2h", "--open", "api")
    during = anonymous_hears(running, "LOGIN_REQUIRED", "admitted")
    cli("wall", "lower", "--reason", "they have stopped")
    after = anonymous_hears(running, "admitted", "LOGIN_REQUIRED")

    assert (raised["number"], raised["tiers"]) == (1, ["api"])
    assert (during, after) == (["LOGIN_REQUIRED"], ["admitted"])
    assert "lowered" in cli("wall", "show")
    assert [each["reason"] for each in cli.json("wall", "history")] == ["they have stopped", "scraping"]
    assert cli.refusal("wall", "lower", "--reason", "again")["reason"] == "WALL_NOT_UP"

    read = [*before, *after].count("admitted")
    asyncio.run(until_counted(running.state, running.services()["metering"]["address"], read))
    (row,) = cli.json("usage", "show", "--party", NETWORK)["rows"]
    assert (row["origin"], row["access"], row["kind"], row["used"]) == ("seen", "view", "post", read)


async def until_counted(state: Path, address: str, posts: int) -> None:
    """Returns when the metering at the address has as many accesses of the callers' network."""
    minted = minter(StateFolder(state))
    auditor = Peer(address, lambda: minted.mint(PrincipalKind.AUDITOR, "eve"), name="metering")
    request = usage_service_pb2.QueryUsageRequest(of=usage_pb2.UsageOf(party_id=NETWORK))
    used = 0
    async with asyncio.timeout(PATIENCE_SECONDS):
        while used < posts:
            answer = await auditor.call(UsageServiceStub(auditor.channel).QueryUsage, request)
            used = sum(row.used for row in answer.rows)
    await auditor.close()
