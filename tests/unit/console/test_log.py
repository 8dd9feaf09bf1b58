"""`sluice log`, against a licensing that answers as it is told, and against files."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from services.chassis.refusals import not_found
from services.console.installation import StateFolder
from services.console.moments import read
from services.licensing.signing import CheckpointSigner
from sluice.licensing.v1 import log_service_pb2 as pb
from sluice_gate.verifying.proof_files import proof_file
from tests.support.command_line import Cli
from tests.support.gate import jwks
from tests.support.logs import ORIGIN, ALog
from tests.support.scripted import Script
from tests.unit.gate.test_logged_receipts import RECEIPTS

DECISION = "01999999-1111-7000-8000-000000000000"
LOG = ALog([receipt.encode() for receipt in RECEIPTS])
COUNT = len(RECEIPTS)


class Kept(NamedTuple):
    """What an auditor has."""

    receipts: Path
    keys: Path

    @property
    def options(self) -> tuple[object, ...]:
        return ("--receipts", self.receipts, "--receipt-keys", self.keys)


@pytest.fixture
def note(tmp_path: Path, cli: Cli) -> bytes:
    """The checkpoint of LOG, signed with the installation's own key."""
    keys = StateFolder(tmp_path / "state").existing_keys()
    return LOG.note(CheckpointSigner(keys.checkpoints, ORIGIN).current())


@pytest.fixture
def copy(tmp_path: Path, note: bytes) -> Path:
    folder = LOG.write(tmp_path / "copy")
    (folder / "checkpoint").write_bytes(note)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Every receipt of LOG, and the keys that they are signed with."""
    (tmp_path / "receipts").write_text("".join(f"{receipt}\n" for receipt in RECEIPTS))
    (tmp_path / "receipt-keys.json").write_bytes(jwks())
    return Kept(tmp_path / "receipts", tmp_path / "receipt-keys.json")


def a_checkpoint(note: bytes) -> pb.Checkpoint:
    at = read("2026-01-31T12:00:00Z")
    return pb.Checkpoint(size=COUNT, root=LOG.root(COUNT), note=note, published_at=at)


def test_the_newest_checkpoint_is_given_as_it_was_signed(
    script: Script, cli: Cli, note: bytes, tmp_path: Path
) -> None:
    script.answer("GetCheckpoint", pb.GetCheckpointResponse(checkpoint=a_checkpoint(note)))

    said = cli("log", "checkpoint")
    cli("log", "checkpoint", "--out", tmp_path / "kept")

    assert said.encode() == note
    assert (tmp_path / "kept").read_bytes() == note
    assert cli.json("log", "checkpoint")["note"].encode() == note


def test_without_a_checkpoint_it_is_refused(script: Script, cli: Cli) -> None:
    script.answer("GetCheckpoint", not_found("CHECKPOINT_UNKNOWN", "none has been published yet"))

    assert cli.refusal("log", "checkpoint")["reason"] == "CHECKPOINT_UNKNOWN"


@pytest.mark.parametrize("which", [DECISION, "4"])
def test_a_proof_that_was_written_is_verified_with_its_receipt_and_no_server(
    which: str, script: Script, cli: Cli, note: bytes, kept: Kept
) -> None:
    found = pb.GetInclusionProofResponse(
        decision_id=DECISION,
        receipt_number=4,
        tree_size=COUNT,
        hashes=LOG.inclusion(3, COUNT),
        checkpoint=a_checkpoint(note),
    )
    script.answer("GetInclusionProof", found)

    proof = kept.receipts.with_name("4.tlog-proof")
    cli("log", "proof", which, "--out", proof)
    verified = cli.json("log", "verify", proof, *kept.options, "--origin", ORIGIN)

    asked = {"receipt_number": 4} if which == "4" else {"decision_id": DECISION}
    assert script.asked["GetInclusionProof"] == [pb.GetInclusionProofRequest(**asked)]
    assert (verified["size"], verified["receipt_numbers"]) == (COUNT, [4])


def test_a_proof_without_its_receipt_shows_nothing(cli: Cli, note: bytes, kept: Kept, tmp_path: Path) -> None:
    proof = tmp_path / "p.tlog-proof"
    proof.write_bytes(proof_file(3, LOG.inclusion(3, COUNT), note))
    others = tmp_path / "others"
    others.write_text(f"{RECEIPTS[0]}\n")

    verify = ("log", "verify", proof, "--receipt-keys", kept.keys, "--origin", ORIGIN)

    assert "--receipts" in cli.wrong(*verify)
    assert cli.refusal(*verify, "--receipts", others)["reason"] == "RECEIPT_MISSING"


def test_a_file_that_is_no_proof_is_told_so_before_anything_else_is_asked_for(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("something else\n")

    refused = cli.refusal("log", "verify", file)

    assert refused["reason"] == "PROOF_MALFORMED"
    assert "no proof that a receipt is in the log" in refused["message"]


def test_a_copy_is_computed_again_and_every_receipt_is_found_in_it(cli: Cli, copy: Path, kept: Kept) -> None:
    verify = ("log", "verify", copy, "--origin", ORIGIN)

    alone = cli(*verify)
    together = cli(*verify, *kept.options)

    assert alone == "The tree of 13 leaves, computed again, has the root signed.\n"
    assert together.endswith("13 receipts: each is in the log, in its place.\n")
    assert "not that nothing is missing" in cli.err


def test_a_copy_that_was_changed_is_refused(cli: Cli, copy: Path) -> None:
    tile = copy / "tile" / "0" / "000.p" / str(COUNT)
    content = bytearray(tile.read_bytes())
    content[40] ^= 1
    tile.write_bytes(content)

    cli("log", "verify", copy, "--origin", ORIGIN, status=1)

    assert "ROOT_DIFFERS: the leaves have another root than the checkpoint" in cli.err


def test_a_copy_of_another_log_or_by_other_keys_is_refused(cli: Cli, copy: Path, kept: Kept) -> None:
    other_keys = cli.refusal("log", "verify", copy, "--origin", ORIGIN, "--keys", kept.keys)
    other_name = cli.refusal("log", "verify", copy)

    assert {other_keys["reason"], other_name["reason"]} == {"KEY_UNKNOWN"}


def test_with_json_how_far_it_is_goes_beside_the_answer(cli: Cli, copy: Path) -> None:
    cli.json("log", "verify", copy, "--origin", ORIGIN)

    assert json.loads(cli.err) == {"step": "computing the tree from its leaves"}


def test_a_checkpoint_that_was_kept_is_found_again_in_a_later_copy(
    cli: Cli, copy: Path, tmp_path: Path
) -> None:
    signer = CheckpointSigner(StateFolder(tmp_path / "state").existing_keys().checkpoints, ORIGIN).current()
    other = ALog([b"another", *(receipt.encode() for receipt in RECEIPTS)])
    said = []

    for name, kept in (
        ("kept", LOG.note(signer, size=5)),
        ("changed", other.note(signer, size=5)),
        ("newer", other.note(signer)),
    ):
        (tmp_path / name).write_bytes(kept)
        verify = ("log", "verify", copy, "--origin", ORIGIN, "--kept", tmp_path / name)
        said.append(cli(*verify, status=0 if name == "kept" else 1) or cli.err)

    assert "Its first 5 leaves are those of the checkpoint that was kept." in said[0]
    assert "HISTORY_DIFFERS" in said[1]
    assert "CHECKPOINT_NEWER" in said[2]
