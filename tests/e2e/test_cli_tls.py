"""`sluice up --tls` and `sluice certs` as people run them."""

import asyncio
import contextlib
import datetime
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.console.authority import Authority
from tests.support.certificates import right_now
from tests.support.command_line import Cli
from tests.support.commands import sluice
from tests.support.consent_commands import NOTICE, POLICY
from tests.support.up import Up, up

LICENSE = """\
license_id: acme
terms:
  licensee_id: acme
  template: commercial
  purposes: [ai_training_generative]
  kinds: [post]
  languages: [en]
  author_jurisdictions: [US]
  territory: ["*"]
  term_from: 2020-01-01
  term_until: 2100-01-01
  allowances:
    - {per: license, window: rolling_day, limit: 1000}
  contract_digest: 1f7a6c2e9b3d4f58a0c1e2d3b4a5968778695a4b3c2d1e0f0123456789abcdef
  obligations: {recall_deadline_days: 30, no_reidentification: true}
"""
POSTS = 500
POST = {
    "author_id": 1,
    "created_at": "2026-01-31T12:00:00Z",
    "kind": "post",
    "language": "en",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("tls") / "state", "--tls") as running:
        yield running


async def test_commands_speak_tls_to_an_installation_that_does(running: Up) -> None:
    listed = await sluice(running.state, "halt", "list", "--json")

    assert (listed.status, listed.answer) == (0, [])


async def test_licensing_is_admitted_by_its_peers_for_its_certificate(running: Up) -> None:
    reconciled = await sluice(running.state, "reconcile", "--json")

    assert reconciled.status == 0, reconciled.err
    assert reconciled.answer["difference_count"] == 0


async def test_an_api_key_is_exchanged_for_a_token_over_tls(running: Up, tmp_path: Path) -> None:
    whose = ("--kind", "pipeline", "--party", "exchange", "--label", "tls")
    await sluice(running.state, "key", "create", *whose, "--out", str(tmp_path / "key"))

    got = await sluice(running.state, "token", "get", "--json", "--api-key-file", str(tmp_path / "key"))

    assert got.status == 0, got.err
    assert got.answer["holder"]["party"] == "exchange"


async def test_certificates_are_renewed_while_everything_runs(running: Up) -> None:
    renewed = await sluice(running.state, "certs", "renew", "--json")
    listed = await sluice(running.state, "halt", "list", "--json")

    assert [each["name"] for each in renewed.answer][:3] == ["consent", "metering", "licensing"]
    assert (listed.status, listed.answer) == (0, [])


async def test_from_elsewhere_certificates_are_named_by_options(running: Up, tmp_path: Path) -> None:
    services = await asyncio.to_thread(running.services)
    shutil.copytree(running.state / "keys", tmp_path / "keys")
    certs = running.state / "certs"
    tls = ("--ca", f"{certs}/ca.pem", "--cert", f"{certs}/console.pem", "--key", f"{certs}/console.key")
    listing = ("halt", "list", "--json", "--consent", services["consent"]["address"])

    plain = await sluice(tmp_path, *listing)
    encrypted = await sluice(tmp_path, *tls, *listing)
    half = await sluice(tmp_path, *tls[:2], *listing)

    assert "PEER_UNAVAILABLE" in plain.err
    assert (encrypted.status, encrypted.answer) == (0, [])
    assert "TLS_INCOMPLETE" in half.err


def test_posts_are_released_for_an_api_key_while_certificates_are_renewed_again_and_again(
    running: Up,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    cli = Cli(running.state, capsys, monkeypatch)
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "license.yaml").write_text(LICENSE, encoding="utf-8")
    posts = "".join(json.dumps({**POST, "id": str(2**60 + number)}) + "\n" for number in range(POSTS))
    (tmp_path / "posts.jsonl").write_text(posts, encoding="utf-8")
    subjects = f"subject_id,jurisdiction,states,notice\n1,US,,{NOTICE}\n"
    (tmp_path / "subjects.csv").write_text(subjects, encoding="utf-8")

    cli("policy", "publish", tmp_path / "policy.yaml", "--effective-in", "0.5")
    cli("subjects", "import", tmp_path / "subjects.csv")
    cli("licensee", "create", "acme", "--name", "Acme")
    cli("license", "create", tmp_path / "license.yaml")
    cli("license", "activate", "acme", "--reason", "signed")
    whose = ("--kind", "pipeline", "--party", "export", "--label", "nightly")
    cli("key", "create", *whose, "--out", tmp_path / "key")
    while not cli.json("policy", "list")[0].get("activated_at"):
        continue
    with renewed_again_and_again(Authority(running.state / "certs")) as renewals:
        report = cli.json(
            *("release", tmp_path / "posts.jsonl", "--out", tmp_path / "out.jsonl", "--license", "acme"),
            *("--purpose", "ai_training_generative", "--api-key-file", tmp_path / "key", "--batch-size", 5),
        )

    record_property("figures", f"{report['receipts']} decisions over TLS through {len(renewals)} renewals")
    assert (report["ended"], report["asked"], report["released"]) == ("finished", POSTS, POSTS)
    assert report["denied"] == {}
    assert len(renewals) >= 3


@contextlib.contextmanager
def renewed_again_and_again(authority: Authority) -> Iterator[list[datetime.datetime]]:
    """Renews for as long as the context is open; the times of the renewals."""
    renewals: list[datetime.datetime] = []
    over = threading.Event()

    def renew() -> None:
        while not over.is_set():
            authority.renew(None, right_now())
            renewals.append(right_now())

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield renewals
    finally:
        over.set()
        thread.join()


async def test_certificates_are_made_and_shown_without_anything_running(tmp_path: Path) -> None:
    made = await sluice(tmp_path, "certs", "init", "--days", "30", "--dns", "sluice.example", "--json")
    shown = await sluice(tmp_path, "certs", "show")
    again = await sluice(tmp_path, "certs", "init", "--trust-domain", "other", "--json")

    assert {each["days_left"] for each in made.answer if each["name"] != "CA"} <= {29, 30}
    assert [each["names"] for each in made.answer if each["name"] == "gateway"] == [
        ["spiffe://sluice/gateway", "gateway", "localhost", "sluice.example", "127.0.0.1"]
    ]
    assert "spiffe://sluice/client/console" in shown.out
    assert "TRUST_DOMAIN_TAKEN" in again.err


async def test_a_service_does_not_start_with_a_certificate_that_cannot_be_used(tmp_path: Path) -> None:
    await sluice(tmp_path, "certs", "init", "--json")
    (tmp_path / "certs" / "consent.key").write_text("nothing of the kind")

    ended = await sluice(tmp_path, "up", "--tls", "--port-base", "0")

    assert ended.status == 1
    assert "CERTIFICATE_UNUSABLE" in ended.err


async def test_a_service_does_not_listen_in_plain_text_where_others_reach_it(tmp_path: Path) -> None:
    ended = await sluice(tmp_path, "up", "--port-base", "0", "--set", "consent.listen=0.0.0.0:0")

    assert ended.status == 1
    assert "PLAINTEXT_EXPOSED" in ended.err
