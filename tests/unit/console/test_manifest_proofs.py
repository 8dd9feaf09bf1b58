"""`sluice subjects proof` and `verify-proof`, against a licensing that answers as told, and files (R4)."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from services.chassis.refusals import not_found
from services.console.installation import StateFolder
from services.licensing.signing import CheckpointSigner
from sluice.licensing.v1 import manifest_proof_pb2 as messages
from sluice.licensing.v1 import manifest_service_pb2 as pb
from sluice_gate.verifying.manifest_proofs import ManifestProof, manifest_proof_file
from sluice_gate.verifying.proof_files import proof_file
from tests.support.clock import NOON_US
from tests.support.command_line import Cli
from tests.support.gate import jwks
from tests.support.logs import ORIGIN, ALog
from tests.support.manifest_proofs import a_release, some_posts
from tests.support.scripted import Script

SUBJECT = 5
RELEASE = a_release(some_posts(14))
PROOF = RELEASE.proofs[SUBJECT]
LOG = ALog([RELEASE.receipt.encode(), b"another", b"and another"])


class Kept(NamedTuple):
    """What a subject has."""

    proof: Path
    keys: Path
    """Of receipts, as the platform publishes them."""

    def verify(self, *more: object) -> tuple[object, ...]:
        return ("subjects", "verify-proof", self.proof, "--keys", self.keys, *more)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    kept = Kept(tmp_path / "mine.manifest-proof", tmp_path / "receipts.jwks")
    kept.proof.write_bytes(manifest_proof_file(PROOF))
    kept.keys.write_bytes(jwks())
    return kept


def a_copy(log: ALog, folder: Path) -> Path:
    """A copy of a log, signed with the installation's own key, in the folder where that is."""
    copy = log.write(folder / "copy")
    signer = CheckpointSigner(StateFolder(folder / "state").existing_keys().checkpoints, ORIGIN)
    (copy / "checkpoint").write_bytes(log.note(signer.current()))
    return copy


def answered(proof: ManifestProof) -> pb.GetManifestProofResponse:
    leaf = messages.ManifestLeaf(
        salt=proof.leaf.salt, subject_id=proof.leaf.contributor, post_ids=proof.leaf.posts
    )
    message = messages.ManifestProof(
        decision_id=proof.decision_id,
        receipt=proof.receipt,
        leaf=leaf,
        leaf_index=proof.index,
        leaves=proof.leaves,
        hashes=proof.hashes,
    )
    return pb.GetManifestProofResponse(proof=message)


def test_a_proof_that_was_written_is_verified_with_no_server(
    script: Script, cli: Cli, kept: Kept, tmp_path: Path
) -> None:
    script.answer("GetManifestProof", answered(PROOF))
    asked, file = ("subjects", "proof", SUBJECT, PROOF.decision_id), tmp_path / "written"

    printed = cli(*asked)
    said = cli.json(*asked, "--out", file)
    verified = cli.json(*kept._replace(proof=file).verify("--subject", SUBJECT))

    assert printed.encode() == file.read_bytes() == said["proof"].encode() == manifest_proof_file(PROOF)
    request = pb.GetManifestProofRequest(decision_id=PROOF.decision_id, subject_id=SUBJECT)
    assert script.asked["GetManifestProof"] == [request, request]
    assert verified["posts"] == [str(id) for id in PROOF.leaf.posts]
    assert (verified["subject_id"], verified["log_size"]) == ("5", None)


def test_who_is_not_in_a_release_has_no_proof(script: Script, cli: Cli, tmp_path: Path) -> None:
    script.answer("GetManifestProof", not_found("CONTRIBUTOR_UNKNOWN", "the release held nothing of them"))
    out = tmp_path / "none"

    refused = cli.refusal("subjects", "proof", 7, PROOF.decision_id, "--out", out)

    assert refused["reason"] == "CONTRIBUTOR_UNKNOWN"
    assert not out.exists()


def test_it_says_in_words_what_was_proved_and_what_not(cli: Cli, kept: Kept) -> None:
    said = cli(*kept.verify())

    assert said.splitlines() == [
        "Decision 01999999-0000-7000-8000-000000000001 of 2025-10-09T08:53:20.000000Z released to acme,",
        f"for ai_training_generative, {len(PROOF.leaf.posts)} posts with something of subject 5 in them:",
        f"  {', '.join(map(str, PROOF.leaf.posts))}",
        "The platform has signed this: the subject's line leads to the root that is in its receipt.",
    ]
    assert "not show that the platform's log has the receipt; --log does" in cli.err
    assert "nor that no other release held posts of theirs" in cli.err


@pytest.mark.parametrize("where", ["copy", "tlog-proof"])
def test_its_receipt_is_found_in_the_log(cli: Cli, kept: Kept, where: str, tmp_path: Path) -> None:
    note = (a_copy(LOG, tmp_path) / "checkpoint").read_bytes()
    (tmp_path / "tlog-proof").write_bytes(proof_file(0, LOG.inclusion(0, 3), note))
    verify = kept.verify("--log", tmp_path / where, "--origin", ORIGIN)

    said = cli(*verify)

    assert said.endswith("The log of 3 receipts has this receipt, in its place as number 1.\n")
    assert "--log does" not in cli.err
    assert cli.json(*verify)["log_size"] == 3


def test_a_log_that_has_another_receipt_in_its_place_is_told(cli: Cli, kept: Kept, tmp_path: Path) -> None:
    copy = a_copy(ALog([b"another", RELEASE.receipt.encode()]), tmp_path)

    cli(*kept.verify("--log", copy, "--origin", ORIGIN), status=1)

    assert "LEAF_DIFFERS" in cli.err


def test_a_proof_about_somebody_else_or_under_other_keys_is_refused(cli: Cli, kept: Kept) -> None:
    about = cli.refusal(*kept.verify("--subject", 7))
    under = cli.refusal("subjects", "verify-proof", kept.proof)

    assert (about["reason"], under["reason"]) == ("SUBJECT_DIFFERS", "KEY_UNKNOWN")


def test_of_a_key_that_was_revoked_later_it_says_what_is_not_shown(cli: Cli, kept: Kept) -> None:
    document = json.loads(jwks())
    document["keys"][0] |= {"exp": NOON_US // 1_000_000 + 1, "revoked": True}
    kept.keys.write_text(json.dumps(document))

    cli(*kept.verify())

    assert "The key of the receipt was revoked later" in cli.err
    assert cli.json(*kept.verify())["key_is_revoked"] is True
