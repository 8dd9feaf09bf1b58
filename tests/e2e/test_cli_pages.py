"""`sluice up --console` as people run it: both pages before real services, and links that sign people in."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.console.installation import StateFolder
from services.console.traces import Span, find_trace
from tests.support.commands import Command, sluice
from tests.support.signing_in import come_in, page_after
from tests.support.up import Up, runs, up
from tests.support.waiting import until

FREE = ("--gateway-port", "0", "--settings-page-port", "0", "--console-port", "0")
PAGES = ("--console", *FREE, "--platform-name", "Chirp & Co")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("up") / "state", *PAGES) as running:
        yield running


async def link(running: Up, *arguments: str) -> str:
    made = await sluice(running.state, *arguments, "--json")
    assert made.status == 0, made.err
    return str(made.answer["sign_in"])


def lines_of(running: Up, page: str) -> list[dict[str, Any]]:
    log = StateFolder(running.state).log(page).read_text(encoding="utf-8")
    return [json.loads(line) for line in log.splitlines() if '"event": "request"' in line]


async def test_an_operator_comes_in_by_the_link_that_is_printed_and_the_page_is_above_the_calls_in_the_trace(
    running: Up,
) -> None:
    services = await asyncio.to_thread(running.services)

    page = await asyncio.to_thread(page_after, services["console"]["sign_in"])

    def told() -> str:
        """The trace of the page that came last: its line is written after its answer."""
        lines = [line for line in lines_of(running, "console") if line["route"] == "/"]
        return str(lines[-1]["trace_id"]) if lines else ""

    trace_id = await until(told, "the page is in the log", 0.05)
    folder = StateFolder(running.state).traces

    def both() -> list[Span]:
        """Those of the trace, once the page's own is written too, which ends last."""
        spans = find_trace(folder, trace_id)
        services = {span.service for span in spans if span.service != "console" or not span.parent_id}
        return spans if {"console", "consent"} <= services else []

    spans = await until(both, "the spans are written", 0.05)
    assert page.status_code == 200
    assert (spans[0].service, spans[0].name, spans[0].parent_id) == ("console", "GET /", "")


async def test_a_link_works_once(running: Up) -> None:
    address = await link(running, "console", "link", "--party", "ada", "--role", "trust")

    first = await asyncio.to_thread(page_after, address)
    second = await asyncio.to_thread(page_after, address)

    assert (first.status_code, second.status_code) == (200, 404)
    assert "LINK_USED" in second.text


async def test_a_subject_comes_in_through_the_gateway_and_is_in_no_log_of_the_page(running: Up) -> None:
    address = await link(running, "settings-page", "link", "--subject", "9007199254740993")

    page = await asyncio.to_thread(page_after, address)

    folder = StateFolder(running.state)
    assert page.status_code == 200
    assert "Chirp &amp; Co" in page.text
    for file in (folder.log("settings-page"), folder.trace_file("settings-page")):
        assert "9007199254740993" not in file.read_text(encoding="utf-8")


async def test_a_page_is_not_for_callers_of_another_kind(running: Up) -> None:
    agent = await link(running, "settings-page", "link", "--agent", "helper", "--for", "1001")
    services = await asyncio.to_thread(running.services)

    elsewhere = agent.replace(services["settings-page"]["address"], services["console"]["address"])
    refused = await asyncio.to_thread(page_after, elsewhere)

    # Each page has links of its own: not even the token is looked at.
    assert "LINK_USED" in refused.text


async def test_a_page_that_is_killed_runs_again_at_the_same_address_and_sessions_go_on(running: Up) -> None:
    services = await asyncio.to_thread(running.services)
    address = await link(running, "console", "link")
    visitor = await asyncio.to_thread(come_in, address)

    os.kill(services["console"]["pid"], signal.SIGKILL)
    await asyncio.to_thread(running.says, "console is running again")
    page = await asyncio.to_thread(visitor.get, "/")

    assert (page.status_code, page.url.path) == (200, "/")


async def test_ports_that_are_in_use_are_named(running: Up, tmp_path: Path) -> None:
    services = await asyncio.to_thread(running.services)
    taken = services["console"]["address"].rpartition(":")[2]

    second = await sluice(tmp_path, "up", "--port-base", "0", *PAGES, "--console-port", taken)

    assert second.status == 1
    assert f"port {taken} of 127.0.0.1, meant for console, is in use; choose another with --console-port" in (
        second.err
    )


async def test_what_is_for_the_pages_alone_is_refused_without_them(tmp_path: Path) -> None:
    refused = await sluice(tmp_path, "up", "--port-base", "0", "--platform-name", "Chirp")
    nowhere = await sluice(tmp_path / "nowhere", "console", "link")
    serving = await sluice(tmp_path / "nowhere", "console", "serve")

    assert refused.err == "CONSOLE_NOT_ASKED: --platform-name is for the pages: add --console\n"
    assert nowhere.err.startswith("STATE_MISSING: ")
    assert serving.err.startswith("STATE_MISSING: ")
    assert not (tmp_path / "nowhere").exists()


async def test_a_page_serves_alone_in_the_foreground_and_ends_with_0(running: Up) -> None:
    services = await asyncio.to_thread(running.services)
    folder = StateFolder(running.state)
    told = folder.announcement("console").read_text(encoding="ascii")

    serving = await Command.start(running.state, "console", "serve", "--port", "0")
    await until(lambda: folder.announcement("console").read_text(encoding="ascii") != told, "it serves")
    address = folder.address("console")
    page = await asyncio.to_thread(httpx.get, f"http://{address}/sign-in")
    serving.send(signal.SIGTERM)
    ended = await serving.ending()

    assert address != services["console"]["address"]
    assert (page.status_code, ended.status) == (200, 0)
    assert '"event": "draining"' in ended.err


def test_pages_drain_with_the_rest_and_nothing_is_left(tmp_path: Path) -> None:
    with up(tmp_path / "state", *PAGES) as running:
        services = running.services()
        calling = threading.Thread(target=page_after, args=(services["console"]["sign_in"],))
        calling.start()
        calling.join()

        running.send(signal.SIGINT)
        status = running.ending()

    assert status == 0
    assert {"settings-page", "console", "gateway"} < set(services)
    assert not any(runs(service["pid"]) for service in services.values())
