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


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of whoever has followed the page, to the change of a key, without a cluster."""
    folder = tmp_path_factory.mktemp("followed")
    certificate, key = make_certificate(folder, "ca")
    certificate.rename(folder / "ca.crt")
    key.rename(folder / "ca.key")
    for name in (
        "client-secret",
        "ACCESS_KEY_ID",
        "ACCESS_SECRET_KEY",
        "authorization",
        "otlp-backend-ca.crt",
    ):
        (folder / name).write_text("secret", encoding="utf-8")
    environment = shell(folder)
    for whom in ("keys", "dev", "production", "rotation", "bring"):
        run_page(DOCUMENT, folder, environment, whom)
    return folder


def shell(folder: Path) -> dict[str, str]:
    """Their environment."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl, which says what would be made, is not installed")
    programs = folder / "programs"
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


def test_the_commands_make_the_secrets_of_the_table_with_their_keys(followed: Path) -> None:
    given = made(followed / "made.yaml")

    assert {name: set(data) for name, data in given.items()} == {
        name: keys for name, keys in documented().items() if name not in OF_OTHERS
    }
    assert given_keys(followed / "keys-of-the-cluster" / "keys")
    assert not (followed / "session-keys.txt").exists()
    assert not (followed / "postgres").exists()


def test_session_keys_are_such_as_pages_take(followed: Path) -> None:
    pages = made(followed / "made.yaml")

    sealed = {
        pages["Secret", f"{page}-session-keys"]["session-keys.txt"] for page in ("console", "settings-page")
    }

    assert len(sealed) == 2
    for each in sealed:
        assert Fernet(_decoded(each).strip())


def test_a_key_is_announced_changed_and_brought(followed: Path) -> None:
    first, brought = made(followed / "made.yaml"), made(followed / "applied.yaml")

    jwks = _decoded(brought["Secret", "licensing-keys"]["token-jwks.json"])

    assert brought["ConfigMap", "token-jwks"]["token-jwks.json"].encode() == jwks
    assert _decoded(first["Secret", "licensing-keys"]["token-jwks.json"]) != jwks
    assert len(yaml.safe_load(jwks)["keys"]) == 2
    assert (followed / "asked").read_text() == "-n sluice rollout restart deployment gateway\n"


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
