"""Verifies all that a job left behind: every receipt, the manifest, and that the output is what was released.

The journal says where each batch stands in the files; everything it says is compared with what was signed.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sluice_gate.batching import Batch, batches
from sluice_gate.errors import FormError, JobRefused, VerificationError
from sluice_gate.journal import Entry, Header, read_entries, read_header
from sluice_gate.plan import JobFiles
from sluice_gate.posts import Broken, Post, Record
from sluice_gate.reading.forms import Format, PostForm
from sluice_gate.reading.lines import Span
from sluice_gate.reading.plain_form import Names
from sluice_gate.reading.reader import PostReader
from sluice_gate.request_ids import batch_request_id, check_run
from sluice_gate.verifying.encodings import from_base64, from_hex, json_object
from sluice_gate.verifying.keys import Keys
from sluice_gate.verifying.manifests import Leaf
from sluice_gate.verifying.receipts import Evidence, VerifiedReceipt, verify_receipt
from sluice_gate.verifying.requests import parse_request

_RECEIPT_LINE = {
    "batch", "decision_id", "delivered", "input", "output_sha256", "receipt", "request", "round", "salt",
    "verdicts",
}  # fmt: skip


@dataclass
class VerifiedJob:
    """What was verified."""

    run: str
    finished: bool = False
    """Whether the job reached the end of its input. If not, what it has done so far was verified."""
    batches: int = 0
    receipts: int = 0
    asked: int = 0
    """Posts."""
    delivered: int = 0
    """Posts, each released by a verified receipt and found in the output in its place."""
    contributors: int = 0
    """Lines of the manifest."""
    decision_ids: set[str] = field(default_factory=set)
    under_revoked_keys: int = 0
    """Receipts whose key was revoked later; see `VerifiedReceipt.key_is_revoked`."""


def verify_job(out: Path, keys: Keys, *, posts: Path | None = None) -> VerifiedJob:
    """Verifies the output of a job with what stands beside it, and against the input if `posts` is given.

    Without `posts`, texts are compared with the digests that the job itself has written down, which nobody
    signed. Raises VerificationError, and OSError where a file is not there.
    """
    files = JobFiles.beside(out)
    try:
        header = read_header(files.journal)
        check_run(header.run)
        with ExitStack() as stack:
            return _Verification(stack, files, header, keys, posts).run()
    except (JobRefused, FormError) as error:
        raise VerificationError(error.reason, error.message) from error
    except (VerificationError, OSError):
        raise
    except Exception as error:
        # Evidence comes from strangers. Whatever it makes us stumble over, it is not in order.
        raise VerificationError(
            "EVIDENCE_MALFORMED", f"the files cannot be read as a job's: {error}"
        ) from error


class _Verification:
    def __init__(
        self, stack: ExitStack, files: JobFiles, header: Header, keys: Keys, posts: Path | None
    ) -> None:
        self._files, self._header, self._keys = files, header, keys
        form = _form_of(header)
        self._receipts: BinaryIO = stack.enter_context(files.receipts.open("rb"))
        self._manifest: BinaryIO = stack.enter_context(files.manifest.open("rb"))
        self._out: BinaryIO = stack.enter_context(files.out.open("rb"))
        self._posts_out = stack.enter_context(closing(PostReader(files.out, form)))
        self._posts_in = stack.enter_context(closing(PostReader(posts, form))) if posts else None
        self._job = VerifiedJob(header.run)

    def run(self) -> VerifiedJob:
        self._check_preamble()
        before = _nothing_yet(self._posts_out.body)
        for entry in self._entries():
            _require(entry.batch == before.batch + 1, "JOURNAL_UNTRUE", "a batch is missing")
            _require(entry.input[0] == before.input[1], "JOURNAL_UNTRUE", "bytes of the input are missing")
            self._check_batch(entry, before)
            before = entry
        self._check_ends(before)
        return self._job

    def _entries(self) -> Iterator[Entry]:
        for line in read_entries(self._files.journal):
            if isinstance(line, Entry):
                yield line
            elif line is None:
                self._job.finished = True

    def _check_preamble(self) -> None:
        preamble = self._header.preamble
        _require(self._posts_out.body.start == preamble, "OUTPUT_DIFFERS", "the output begins otherwise")
        if self._posts_in:
            _require(
                self._posts_in.size == self._header.size, "INPUT_DIFFERS", "the input is of another size"
            )
            same = self._posts_in.preamble == self._posts_out.preamble
            _require(same, "OUTPUT_DIFFERS", "the output begins otherwise than the input")

    def _check_batch(self, entry: Entry, before: Entry) -> None:
        lines = _lines(_slice(self._receipts, before.receipts, entry.receipts))
        manifest = _slice(self._manifest, before.manifest, entry.manifest)
        rounds = entry.round + 1 if entry.decision_id else 0
        _require(len(lines) == rounds, "RECEIPTS_DIFFER", f"batch {entry.batch} lacks a receipt")
        asked: list[Post] = []
        delivered: list[bool] = []
        expected = b""
        for round, line in enumerate(lines):
            counts = round == entry.round
            verified = self._check_line(line, entry, before, round, manifest if counts else None)
            _require(not round or list(verified.posts) == asked, "RECEIPTS_DIFFER", "rounds of other posts")
            asked, delivered = list(verified.posts), list(verified.released)
            lines_of = [leaf.line(verified.claims.decision_id) for leaf in verified.leaves]
            expected = b"".join(lines_of) if counts else b""
            self._job.contributors += len(verified.leaves) if counts else 0
        _require(manifest == expected, "MANIFEST_DIFFERS", f"the manifest of batch {entry.batch} differs")
        _require(len(asked) == entry.posts, "JOURNAL_UNTRUE", "another number of posts")
        self._check_output(entry, before, [post for post, went in zip(asked, delivered, strict=True) if went])
        if self._posts_in:
            self._check_input(self._posts_in, entry, before, asked, delivered)
        self._count(entry, sum(delivered), len(lines))

    def _check_line(
        self, line: bytes, entry: Entry, before: Entry, round: int, manifest: bytes | None
    ) -> VerifiedReceipt:
        fields = json_object(line, "a line of receipts")
        _require(fields.keys() == _RECEIPT_LINE, "RECEIPTS_DIFFER", "a line of receipts with other fields")
        place = (fields["batch"], fields["round"], fields["input"])
        _require(
            place == (entry.batch, round, list(entry.input)), "RECEIPTS_DIFFER", "a receipt out of place"
        )
        evidence = _evidence(fields, manifest)
        request = evidence.request
        asked = (request.request_id, request.license_id, request.purpose)
        header = self._header
        expected = (batch_request_id(header.run, entry.batch, round), header.license_id, header.purpose)
        _require(asked == expected, "REQUEST_DIFFERS", "a receipt of another request than the job's")
        verified = verify_receipt(evidence, self._keys)
        decision_id = verified.claims.decision_id
        _require(fields["decision_id"] == decision_id, "RECEIPTS_DIFFER", "a receipt of another decision")
        _require(decision_id not in self._job.decision_ids, "RECEIPTS_DIFFER", "a decision used twice")
        self._job.decision_ids.add(decision_id)
        self._job.under_revoked_keys += verified.key_is_revoked
        self._check_delivered(fields, verified, entry, counts=round == entry.round)
        output = self._output(entry, before) if round == entry.round else b""
        same = fields["output_sha256"] == hashlib.sha256(output).hexdigest()
        _require(same, "OUTPUT_DIFFERS", f"the output of batch {entry.batch} is not as it was delivered")
        return verified

    def _output(self, entry: Entry, before: Entry) -> bytes:
        return _slice(self._out, before.output, entry.output)

    def _check_delivered(
        self, fields: dict[str, object], verified: VerifiedReceipt, entry: Entry, *, counts: bool
    ) -> None:
        released = np.array(verified.released, np.bool_) & counts
        bitmap = np.packbits(released, bitorder="little").tobytes().hex()
        _require(
            fields["delivered"] == bitmap, "DELIVERY_DIFFERS", "a delivery of other posts than were released"
        )
        if counts:
            same = (entry.delivered, entry.decision_id) == (bitmap, verified.claims.decision_id)
            _require(same, "JOURNAL_UNTRUE", "a delivery of another decision")

    def _check_output(self, entry: Entry, before: Entry, delivered: list[Post]) -> None:
        records = list(self._posts_out.read(Span(before.output, entry.output, 1)))
        found = [record.post for record in records if isinstance(record, Record)]
        _require(found == delivered, "OUTPUT_DIFFERS", f"the output of batch {entry.batch} holds other posts")
        size = sum(len(record.raw) for record in records if isinstance(record, Record))
        _require(size == entry.output - before.output, "OUTPUT_DIFFERS", "the output holds what is no post")

    def _check_input(
        self, reader: PostReader, entry: Entry, before: Entry, asked: list[Post], delivered: list[bool]
    ) -> None:
        batch = _read_again(reader, entry, before)
        broken = [Broken(*broken) for broken in entry.broken]
        _require(batch.broken == broken, "JOURNAL_UNTRUE", "other lines of the input are broken")
        _require(
            batch.posts == asked, "INPUT_DIFFERS", f"batch {entry.batch} is of other posts than the input's"
        )
        raw = b"".join(record.raw for record, went in zip(batch.records, delivered, strict=True) if went)
        same = raw == self._output(entry, before)
        _require(same, "OUTPUT_DIFFERS", f"the output of batch {entry.batch} is not as in the input")

    def _check_ends(self, last: Entry) -> None:
        ends = ((self._out, last.output), (self._receipts, last.receipts), (self._manifest, last.manifest))
        for file, length in ends:
            file.seek(0, 2)
            _require(
                file.tell() == length, "JOB_UNFINISHED", "a file is longer than the journal accounts for"
            )
        whole = last.input[1] == self._header.size
        _require(whole or not self._job.finished, "JOURNAL_UNTRUE", "the end of the input is missing")

    def _count(self, entry: Entry, delivered: int, receipts: int) -> None:
        job = self._job
        job.batches += 1
        job.receipts += receipts
        job.asked += entry.posts
        job.delivered += delivered


def _form_of(header: Header) -> PostForm:
    try:
        return PostForm(Format(header.format), Names(**header.names), header.zone)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise VerificationError("JOURNAL_DAMAGED", "the journal names no form of posts") from error


def _evidence(fields: dict[str, object], manifest: bytes | None) -> Evidence:
    leaves = None if manifest is None else [_leaf(line) for line in _lines(manifest)]
    return Evidence(
        receipt=str(fields["receipt"]),
        request=parse_request(from_base64(fields["request"], "a request")),
        verdicts=from_base64(fields["verdicts"], "the verdicts"),
        salt=from_hex(fields["salt"], "a salt"),
        manifest=leaves,
    )


def _leaf(line: bytes) -> Leaf:
    fields = json_object(line, "a line of the manifest")
    posts = fields.get("posts")
    try:
        ids = tuple(int(str(id)) for id in posts) if isinstance(posts, list) else ()
        return Leaf(int(str(fields["contributor"])), from_hex(fields["leaf_salt"], "the salt of a leaf"), ids)
    except (KeyError, ValueError) as error:
        raise VerificationError("MANIFEST_DIFFERS", "a line of the manifest cannot be read") from error


def _read_again(reader: PostReader, entry: Entry, before: Entry) -> Batch:
    span = Span(*entry.input, before.next_line)
    found = list(batches(reader, max(1, entry.posts + len(entry.broken)), span, entry.batch))
    _require(len(found) == 1, "INPUT_DIFFERS", f"batch {entry.batch} is not one batch of the input")
    return found[0]


def _nothing_yet(body: Span) -> Entry:
    start = body.start
    return Entry(
        batch=-1, round=0, decision_id="", input=(0, start), next_line=body.line, output=start, receipts=0,
        manifest=0, posts=0, delivered="", reasons={}, broken=[],
    )  # fmt: skip


def _lines(data: bytes) -> list[bytes]:
    *lines, rest = data.split(b"\n")
    _require(not rest, "RECEIPTS_DIFFER", "a line has no end")
    return lines


def _slice(file: BinaryIO, start: int, end: int) -> bytes:
    # Before anything is read: a journal may say any number, and memory is made for it.
    _require(start <= end <= file.seek(0, 2), "JOURNAL_UNTRUE", "a file is shorter than the journal says")
    file.seek(start)
    return file.read(end - start)


def _require(holds: bool, reason: str, message: str) -> None:
    if not holds:
        raise VerificationError(reason, message)
