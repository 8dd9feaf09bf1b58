"""The file of session keys, replaced while a page is served."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from services.console.web.session_keys import FileSeal


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys"
    path.write_bytes(Fernet.generate_key() + b"\n")
    return path


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name("draft")
    draft.write_bytes(content)
    draft.replace(path)


def test_all_sessions_end_when_the_file_is_replaced(keys: Path) -> None:
    seal = FileSeal(keys)
    sealed = seal.seal("session", 1)

    _replace(keys, Fernet.generate_key())

    assert seal.open("session", sealed) is None
    assert seal.open("session", seal.seal("session", 2)) == 2


def test_sessions_go_on_when_a_key_is_added(keys: Path) -> None:
    seal, other = FileSeal(keys), FileSeal(keys)
    sealed = seal.seal("session", 1)

    _replace(keys, Fernet.generate_key() + b"\n" + keys.read_bytes())

    assert seal.open("session", sealed) == 1
    # The new one seals, for every replica.
    assert other.open("session", seal.seal("session", 2)) == 2


@pytest.mark.parametrize("content", [b"", b"not a key\n", None])
def test_keys_that_are_wrong_for_a_while_end_nothing_and_are_logged_once(
    keys: Path, content: bytes | None
) -> None:
    good, seal = keys.read_bytes(), FileSeal(keys)
    sealed = seal.seal("session", 1)

    with capture_logs() as logged:
        if content is None:
            keys.unlink()
        else:
            _replace(keys, content)
        opened = [seal.open("session", sealed) for _ in range(3)]
    _replace(keys, good)

    assert opened == [1, 1, 1]
    assert [line["log_level"] for line in logged] == ["error"]
    assert good.strip() not in repr(logged).encode()
    assert seal.open("session", sealed) == 1
