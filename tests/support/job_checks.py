"""What must be so of a job that was killed, stopped or left standing, once it has ended."""

import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from typer.testing import CliRunner

from services.console.app import app
from sluice.licensing.v1.release_service_pb2 import DecideRequest
from tests.support.agreement import check_agreement
from tests.support.fleet import Fleet
from tests.support.reckoning import Books
from tests.support.running_jobs import RunningJob, books_of
from tests.support.waiting import until

MakeJob = Callable[[str], Awaitable[RunningJob]]
"""Makes a job under a license of the given name."""


@dataclass(frozen=True)
class Undisturbed:
    """A job to which nothing happened."""

    job: RunningJob
    output: bytes
    size: int
    """Bytes in all its files."""


async def check_as_if_nothing_had_happened(job: RunningJob, undisturbed: Undisturbed) -> None:
    """Output, receipts and bill of a job that has ended, and every sum in the books."""
    arguments = ["receipt", "verify", str(job.out), "--posts", str(job.posts)]
    # In this process, only because one of its own takes a second to start.
    verified = CliRunner().invoke(app, [*arguments, "--state", str(job.fleet.state.root), "--json"])
    assert verified.exit_code == 0, verified.exception
    assert json.loads(verified.stdout)["finished"]
    assert job.out.read_bytes() == undisturbed.output
    await check_bill(job)


async def check_nothing_was_delivered_on(job: RunningJob, orphans: set[str]) -> None:
    """On permits that ended while the job stood still: licensing knows, and metering keeps what was held."""
    bills = (await books_at_rest(job.fleet)).bills(job.license_id)
    late = [bill for bill in bills if bill.decision_id in orphans]
    assert len(late) == len(orphans)
    for bill in late:
        assert bill.billed == []
        assert bill.not_after_us is not None
        assert bill.confirmed_at_us is not None
        assert bill.confirmed_at_us >= bill.not_after_us
    assert orphans.isdisjoint(job.delivered)


async def books_at_rest(fleet: Fleet) -> Books:
    """The books as soon as outbox and sweeper have done what there was to do, and only if they add up."""
    books = books_of(fleet)
    await fleet.recovered()
    await until(books.are_at_rest, "outbox and sweeper were done", look_every=0.1)
    books.check(at_rest=True)
    assert await check_agreement(fleet.state.root) > 0
    return books


async def check_bill(job: RunningJob) -> None:
    """Checks that every release was confirmed, that each post of the output is billed once, and every sum."""
    books = await books_at_rest(job.fleet)
    asked = dict(_requests(job.files.receipts))
    billed = Counter[int]()
    for bill in books.bills(job.license_id):
        assert bill.delivered is not None or not bill.released, f"{bill.decision_id} was never confirmed"
        # Every decision of the ledger has its receipt beside the output, so none is billed unseen.
        billed.update(asked[bill.decision_id][position] for position in bill.billed)
    assert billed == Counter(ids_in(job.out))
    assert set(billed.values()) <= {1}


def ids_in(posts: Path) -> list[int]:
    """Ids of the posts of a file, in order."""
    return [int(json.loads(line)["id_str"]) for line in posts.read_bytes().splitlines()]


def _requests(receipts: Path) -> Iterator[tuple[str, list[int]]]:
    """For each receipt of a job its decision and the ids of the posts that were asked for."""
    for line in receipts.read_bytes().splitlines():
        fields: dict[str, Any] = json.loads(line)
        request = DecideRequest.FromString(base64.b64decode(fields["request"]))
        yield fields["decision_id"], np.frombuffer(request.columns.ids, "<u8").tolist()
