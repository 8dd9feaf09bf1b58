"""What `sluice release` says when it starts, ends and is told to stop."""

import asyncio
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest
import typer

from services.chassis.refusals import Refusal
from services.console import releases
from services.console.decisions import room_sentence
from services.console.receipts import verify
from services.console.releases import Releasing, exit_code
from sluice.licensing.v1.release_service_pb2 import RoomDenial
from sluice_gate.errors import JobRefused
from sluice_gate.plan import Plan
from sluice_gate.posts import NEVER_CLOSED, Broken
from sluice_gate.report import Ended, Report
from tests.support.gate import FakeReleases, jwks, licensing
from tests.support.release_jobs import a_file, a_job, a_plan, the_run

COMMAND = ["release", "my posts", "--license", "acme", "--out", "out"]


@pytest.fixture(autouse=True)
def _a_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["sluice", *COMMAND])


async def a_finished_job(folder: Path) -> Plan:
    fake, plan = FakeReleases(), a_plan(a_file(folder))
    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock).start()
    return plan


def test_lines_that_an_open_quote_swallowed_are_named_and_are_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report("a-run", broken=1_998, broken_named=[Broken(4, 2_001, 90, 99_000, NEVER_CLOSED)])
    report.open_quote = report.broken_named[0]
    report.end_of_input()

    releases.tell(report, a_plan(tmp_path), as_json=False)
    said = capsys.readouterr()

    assert exit_code(report) == 1
    assert "4\u20132001  a quoted field is never closed" in said.out
    assert "Done." not in said.out
    assert "Not all of it was released (OPEN_QUOTE): the file ends inside an open quote" in said.err


@pytest.mark.parametrize(
    ("denial", "said"),
    [
        (RoomDenial(never_fits=True), "the batch can never fit"),
        (RoomDenial(), "nobody knows when there is room again"),
    ],
)
def test_a_want_of_room_without_a_time_is_told_as_what_it_is_M8(denial: RoomDenial, said: str) -> None:  # noqa: N802
    assert said in room_sentence(denial)


def test_a_job_that_stopped_for_room_says_that_nobody_knows_when_there_is_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report("a-run")
    report.end(Ended.NO_ROOM, "NO_ROOM", "no room")

    releases.tell(report, a_plan(tmp_path), as_json=False)

    assert "Nobody knows when there is room again" in capsys.readouterr().err


async def test_a_run_that_stands_in_the_way_is_named_with_the_command_that_resumes_it(tmp_path: Path) -> None:
    plan = await a_finished_job(tmp_path)

    refusal = releases.with_its_run(JobRefused("OUT_EXISTS", "it is there"), plan)

    assert refusal.message.endswith(
        f"Go on with: {shlex.join(['sluice', *COMMAND, '--resume', the_run(plan)])}"
    )


def test_a_file_that_no_run_left_is_only_said_to_be_there(tmp_path: Path) -> None:
    refusal = releases.with_its_run(JobRefused("OUT_EXISTS", "it is there"), a_plan(tmp_path / "posts"))

    assert (refusal.reason, refusal.message) == ("OUT_EXISTS", "it is there")


async def test_the_run_is_told_on_stderr_when_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = a_plan(a_file(tmp_path, 0))

    report = await releases.run_job(plan, "127.0.0.1:9", lambda: "a-token", None)
    said = capsys.readouterr()

    assert report is not None
    resume = shlex.join(["sluice", *COMMAND, "--resume", report.run])
    assert said.err == f"Run {report.run}. Should it be cut short, go on with: {resume}\n"
    assert said.out == ""


async def test_a_second_ctrl_c_before_a_run_has_begun_leaves_nothing_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted_at_once(releasing: Releasing, resume: str | None = None) -> Report:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(Releasing, "run", interrupted_at_once)
    usual = signal.getsignal(signal.SIGINT)

    try:
        report = await releases.run_job(a_plan(a_file(tmp_path)), "127.0.0.1:9", lambda: "t", None)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
        signal.signal(signal.SIGINT, usual)

    assert report is None


@pytest.mark.parametrize("seconds", [float("inf"), float("nan")])
def test_a_patience_that_is_no_number_is_wrong_usage(seconds: float) -> None:
    with pytest.raises(typer.BadParameter):
        releases.microseconds_of(seconds, "--give-up-after")


@pytest.mark.parametrize("compared", [True, False])
async def test_a_verification_says_what_texts_were_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], compared: bool
) -> None:
    plan = await a_finished_job(tmp_path)
    keys = tmp_path / "keys.json"
    keys.write_bytes(jwks())

    verify(plan.out, keys=keys, posts=plan.posts if compared else None, state=tmp_path)
    said = capsys.readouterr()

    assert ("byte for byte as in it" in said.out) is compared
    assert ("compared only with the job's own record, not with the input" in said.err) is not compared


def test_verifying_makes_no_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "out").touch()

    with pytest.raises((Refusal, OSError)):
        verify(tmp_path / "out", state=tmp_path)

    assert list((tmp_path / "keys").iterdir()) == []
