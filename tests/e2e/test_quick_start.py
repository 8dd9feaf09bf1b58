"""What partners are shown is true: docs/partners.md is run as it is printed, through the gateway."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.quick_start import run_page
from tests.support.up import Up, up

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "partners.md"
ENVIRONMENT = {
    # The Python, the sluice and the buf of these tests come before those of the machine.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
}
MISSING = [program for program in ("curl", "jq") if shutil.which(program) is None]
RELEASED = ["9007199254740993", "9007199254740997", "9007199254741002"]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"partners need {' and '.join(MISSING)}: not installed")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Up]:
    """An installation with the gateway before it, where the platform has done its part of the page."""
    for name in ("examples", "protos"):
        (tmp_path / name).symlink_to(ROOT / name)
    with up(tmp_path / "state", "--gateway") as running:
        run_page(PAGE, tmp_path, {**ENVIRONMENT, "SLUICE_STATE": str(running.state)}, "platform")
        yield running


def post_ids() -> list[str]:
    """The ids of the posts of the examples; one line of them is none."""
    lines = (ROOT / "examples" / "posts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["id"] for line in lines if line.startswith('{"id"')]


def test_the_commands_that_partners_are_shown_do_what_the_page_says(platform: Up, tmp_path: Path) -> None:
    (tmp_path / "partner").mkdir()
    url = f"http://{platform.services()['gateway']['address']}"
    given = {
        "HOME": str(tmp_path / "partner"),
        "SLUICE": url,
        "API_KEY_FILE": str(tmp_path / "acme.key"),
        "POST_IDS": json.dumps(post_ids()),
        "CONTRACTS": str(tmp_path / "contracts.binpb"),
    }

    said = run_page(PAGE, tmp_path / "partner", ENVIRONMENT | given)

    for path, file in {"/openapi.json": "openapi.json", "/docs": "docs.html"}.items():
        assert httpx.get(f"{url}{path}").text == (ROOT / "deploy" / "envoy" / file).read_text(
            encoding="utf-8"
        )
    token, licenses, released, verdicts, repeated, _, proof, recalls, refused, over_grpc, from_python = said
    assert json.loads(token)["holder"]["party"] == "acme"
    assert json.loads(licenses)["licenseId"] == "acme-training"
    assert json.loads(released)["outcome"] == "OUTCOME_PARTIAL"
    assert [line.split()[0] for line in verdicts.splitlines() if line.endswith(" released")] == RELEASED
    assert repeated.strip() == "true"
    # Before it curl says how often it had to come back.
    assert json.loads(proof[proof.index("{") :])["receiptNumber"] == json.loads(released)["receiptNumber"]
    assert json.loads(recalls) == []
    assert refused.splitlines()[-2:] == ["LICENSE_UNKNOWN", ""]
    assert over_grpc.strip() == '"acme-training"'
    assert f"[{', '.join(RELEASED)}]" in from_python
