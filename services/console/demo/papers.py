"""The papers of the demo: the notice that accounts were served, the policy, the licenses."""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from google.protobuf.timestamp_pb2 import Timestamp

from services.console.documents import parse_document
from sluice.consent.v1.policy_pb2 import Policy
from sluice.licensing.v1.contract_service_pb2 import CreateLicenseRequest

PURPOSE = "ai_training_generative"
LICENSEE = "meridian"
LICENSEE_NAME = "Meridian Models (made up)"
LICENSE = "meridian-training"
TRIAL = "meridian-trial"

OPT_OUT = ("US", "GB", "IN", "BR", "JP")
OPT_IN = ("DE", "FR")
PROHIBITED = ("NO",)
LICENSED_JURISDICTIONS = ("US", "GB", "IN", "JP", "DE", "FR", "NO")
"""Not BR: where people live must be licensed too."""
LICENSED_LANGUAGES = ("en", "ja", "es", "pt", "de", "fr")

TEXTS = {file.name: file.read_bytes() for file in files("services.console.demo").joinpath("texts").iterdir()}
"""The policy, and the notice in three languages, as people read them; by the names that their files have."""
NOTICES = ("notice.en.txt", "notice.de.txt", "notice.es.txt")


def digest_of(name: str) -> str:
    """What a policy names a text by: SHA-256 of its bytes, in hexadecimal digits."""
    return hashlib.sha256(TEXTS[name]).hexdigest()


NOTICE_DIGEST = digest_of(NOTICES[0])
"""Of the one that accounts were served."""


def write_texts(folder: Path) -> None:
    """Puts the texts where the settings page of the installation finds them."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in TEXTS.items():
        (folder / name).write_bytes(content)


def a_policy(effective_at: Timestamp) -> Policy:
    """Opt-out in some places, opt-in in others, forbidden in one."""
    regimes = [(places, word) for places, word in ((OPT_OUT, "opt_out"), (OPT_IN, "opt_in"))]
    rules = [
        f"  - {{jurisdiction: {place}, purpose: {purpose}, regime: {regime}}}"
        for places, regime in (*regimes, (PROHIBITED, "prohibited"))
        for place in places
        for purpose in ("third_party_sharing", PURPOSE)
    ]
    notices = ", ".join(digest_of(name) for name in NOTICES)
    said = [f"text_digest: {digest_of('policy.en.txt')}", f"notice_digests: [{notices}]"]
    text = "\n".join([*said, "rules:", *rules])
    return parse_document(text.encode(), "policy.yaml", Policy, instead={"effective_at": effective_at})


def a_license(
    id: str, limit: int, languages: Sequence[str], jurisdictions: Sequence[str], day: str
) -> CreateLicenseRequest:
    """A license to train, of at most `limit` posts in any 24 hours, for a year from `day` (2026-01-31)."""
    year, rest = day[:4], day[4:]
    until = f"{int(year) + 1}{rest}" if rest != "-02-29" else f"{int(year) + 1}-03-01"
    text = f"""
license_id: {id}
terms:
  licensee_id: {LICENSEE}
  template: commercial
  purposes: [{PURPOSE}]
  kinds: [post, reply, quote, repost]
  languages: [{", ".join(languages)}]
  author_jurisdictions: [{", ".join(jurisdictions)}]
  territory: ["*"]
  term_from: {day}
  term_until: {until}
  allowances:
    - {{per: license, window: rolling_day, limit: {limit}}}
  contract_digest: 1f7a6c2e9b3d4f58a0c1e2d3b4a5968778695a4b3c2d1e0f0123456789abcdef
  obligations: {{recall_deadline_days: 30, no_reidentification: true}}
"""
    return parse_document(text.encode(), f"{id}.yaml", CreateLicenseRequest, given=("request_id",))
