"""What the tests of consent's commands say again and again: a policy, subjects, and why a post may not go."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet

from tests.support.command_line import Cli

NOTICE = hashlib.sha256(b"notice").hexdigest()
POLICY = f"""\
text_digest: {NOTICE}
notice_digests: [{NOTICE}]
rules:
  - {{jurisdiction: US, purpose: third_party_sharing, regime: opt_out}}
  - {{jurisdiction: US, purpose: ai_training_generative, regime: opt_out}}
"""
ASKED = ("--licensee", "acme", "--purpose", "ai_training_generative")
LONG_AGO = "2026-01-01T00:00:00Z"


def put_in_effect(cli: Cli, folder: Path) -> None:
    """Returns when the policy is in effect; the same again changes nothing."""
    if not cli.json("policy", "list"):
        (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
        said = cli("policy", "publish", folder / "policy.yaml", "--effective-in", "0.5")
        assert "In force everywhere after" in said
    while not any("activated_at" in policy for policy in cli.json("policy", "list")):
        continue


def parquet(path: Path, **columns: Any) -> Path:
    """A file with these columns."""
    arrow.parquet.write_table(arrow.table(columns), path)
    return path


def subjects(cli: Cli, folder: Path, *ids: int, withheld: str = "") -> None:
    """Of the United States, and served the notice, long ago."""
    columns = {
        "subject_id": arrow.array(ids, arrow.uint64()),
        "jurisdiction": ["US"] * len(ids),
        "states": arrow.nulls(len(ids)),
        "notice": [[bytes.fromhex(NOTICE)]] * len(ids),
        "withheld": [withheld] * len(ids),
        "as_of": [LONG_AGO] * len(ids),
    }
    assert cli.json("subjects", "import", parquet(folder / "subjects.parquet", **columns))["rejected"] == []


def reason(cli: Cli, subject: int, *arguments: str) -> Any:
    """Whether a post of a subject may go, and if not why."""
    return cli.json("choices", "explain", subject, *ASKED, *arguments)["reason"]
