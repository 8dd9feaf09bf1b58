"""The commands of docs/kubernetes.md make what its table says, and are commands that there are."""

import base64
import os
import re
import shutil
import sys
from pathlib import Path

import pytest
import yaml
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from services.chassis.keys import given_keys
from services.console.app import app
from tests.support.by_hand import DOCUMENT, documented
from tests.support.https import make_certificate
from tests.support.manifests import KUBERNETES, Object
from tests.support.quick_start import blocks, run_page

KUBECTL = """#!/bin/sh
# Makes nothing: what would be made is written down.
case "$*" in
  *" create "*" --dry-run=client "*) exec {kubectl} "$@" ;;
  *create*) {kubectl} "$@" --dry-run=client -o yaml >> made.yaml; echo --- >> made.yaml ;;
  *apply*) cat >> applied.yaml; echo --- >> applied.yaml ;;
  *) printf '%s\n' "$*" >> asked ;;
esac
"""
OF_OTHERS = {("Secret", "public-tls"), ("Secret", "operators-tls")}
"""Which are said to be made by whoever makes certificates for the world."""


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of whoever follows the page, without a cluster."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl, which says what would be made, is not installed")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "kubectl").write_text(KUBECTL.format(kubectl=kubectl), encoding="utf-8")
    (programs / "sluice").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m services.console "$@"\n', encoding="utf-8"
    )
    for program in programs.iterdir():
        program.chmod(0o700)
    imports = os.pathsep.join(path for path in sys.path if path)
    return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": imports}


def made(file: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What would be there, by kind and name: its data."""
    objects: list[Object] = [each for each in yaml.safe_load_all(file.read_text(encoding="utf-8")) if each]
    return {
        (each["kind"], each["metadata"]["name"]): each.get("data", {})
        for each in objects
        if each["kind"] != "Namespace"
    }


def test_the_commands_make_the_secrets_of_the_table_with_their_keys(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    certificate, key = make_certificate(tmp_path, "ca")
    certificate.rename(tmp_path / "ca.crt")
    key.rename(tmp_path / "ca.key")
    for name in (
        "client-secret",
        "ACCESS_KEY_ID",
        "ACCESS_SECRET_KEY",
        "authorization",
        "otlp-backend-ca.crt",
    ):
        (tmp_path / name).write_text("secret", encoding="utf-8")

    for whom in ("keys", "dev", "production"):
        run_page(DOCUMENT, tmp_path, shell, whom)

    given = made(tmp_path / "made.yaml")
    assert {name: set(data) for name, data in given.items()} == {
        name: keys for name, keys in documented().items() if name not in OF_OTHERS
    }
    assert given_keys(tmp_path / "keys-of-the-cluster" / "keys")
    assert not (tmp_path / "session-keys.txt").exists()
    assert not (tmp_path / "postgres").exists()


def test_session_keys_are_such_as_pages_take(tmp_path: Path, shell: dict[str, str]) -> None:
    run_page(DOCUMENT, tmp_path, shell, "keys")

    pages = made(tmp_path / "made.yaml")
    sealed = {
        pages["Secret", f"{page}-session-keys"]["session-keys.txt"] for page in ("console", "settings-page")
    }

    assert len(sealed) == 2
    for each in sealed:
        assert Fernet(_decoded(each).strip())


def test_a_key_is_announced_brought_changed_and_brought_again(tmp_path: Path, shell: dict[str, str]) -> None:
    run_page(DOCUMENT, tmp_path, shell, "keys")
    run_page(DOCUMENT, tmp_path, shell, "rotation")
    run_page(DOCUMENT, tmp_path, shell, "bring")

    brought = made(tmp_path / "applied.yaml")

    jwks = _decoded(brought["Secret", "licensing-keys"]["token-jwks.json"])
    assert brought["ConfigMap", "token-jwks"]["token-jwks.json"].encode() == jwks
    assert len(yaml.safe_load(jwks)["keys"]) == 2
    assert (tmp_path / "asked").read_text() == "-n sluice rollout restart deployment gateway\n"


def test_every_command_of_the_page_is_one_that_there_is() -> None:
    told = "".join(block.text for block in blocks(DOCUMENT))
    commands = set(re.findall(r"^sluice (?:--\w+ \S+ )*(\w+(?: \w+)?)", told, re.M))

    assert commands >= {
        "keys init",
        "keys announce",
        "keys rotate",
        "gateway check",
        "gateway render",
        "key create",
    }
    for command in commands:
        assert CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0, command


def test_every_folder_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:base|components|overlays)/[a-z0-9/.-]+)`", DOCUMENT.read_text(encoding="utf-8"))

    assert named
    assert [each for each in named if not (KUBERNETES / each).exists()] == []


def _decoded(data: str) -> bytes:
    return base64.b64decode(data)
