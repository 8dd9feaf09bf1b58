"""A release job: posts out of one file, those that may leave into another, every decision accounted for.

No post is written twice, none is billed twice, none is delivered on an expired permit, and licensing hears
the truth about every decision, wherever the process dies. For each batch, in reading order:

    ask (several batches at a time) -> output -> receipts, manifest -> journal -> confirm -> note

What a resumed job finds, by the last step that was done before the process died:

- nothing asked: there is nothing to find; the batch is asked for as if it were new.
- asked, answer not received, or received and not written: the id of the request is the same, so licensing
  answers with the decision it has. While its permit lasts it is delivered on. After that it is void: that
  nothing was delivered is confirmed, and the batch is asked for again in the next round, under the next id.
  Several batches can be in this state; each walks its own rounds from the first.
- answer given up and confirmed as delivered to nobody, next round not asked: licensing shows the
  confirmation; such a decision is never delivered on, even while its permit lasts.
- output written, durable or not; receipts and manifest written, durable or not: the journal does not know the
  batch. The files are cut to what the journal accounts for, and the batch is as if it had never been written.
- journal entry torn: as above; the torn end of the journal is cut off. A journal that cannot be read anywhere
  else is refused, and so is an output shorter than its journal.
- journal entry whole: everything it speaks of was durable before. The batch is delivered and is not asked for
  again; what was delivered is confirmed again, late if need be. The first confirmation stands, and it is the
  same.
- journal entry written, its durability unknown, for the disk reported an error: the session ends and leaves
  the batch as it is, neither delivered nor given back; it is one of the cases above for whoever resumes.
- confirmed, not noted: it is confirmed once more, which changes nothing.
- finished: all that is not known to be confirmed is confirmed again, and nothing else happens.

A batch for which an allowance has no room is never passed by: the decisions on later batches are given back
first, so that the output stays in order and the room they took is free again.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from sluice_gate.answers import SANDBOX_KEY
from sluice_gate.asking import Asking
from sluice_gate.client import Licensing
from sluice_gate.clocks import Clock, SystemClock
from sluice_gate.confirming import Confirmations
from sluice_gate.delivering import AtStep, Deliveries, Outputs, Step
from sluice_gate.errors import JobRefused
from sluice_gate.journal import Entry, Journal, read_entries, read_header
from sluice_gate.plan import Plan, check_same, header_of
from sluice_gate.reading.reader import PostReader
from sluice_gate.report import Report
from sluice_gate.request_ids import check_run, new_run
from sluice_gate.session import Past, Progress, Session
from sluice_gate.turns import Rounds

_Result = TypeVar("_Result")


class ReleaseJob:
    """One job, to be started or resumed once."""

    def __init__(
        self,
        plan: Plan,
        licensing: Licensing,
        *,
        clock: Clock | None = None,
        on_run: Callable[[str], None] | None = None,
        on_progress: Progress | None = None,
        at_step: AtStep | None = None,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        """`on_run` gets the id of the run before anything is asked: who is to resume it must know it."""
        self._plan = plan
        self._licensing = licensing
        self._clock = clock or SystemClock()
        self._on_run = on_run or (lambda run: None)
        self._on_progress = on_progress or (lambda done, size, report: None)
        self._at_step = at_step or (lambda step: None)
        self._randomness = randomness
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ends the job soon and in good order: what is being written is finished, the rest is given back."""
        self._stop.set()

    async def start(self) -> Report:
        """Begins a new run. Raises JobRefused and FormError, and then nothing was asked.

        With a sandbox key no file is left behind.
        """
        plan, run = self._plan, new_run(self._clock.now_us(), self._randomness(16))
        plan.files.check_absent()
        with closing(_or_refused(lambda: PostReader(plan.posts, plan.form))) as reader:
            header = _or_refused(lambda: header_of(plan, run, reader))
            with closing(_or_refused(lambda: Journal.create(plan.files.journal, header))) as journal:
                self._on_run(run)
                self._at_step(Step.JOURNAL_MADE)
                with closing(_or_refused(lambda: Outputs.create(plan.files))) as outputs:
                    report = await self._session(reader, journal, outputs, Past(Report(run))).run()
                if report.reason == SANDBOX_KEY and not report.receipts and not report.unconfirmed:
                    # Nothing of it happened, and nothing would: there is no run to resume.
                    _or_refused(plan.files.remove)
                return report

    async def resume(self, run: str) -> Report:
        """Takes up a run where it stopped. Raises JobRefused and FormError, and then nothing was asked."""
        plan = self._plan
        check_run(run)
        with closing(_or_refused(lambda: PostReader(plan.posts, plan.form))) as reader:
            header = _or_refused(lambda: header_of(plan, run, reader))
            with closing(_or_refused(lambda: Journal.open(plan.files.journal))) as journal:
                check_same(read_header(plan.files.journal), header)
                self._on_run(run)
                past = _past(plan, run)
                with closing(_or_refused(lambda: Outputs.reopen(plan.files, past.last))) as outputs:
                    return await self._session(reader, journal, outputs, past).run()

    def _session(self, reader: PostReader, journal: Journal, outputs: Outputs, past: Past) -> Session:
        plan, clock, run = self._plan, self._clock, past.report.run
        if past.last is None:
            # What stands before the first post is no post: it is copied as it is.
            _or_refused(lambda: _begin(outputs, reader.preamble))
        asking = Asking(self._licensing, clock, plan.give_up_after_us, self._stop)
        return Session(
            plan=plan,
            clock=clock,
            stop=self._stop,
            asking=asking,
            rounds=Rounds(run, plan.license_id, plan.purpose, asking, clock),
            deliveries=Deliveries(outputs, journal, clock, self._at_step),
            confirmations=Confirmations(asking, journal, plan.in_flight, self._at_step),
            journal=journal,
            reader=reader,
            past=past,
            on_progress=self._on_progress,
            at_step=self._at_step,
        )


def _past(plan: Plan, run: str) -> Past:
    """What the journal says has been done."""
    past = Past(Report(run))
    for line in read_entries(plan.files.journal):
        if isinstance(line, Entry):
            past.report.count(line)
            past.last = line
            if line.delivers:
                past.owed[line.batch] = line
        elif line is None:
            past.finished = True
        else:
            past.owed.pop(line, None)
    return past


def _begin(outputs: Outputs, preamble: bytes) -> None:
    outputs.out.append(preamble)
    outputs.out.sync()


def _or_refused(opening: Callable[[], _Result]) -> _Result:
    """The result of opening a file, or a refusal that says which could not be."""
    try:
        return opening()
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise JobRefused("FILE_UNUSABLE", f"{name}{error.strerror or error}") from error
