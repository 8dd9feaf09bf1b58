"""Files of posts, and jobs over them, for tests of the gate."""

import json
from pathlib import Path
from typing import Any

from sluice.licensing.v1.release_service_pb2 import DecideRequest
from sluice.type.v1.purpose_pb2 import Purpose
from sluice_gate.client import Licensing
from sluice_gate.columns import columns_of
from sluice_gate.delivering import AtStep, Step
from sluice_gate.job import ReleaseJob
from sluice_gate.plan import Plan
from sluice_gate.reading.forms import Format, PostForm
from sluice_gate.reading.plain_form import Names, post_of
from sluice_gate.report import Report
from sluice_gate.session import Progress
from tests.support.gate import GateClock

FIRST_ID = 2**60 + 1
JSON_FORM = PostForm(Format.JSON)


def a_request(posts: int, license_id: str = "acme-2026") -> DecideRequest:
    """A request for the first so many posts of a file."""
    read = [post_of(json.loads(a_line(number)), Names(), None) for number in range(posts)]
    return DecideRequest(
        request_id="01999999-1111-7000-8000-000000000000",
        license_id=license_id,
        purpose=Purpose.PURPOSE_AI_TRAINING_GENERATIVE,
        columns=columns_of(read),
    )


class Crash(BaseException):
    """The process is gone: nothing that tidies up may catch this."""


def crash_at(step: Step, time: int = 1) -> AtStep:
    """Dies when `step` is reached for the `time`-th time."""
    left = time

    def at_step(reached: Step) -> None:
        nonlocal left
        left -= reached is step
        if reached is step and not left:
            raise Crash(step.name)

    return at_step


def a_line(number: int, author: int | None = None, **more: Any) -> bytes:
    """The `number`-th post as a JSON line; authors are 1, 2, 3 ... unless given."""
    post = {
        "id": str(FIRST_ID + number),
        "author_id": number + 1 if author is None else author,
        "created_at": "2016-04-19T00:02:06Z",
        "kind": "post",
        "language": "en",
        "text": f"text of {number}",
        **more,
    }
    return json.dumps(post).encode() + b"\n"


def a_file(folder: Path, posts: int = 10) -> Path:
    """A file of posts by as many authors."""
    path = folder / "posts.jsonl"
    path.write_bytes(b"".join(a_line(number) for number in range(posts)))
    return path


def a_plan(posts: Path, **more: Any) -> Plan:
    """A plan in small batches; the output stands beside the posts."""
    settings: dict[str, Any] = {
        "out": posts.parent / "out",
        "license_id": "acme-2026",
        "purpose": int(Purpose.PURPOSE_AI_TRAINING_GENERATIVE),
        "form": JSON_FORM,
        "batch_size": 2,
        "in_flight": 3,
        **more,
    }
    return Plan(posts, **settings)


def a_job(
    plan: Plan,
    licensing: Licensing,
    clock: GateClock,
    at_step: AtStep | None = None,
    on_progress: Progress | None = None,
) -> ReleaseJob:
    """A job whose run is always the same."""
    return ReleaseJob(
        plan, licensing, clock=clock, at_step=at_step, on_progress=on_progress, randomness=bytes
    )


async def until_done(plan: Plan, licensing: Licensing, clock: GateClock, run: str) -> Report:
    """Resumes a run."""
    return await a_job(plan, licensing, clock).resume(run)


def ids_in(out: Path) -> list[int]:
    """The posts of an output, in order."""
    return [int(json.loads(line)["id"]) for line in out.read_bytes().splitlines()]


def the_run(plan: Plan) -> str:
    """The run that a journal is of."""
    run = json.loads(plan.files.journal.read_bytes().split(b"\n")[0])["run"]
    assert isinstance(run, str)
    return run


def flips(data: bytes) -> list[bytes]:
    """Every copy of `data` with one byte changed in its lowest bit, and with one changed in its highest."""
    return [
        data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
        for place in range(len(data))
        for bit in (0x01, 0x80)
    ]
