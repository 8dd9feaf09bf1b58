"""The offline verifier over a whole job: every file that it left, and nothing left out or altered."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sluice_gate.errors import VerificationError
from sluice_gate.verifying.jobs import verify_job
from sluice_gate.verifying.keys import parse_keys
from tests.support.gate import FakeReleases, canonical, jwks, licensing
from tests.support.release_jobs import a_file, a_job, a_plan, flips

KEYS = parse_keys(jwks())


async def _finished(tmp_path: Path) -> Any:
    fake, plan = FakeReleases(), a_plan(a_file(tmp_path, 3))
    async with licensing(fake) as client:
        await a_job(plan, client, fake.clock).start()
    return plan


@pytest.mark.parametrize("kind", ["out", "receipts", "manifest"])
async def test_any_flipped_byte_of_what_a_job_left_is_rejected(tmp_path: Path, kind: str) -> None:
    plan = await _finished(tmp_path)
    path = getattr(plan.files, kind)
    whole = path.read_bytes()

    for flip in flips(whole)[:: 1 if kind == "manifest" else 7]:
        path.write_bytes(flip)
        with pytest.raises(VerificationError):
            verify_job(plan.out, KEYS, posts=plan.posts)


async def test_a_flipped_byte_of_the_journal_is_rejected_or_changes_nothing(tmp_path: Path) -> None:
    plan = await _finished(tmp_path)
    honest = verify_job(plan.out, KEYS, posts=plan.posts)
    whole = plan.files.journal.read_bytes()
    rejected = 0

    for flip in flips(whole)[::5]:
        plan.files.journal.write_bytes(flip)
        try:
            found = verify_job(plan.out, KEYS, posts=plan.posts)
        except VerificationError:
            rejected += 1
        else:
            # A torn end is that of a job that is not finished.
            assert replace(found, finished=True) == honest

    assert rejected > len(whole) // 5


async def test_r6_receipts_of_a_key_that_was_revoked_later_are_told(tmp_path: Path) -> None:
    plan = await _finished(tmp_path)
    document = json.loads(jwks())
    document["keys"][0] |= {"exp": 2**40, "revoked": True}

    verified = verify_job(plan.out, parse_keys(canonical(document)), posts=plan.posts)

    assert verified.under_revoked_keys == verified.receipts == 2
    assert verify_job(plan.out, KEYS, posts=plan.posts).under_revoked_keys == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("run", 1), ("run", "latest"), ("format", "xml"), ("names", []), ("names", {"constants": {"id": 1}}),
        ("names", {"constants": {}, "other": "x"}), ("zone", 3), ("zone", "nowhere"), ("size", -1),
        ("preamble", True), ("purpose", 2**70), ("license_id", None),
    ],
)  # fmt: skip
async def test_a_journal_whose_header_is_malformed_is_rejected(
    tmp_path: Path, field: str, value: object
) -> None:
    plan = await _finished(tmp_path)
    header, *rest = plan.files.journal.read_bytes().splitlines(True)

    plan.files.journal.write_bytes(canonical({**json.loads(header), field: value}) + b"\n" + b"".join(rest))

    with pytest.raises(VerificationError):
        verify_job(plan.out, KEYS, posts=plan.posts)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch", "0"), ("batch", True), ("input", [0]), ("input", [0, None]), ("input", [0, 2**80]),
        ("output", -1), ("output", 2**62), ("receipts", 1e300), ("manifest", 10**12), ("delivered", "0g"),
        ("reasons", ["RELEASED"]), ("broken", [[1, 2]]), ("broken", 1), ("posts", 2**62), ("round", 2**62),
        ("next_line", None),
    ],
)  # fmt: skip
async def test_a_journal_with_a_malformed_entry_is_rejected(
    tmp_path: Path, field: str, value: object
) -> None:
    plan = await _finished(tmp_path)
    header, entry, *rest = plan.files.journal.read_bytes().splitlines(True)
    done = json.loads(entry)["done"] | {field: value}

    plan.files.journal.write_bytes(header + canonical({"done": done}) + b"\n" + b"".join(rest))

    with pytest.raises(VerificationError):
        verify_job(plan.out, KEYS, posts=plan.posts)


async def test_a_text_that_was_altered_is_found_without_the_input(tmp_path: Path) -> None:
    plan = await _finished(tmp_path)
    plan.out.write_bytes(plan.out.read_bytes().replace(b"text of 2", b"text of X"))

    with pytest.raises(VerificationError, match="OUTPUT_DIFFERS"):
        verify_job(plan.out, KEYS)


async def test_without_the_input_the_output_is_still_that_of_the_receipts(tmp_path: Path) -> None:
    plan = await _finished(tmp_path)
    whole = plan.out.read_bytes()

    assert verify_job(plan.out, KEYS).delivered == 2
    for other in (whole.replace(b'"author_id": 3', b'"author_id": 5'), whole.splitlines(True)[0], whole * 2):
        plan.out.write_bytes(other)
        with pytest.raises(VerificationError):
            verify_job(plan.out, KEYS)


async def test_a_receipt_or_a_batch_cannot_be_left_out(tmp_path: Path) -> None:
    plan = await _finished(tmp_path)
    journal = plan.files.journal.read_bytes().splitlines(True)

    plan.files.journal.write_bytes(b"".join([journal[0], *journal[2:]]))

    with pytest.raises(VerificationError):
        verify_job(plan.out, KEYS)
