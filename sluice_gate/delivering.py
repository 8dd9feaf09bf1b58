"""Writes a batch that is decided, in the one order that survives a crash at any point.

Output, then receipts and manifest, then the journal; each durable before the next begins. Only what is in the
journal counts as delivered.
"""

import base64
import enum
import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass

from sluice_gate.answers import Answer
from sluice_gate.clocks import Clock
from sluice_gate.errors import JobRefused
from sluice_gate.files import AppendFile, sync_folder
from sluice_gate.journal import Entry, Journal, encode
from sluice_gate.plan import JobFiles
from sluice_gate.turns import Turn
from sluice_gate.verifying.manifests import leaves_of


class Step(enum.Enum):
    """The moments of a job between which it can die; see `job`."""

    JOURNAL_MADE = enum.auto()
    ANSWERED = enum.auto()
    OUTPUT_WRITTEN = enum.auto()
    OUTPUT_DURABLE = enum.auto()
    RECEIPTS_WRITTEN = enum.auto()
    RECEIPTS_DURABLE = enum.auto()
    JOURNAL_DURABLE = enum.auto()
    CONFIRMED = enum.auto()


AtStep = Callable[[Step], None]
"""Called at each step. What it raises ends the job there, as if the process had died."""


@dataclass(frozen=True)
class Outputs:
    """The three files that grow with each batch."""

    out: AppendFile
    receipts: AppendFile
    manifest: AppendFile

    @classmethod
    def create(cls, files: JobFiles) -> "Outputs":
        """New files. Raises JobRefused (OUT_EXISTS) and OSError."""
        try:
            made = cls(*(AppendFile.create(path) for path in (files.out, files.receipts, files.manifest)))
        except FileExistsError as error:
            raise JobRefused("OUT_EXISTS", f"{error.filename} exists already") from error
        sync_folder(files.out.parent)
        return made

    @classmethod
    def reopen(cls, files: JobFiles, last: Entry | None) -> "Outputs":
        """The files of a job that is resumed, cut to what the journal accounts for.

        Raises JobRefused (OUTPUT_SHORTER) if one of them has lost something, and OSError.
        """
        paths = (files.out, files.receipts, files.manifest)
        outputs = cls(*(AppendFile.open(path, create=last is None) for path in paths))
        lengths = (last.output, last.receipts, last.manifest) if last else (0, 0, 0)
        for file, length in zip((outputs.out, outputs.receipts, outputs.manifest), lengths, strict=True):
            if file.length < length:
                outputs.close()
                raise JobRefused("OUTPUT_SHORTER", f"{file.path} is shorter than its journal says")
        for file, length in zip((outputs.out, outputs.receipts, outputs.manifest), lengths, strict=True):
            file.cut(length)
        return outputs

    def close(self) -> None:
        """Lets the files go."""
        for file in (self.out, self.receipts, self.manifest):
            file.close()


class Deliveries:
    """Delivers batches in order."""

    def __init__(self, outputs: Outputs, journal: Journal, clock: Clock, at_step: AtStep) -> None:
        self._outputs = outputs
        self._journal = journal
        self._clock = clock
        self._at_step = at_step

    def deliver(self, turn: Turn, answer: Answer | None) -> Entry | None:
        """Writes a batch for good; None if the permit ended first, and then nothing is written.

        `answer` is None where the batch has no post to ask for. Blocks until everything is durable. Raises
        OSError.
        """
        output = _output_of(turn, answer)
        if answer is not None and output and not self._write_output(turn, answer, output):
            return None
        self._write_receipts(turn, answer, output)
        entry = self._entry(turn, answer)
        self._journal.add(entry)
        self._at_step(Step.JOURNAL_DURABLE)
        return entry

    def _write_output(self, turn: Turn, answer: Answer, output: bytes) -> bool:
        if self._is_over(answer):
            return False
        out = self._outputs.out
        before = out.length
        turn.begun = True
        out.append(output)
        self._at_step(Step.OUTPUT_WRITTEN)
        out.sync()
        self._at_step(Step.OUTPUT_DURABLE)
        if self._is_over(answer):
            # The disk took longer than the permit lasted: what is not in the journal was not delivered.
            out.cut(before)
            turn.begun = False
            return False
        return True

    def _is_over(self, answer: Answer) -> bool:
        return self._clock.elapsed_us() >= answer.deliver_before_us

    def _write_receipts(self, turn: Turn, answer: Answer | None, output: bytes) -> None:
        if answer is None:
            return
        answers = [*turn.spent, answer]
        lines = (
            _receipt_line(turn, kept, round, output if kept is answer else None)
            for round, kept in enumerate(answers)
        )
        self._outputs.receipts.append(b"".join(lines))
        if manifest := _manifest_lines(turn, answer):
            self._outputs.manifest.append(manifest)
        self._at_step(Step.RECEIPTS_WRITTEN)
        self._outputs.receipts.sync()
        if manifest:
            self._outputs.manifest.sync()
        self._at_step(Step.RECEIPTS_DURABLE)

    def _entry(self, turn: Turn, answer: Answer | None) -> Entry:
        batch, outputs = turn.batch, self._outputs
        return Entry(
            batch=batch.ordinal,
            round=turn.round,
            decision_id=answer.decision.decision_id if answer else "",
            input=(batch.span.start, batch.span.end),
            next_line=batch.next_line,
            output=outputs.out.length,
            receipts=outputs.receipts.length,
            manifest=outputs.manifest.length,
            posts=len(batch.records),
            delivered=answer.bitmap().hex() if answer else "",
            reasons=dict(answer.reasons()) if answer else {},
            broken=[astuple(broken) for broken in batch.broken],
            waits=turn.waits,
        )


def _output_of(turn: Turn, answer: Answer | None) -> bytes:
    """The records that may go, byte for byte."""
    if answer is None:
        return b""
    records = zip(turn.batch.records, answer.released.tolist(), strict=True)
    return b"".join([record.raw for record, released in records if released])


def _receipt_line(turn: Turn, answer: Answer, round: int, output: bytes | None) -> bytes:
    """One decision as it is kept; `output` is what was delivered on it, None where that is nothing."""
    decision, delivered = answer.decision, output is not None
    return encode(
        {
            "batch": turn.batch.ordinal,
            "decision_id": decision.decision_id,
            "delivered": (answer.bitmap() if delivered else answer.nothing()).hex(),
            "input": [turn.batch.span.start, turn.batch.span.end],
            "output_sha256": hashlib.sha256(output or b"").hexdigest(),
            "receipt": decision.receipt,
            "request": base64.b64encode(answer.request.SerializeToString(deterministic=True)).decode(),
            "round": round,
            "salt": decision.salt.hex(),
            "verdicts": base64.b64encode(decision.verdicts).decode(),
        }
    )


def _manifest_lines(turn: Turn, answer: Answer) -> bytes:
    leaves = leaves_of(turn.batch.posts, answer.released.tolist(), answer.decision.salt)
    return b"".join([leaf.line(answer.decision.decision_id) for leaf in leaves])
