"""docs/verifying.md is true: its example runs, and every function that it names is there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format

import sluice_gate
from services.chassis.keys import public_jwk
from services.licensing.domain.manifests import leaf_proof, manifest_of
from sluice.licensing.v1.release_service_pb2 import RequestReleaseResponse
from sluice_gate.verifying.manifest_proofs import manifest_proof_file
from sluice_gate.verifying.proof_files import proof_file
from tests.support.command_line import Cli
from tests.support.gate import jwks
from tests.support.licensee_receipts import REQUEST as ASKED
from tests.support.licensee_receipts import a_told_decision
from tests.support.logs import ALog, a_key
from tests.support.manifest_proofs import as_shown, batch_of
from tests.unit.gate.test_verifying_decisions import REQUEST, a_decision

DOCUMENT = Path(__file__).parents[3] / "docs" / "verifying.md"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)


def prepared(folder: Path) -> None:
    """What a partner has kept, in the files that the example reads."""
    decision = a_decision()
    log = ALog([decision.receipt.encode(), b"another", b"and another"])
    manifest = manifest_of(*batch_of(REQUEST, decision.verdicts), decision.salt)
    proof = leaf_proof(manifest, 1)
    assert proof is not None
    mine = as_shown(proof, decision.decision_id, decision.receipt)
    for name, content in {
        "receipt-jwks.json": jwks(),
        "checkpoint-jwks.json": json.dumps({"keys": [public_jwk(a_key().public_key())]}).encode(),
        "request.bin": REQUEST.SerializeToString(),
        "decision.bin": decision.SerializeToString(),
        "decision.tlog-proof": proof_file(0, log.inclusion(0, 3), log.note()),
        "kept": log.note(size=2),
        "mine.manifest-proof": manifest_proof_file(mine),
    }.items():
        (folder / name).write_bytes(content)
    log.write(folder / "mirror")


def prepared_for_a_licensee(folder: Path) -> None:
    """What a licensee has kept: the body of the request, whose path named the license, and the answer."""
    body = json_format.MessageToDict(ASKED)
    del body["licenseId"]
    answer = RequestReleaseResponse(decision=a_told_decision())
    (folder / "receipt-jwks.json").write_bytes(jwks())
    (folder / "request.json").write_text(json.dumps(body))
    (folder / "release.json").write_text(json_format.MessageToJson(answer))


def run(folder: Path, text: str) -> list[str]:
    """The lines that an example in Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_example_verifies_what_a_partner_has_kept(tmp_path: Path) -> None:
    prepared(tmp_path)

    assert run(tmp_path, examples("python")[0]) == [
        "PARTIAL to acme (True, False, True)",
        "receipt 1 of 3",
        "unchanged up to 2",
        f"of subject 1: ({2**60 + 1},)",
    ]


def test_the_example_for_licensees_verifies_what_they_have_kept(tmp_path: Path) -> None:
    prepared_for_a_licensee(tmp_path)

    assert run(tmp_path, examples("python")[1]) == ["PARTIAL to acme (True, False, False, False)"]


def test_the_command_for_licensees_runs_as_it_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared_for_a_licensee(tmp_path)
    monkeypatch.chdir(tmp_path)
    (command,) = examples("sh")

    said = Cli(tmp_path / "state", capsys, monkeypatch)(*command.split()[1:])

    assert "The platform has signed this" in said


def test_every_function_that_the_document_names_is_there() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")

    assert len(named := set(re.findall(r"`(verify_\w+)`", text))) == 11
    assert named <= set(sluice_gate.__all__)
