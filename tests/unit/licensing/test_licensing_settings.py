"""Where licensing writes the log, and where it refuses to guess (R5)."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.chassis.refusals import Kind, Refusal
from services.licensing.__main__ import signing_keys
from services.licensing.settings import LicensingSettings


def settings(url: str, **said: Any) -> LicensingSettings:
    return LicensingSettings(database_url=url, token_jwks=Path("jwks.json"), state_dir=Path("state"), **said)


def test_a_local_run_has_the_log_in_its_state_folder() -> None:
    assert settings("sqlite:///licensing.db").log_folder == Path("state/log")


def test_r5_with_a_database_server_the_folder_of_the_log_has_to_be_said() -> None:
    url = "postgresql://sluice@db/licensing"

    with pytest.raises(Refusal, match="SLUICE_LICENSING_LOG_DIR must name the folder") as refused:
        _ = settings(url).log_folder

    assert (refused.value.kind, refused.value.reason) == (Kind.PRECONDITION, "LOG_DIR_MISSING")
    assert settings(url, log_dir=Path("/mnt/log")).log_folder == Path("/mnt/log")


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "a\nb", "a\x01b", "a\x7fb"])
def test_a_log_gets_no_name_under_which_it_could_not_sign(origin: str) -> None:
    with pytest.raises(ValidationError):
        settings("sqlite:///licensing.db", log_origin=origin)


def test_keys_are_made_in_the_state_folder_unless_a_folder_of_given_keys_is_set(tmp_path: Path) -> None:
    usual = LicensingSettings(database_url="sqlite:///x.db", token_jwks=tmp_path / "j", state_dir=tmp_path)

    made = signing_keys(usual)

    assert made.token_private == tmp_path / "keys" / "token-signing.pem"
    assert made.token_private.is_file()
    with pytest.raises(Refusal, match="lacks token-signing") as refused:
        signing_keys(usual.model_copy(update={"keys_dir": tmp_path / "given"}))
    assert refused.value.reason == "KEYS_MISSING"
