"""Settings: told from the environment, explained field by field, wrong ones refused at start."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from services.chassis.addresses import parse_address
from services.chassis.refusals import Refusal
from services.chassis.settings import HeadKeepingSettings, ServiceSettings


class EchoSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SLUICE_ECHO_")


REQUIRED = {"database_url": "sqlite:///x.db", "token_jwks": Path("jwks.json")}


def test_every_field_is_explained() -> None:
    assert [name for name, field in ServiceSettings.model_fields.items() if not field.description] == []


def test_a_field_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_ECHO_MAX_IN_FLIGHT", "7")
    monkeypatch.setenv("SLUICE_ECHO_DATABASE_URL", "sqlite:///y.db")
    monkeypatch.setenv("SLUICE_ECHO_TOKEN_JWKS", "keys.json")

    settings = EchoSettings.from_environment()

    assert (settings.max_in_flight, settings.database_url) == (7, "sqlite:///y.db")
    assert settings.listen == "127.0.0.1:0"


def test_a_variable_that_sets_nothing_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_ECHO_DATABASE_URL", "sqlite:///y.db")
    monkeypatch.setenv("SLUICE_ECHO_TOKEN_JWKS", "keys.json")
    monkeypatch.setenv("SLUICE_ECHO_MAX_IN_FLIHGT", "7")

    with pytest.raises(Refusal) as refused:
        EchoSettings.from_environment()

    assert refused.value.reason == "SETTING_UNKNOWN"
    assert "max_in_flihgt" in refused.value.message


@pytest.mark.parametrize(
    "wrong",
    [
        {"listen": "nowhere"},
        {"listen": "127.0.0.1:70000"},
        {"health_listen": ":1"},
        {"trace_ratio": 1.5},
        {"max_in_flight": 0},
        {"max_streams": 0},
        {"max_streams_each": 0},
        {"max_strangers": 0},
        {"log_level": "LOUD"},
        {"unheard_of": 1},
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EchoSettings.model_validate({**REQUIRED, **wrong})


def test_an_address_is_split_at_its_last_colon() -> None:
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address("[::1]:0") == ("::1", 0)


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({}, Path(".sluice/heads")),
        ({"state_dir": Path("/state")}, Path("/state/heads")),
        ({"head_dir": Path("/heads")}, Path("/heads")),
        ({"head_dir": Path("/heads"), "database_url": "postgresql://sluice@db/consent"}, Path("/heads")),
    ],
)
def test_r5_the_head_is_kept_in_the_state_folder_unless_another_is_named(
    given: dict[str, object], folder: Path
) -> None:
    assert HeadKeepingSettings.model_validate(REQUIRED | given).head_folder == folder


def test_r5_where_replicas_may_share_a_database_a_folder_that_they_share_is_named() -> None:
    settings = HeadKeepingSettings.model_validate(
        REQUIRED | {"database_url": "postgresql+psycopg://sluice@db/consent"}
    )

    with pytest.raises(Refusal) as refused:
        _ = settings.head_folder
    assert refused.value.reason == "HEAD_DIR_MISSING"


TLS: dict[str, Any] = {"tls_certificate": Path("c.pem"), "tls_key": Path("c.key"), "tls_ca": Path("ca.pem")}


def settings_with(**fields: Any) -> ServiceSettings:
    return ServiceSettings(**{**REQUIRED, **fields})


@pytest.mark.parametrize("listen", ["127.0.0.1:7601", "127.4.5.6:0", "[::1]:7601", "localhost:7601"])
def test_what_only_this_machine_reaches_may_be_plain_text(listen: str) -> None:
    assert settings_with(listen=listen).tls_files is None


@pytest.mark.parametrize("listen", ["0.0.0.0:7601", "[::]:7601", "10.1.2.3:7601", "consent:7601"])
def test_what_other_machines_reach_is_not_plain_text_unless_that_is_said(listen: str) -> None:
    with pytest.raises(Refusal, match="plaintext_ok") as refused:
        _ = settings_with(listen=listen).tls_files

    assert refused.value.reason == "PLAINTEXT_EXPOSED"
    assert settings_with(listen=listen, plaintext_ok=True).tls_files is None
    assert settings_with(listen=listen, **TLS).tls_files is not None


@pytest.mark.parametrize("missing", sorted(TLS))
def test_a_part_of_what_tls_needs_is_refused_and_never_plain_text(missing: str) -> None:
    some = {name: path for name, path in TLS.items() if name != missing}

    with pytest.raises(Refusal) as refused:
        _ = settings_with(**some, plaintext_ok=True).tls_files

    assert refused.value.reason == "TLS_INCOMPLETE"
