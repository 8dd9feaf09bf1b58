"""Settings of the pages: where they are, whom they call and how, and what is refused at the start."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError

from services.chassis.refusals import Refusal
from services.console.web.provider import Provider
from services.console.web.settings import ConsoleSettings, PageSettings, SettingsPageSettings
from tests.support.certificates import an_authority


def a_page(**fields: Any) -> SettingsPageSettings:
    usual = {"session_keys": "keys", "platform_name": "Example", "gateway_target": "127.0.0.1:7600"}
    return SettingsPageSettings.model_validate({**usual, **fields})


def a_console(**fields: Any) -> ConsoleSettings:
    targets = {f"{name}_target": "127.0.0.1:7601" for name in ("consent", "metering", "licensing")}
    return ConsoleSettings.model_validate({"session_keys": "keys", **targets, **fields})


@pytest.mark.parametrize("settings", [PageSettings, SettingsPageSettings, ConsoleSettings])
def test_every_field_is_explained(settings: type[PageSettings]) -> None:
    assert [name for name, field in settings.model_fields.items() if not field.description] == []


def test_a_page_is_configured_by_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "SESSION_KEYS": "keys",
        "PLATFORM_NAME": "Chirp",
        "GATEWAY_TARGET": "gateway.example:443",
        "EMBEDDED_IN": '["https://www.chirp.example"]',
    }.items():
        monkeypatch.setenv(f"SLUICE_SETTINGS_PAGE_{name}", value)

    settings = SettingsPageSettings.from_environment()

    assert settings.platform_name == "Chirp"
    assert settings.embedded_in == ("https://www.chirp.example",)


def test_a_variable_that_sets_nothing_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_CONSOLE_CONSENT_TARGT", "127.0.0.1:7601")

    with pytest.raises(Refusal, match="consent_targt") as refused:
        ConsoleSettings.from_environment()

    assert refused.value.reason == "SETTING_UNKNOWN"


@pytest.mark.parametrize(
    "wrong",
    [
        {"platform_name": ""},
        {"gateway_target": "gateway"},
        {"gateway_target": "127.0.0.1:0"},
        {"public_url": "http://settings.example"},
        {"public_url": "https://settings.example/"},
        {"public_url": "https://Settings.example"},
        {"public_url": "https://ada@settings.example"},
        {"public_url": "settings.example"},
        {"embedded_in": ["*"]},
        {"embedded_in": ["http://www.example"]},
        {"oidc_token": "refresh_token"},
        {"max_connections": 0},
        {"listen": "nowhere"},
        {"unheard_of": 1},
    ],
    ids=str,
)
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_page(**wrong)


@pytest.mark.parametrize(
    "wrong", ["{trace_id}", "https://jaeger.example/trace", "javascript:alert('{trace_id}')"]
)
def test_what_leads_to_no_trace_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        a_console(trace_url=wrong)


def test_a_page_that_only_this_machine_reaches_is_known_by_where_it_listens() -> None:
    assert a_page().origin("127.0.0.1:7605") == "http://127.0.0.1:7605"
    assert a_page(public_url="http://localhost:8000").origin("127.0.0.1:7605") == "http://localhost:8000"


def test_a_page_that_others_reach_is_known_by_the_https_url_that_is_set() -> None:
    with pytest.raises(Refusal) as refused:
        a_page(listen="0.0.0.0:7605").origin("0.0.0.0:7605")

    told = a_page(listen="0.0.0.0:7605", public_url="https://settings.example")
    assert refused.value.reason == "PUBLIC_URL_MISSING"
    assert told.origin("0.0.0.0:7605") == "https://settings.example"


def test_session_keys_stand_one_a_line_and_the_first_seals(tmp_path: Path) -> None:
    new, old = Fernet.generate_key(), Fernet.generate_key()
    (tmp_path / "keys").write_bytes(b"\n".join([new, b"", old, b""]))
    (tmp_path / "old").write_bytes(old + b"\n")

    both, before = (a_page(session_keys=tmp_path / name).seal() for name in ("keys", "old"))

    assert both.open("session", before.seal("session", "kept")) == "kept"
    assert before.open("session", both.seal("session", "new")) is None


@pytest.mark.parametrize("content", ["", "\n", "not a key\n"])
def test_a_file_without_good_session_keys_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content, encoding="ascii")

    with pytest.raises(Refusal) as refused:
        a_page(session_keys=tmp_path / "keys").seal()

    assert refused.value.reason == "SESSION_KEYS_WRONG"


def test_no_token_goes_to_another_machine_unencrypted_unless_that_is_said() -> None:
    with pytest.raises(Refusal, match="gateway_ca") as of_page:
        a_page(gateway_target="gateway.example:443").gateway_tls()
    with pytest.raises(Refusal, match=r"metering\.example") as of_console:
        a_console(metering_target="metering.example:7602").tls()

    assert {of_page.value.reason, of_console.value.reason} == {"PLAINTEXT_EXPOSED"}
    assert a_page(gateway_target="gateway.example:443", plaintext_ok=True).gateway_tls() is None
    assert a_console(metering_target="metering.example:7602", plaintext_ok=True).tls() == {}


def test_the_console_shows_each_service_its_certificate_and_expects_its_name(tmp_path: Path) -> None:
    files = an_authority(tmp_path).files("console")
    shown = {"tls_certificate": files.certificate, "tls_key": files.key, "tls_ca": files.ca}

    with pytest.raises(Refusal) as refused:
        a_console(tls_ca=files.ca).tls()

    assert refused.value.reason == "TLS_INCOMPLETE"
    assert set(a_console(**shown).tls()) == {"consent", "metering", "licensing"}


def test_a_gateway_is_believed_by_the_cas_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("", encoding="ascii")
    target = {"gateway_target": "gateway.example:443"}

    for ca in ("empty.pem", "missing.pem"):
        with pytest.raises(Refusal) as refused:
            a_page(**target, gateway_ca=tmp_path / ca).gateway_tls()
        assert refused.value.reason == "CERTIFICATE_UNUSABLE"

    assert a_page(**target, gateway_ca=an_authority(tmp_path).ca).gateway_tls() is not None


def test_a_provider_of_sign_ins_is_what_the_settings_say(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n", encoding="ascii")
    said = {
        "oidc_issuer": "https://id.example",
        "oidc_client_id": "settings",
        "oidc_client_secret": tmp_path / "secret",
        "oidc_scopes": "openid profile",
        "oidc_token": "access_token",
    }

    provider = a_page(**said).provider()

    assert provider == Provider(
        "https://id.example", "settings", "hush", ("openid", "profile"), "access_token"
    )
    assert a_page().provider() is None


@pytest.mark.parametrize(
    "some",
    [
        {"oidc_client_id": "settings"},
        {"oidc_issuer": "https://id.example"},
        {"oidc_issuer": "http://id.example", "oidc_client_id": "settings"},
        {"oidc_issuer": "https://id.example", "oidc_client_id": "settings", "oidc_scopes": "profile"},
    ],
    ids=str,
)
def test_half_a_provider_is_refused(some: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        a_page(**some).provider()

    assert refused.value.reason == "PROVIDER_SETTINGS_WRONG"
