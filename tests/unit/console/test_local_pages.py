"""Pages of a local installation: what they are configured by, and how people come in."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer

from services.chassis.clock import SystemClock
from services.chassis.identity import PrincipalKind
from services.chassis.refusals import Refusal
from services.consent.settings import ConsentSettings
from services.console import local_pages
from services.console.coming_in import LONGEST_US, how_to_come_in, sign_in_link
from services.console.credentials import OPERATOR, a_subject
from services.console.installation import StateFolder
from services.console.local_pages import (
    CONSOLE,
    CONTROLLER,
    SETTINGS_PAGE,
    PagesAsked,
    check_installed,
    console_fields,
    forget_links,
    names_controller,
    page_environment,
    prepare_pages,
    settings_page_fields,
)
from services.console.page_commands import USUAL_LIFETIME, lifetime_us
from services.console.page_options import pages_asked
from services.console.programs import ServiceProgram
from services.console.settings_page.commands import gateway_of, who_comes_in
from services.console.web.links import Links
from services.console.web.settings import ConsoleSettings, SettingsPageSettings
from tests.support.certificates import an_authority

ADDRESSES = {"consent": "127.0.0.1:1", "metering": "127.0.0.1:2", "licensing": "127.0.0.1:3"}


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    prepare_pages(folder)
    return folder


class _Well(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@contextmanager
def a_page_that_answers(state: StateFolder, page: str) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Well) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_port}"
        state.announcement(page).write_text(f"{address}\n", encoding="ascii")
        yield address
        server.shutdown()


def _token_of(state: StateFolder, code: str) -> str:
    with Links(state.links(CONSOLE), SystemClock()).taking(code) as token:
        return token


def test_keys_of_sessions_are_made_once_and_are_for_their_owner_alone(state: StateFolder) -> None:
    first = state.session_keys().read_bytes()

    prepare_pages(state)

    assert state.session_keys().read_bytes() == first
    assert state.session_keys().stat().st_mode & 0o777 == 0o600


def test_forms_that_name_the_controller_are_offered_where_consent_is_told_who_that_is(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = dict.fromkeys(CONTROLLER, "as it is")
    consent = partial(ServiceProgram, "consent", state, state.prepare(), port=0)
    untold, partly = consent(), consent(settings={**told, "controller_phone": ""})

    assert names_controller(consent(settings=told))
    assert not names_controller(untold)
    assert not names_controller(partly)
    assert not names_controller(ServiceProgram("metering", state, state.prepare(), port=0, settings=told))
    for name in CONTROLLER:
        monkeypatch.setenv(f"SLUICE_CONSENT_{name.upper()}", "as it is")
    assert names_controller(untold)
    of_consent = {name for name in ConsentSettings.model_fields if name.startswith("controller_")}
    assert set(CONTROLLER) == of_consent - {"controller_language"}


def test_links_that_nobody_has_used_end_with_the_installation(state: StateFolder) -> None:
    links = Links(state.links(CONSOLE), SystemClock())
    code = links.make("a token")

    # Of the page alone, in the foreground, beside an installation that runs.
    prepare_pages(state)
    before = _token_of(state, code)
    forgotten = links.make("another token")
    forget_links(state)

    assert before == "a token"
    with pytest.raises(Refusal, match="LINK_USED"):
        _token_of(state, forgotten)


@pytest.mark.parametrize(
    ("given", "announced", "gateway"),
    [
        ("127.0.0.1:9", "127.0.0.1:8", "127.0.0.1:9"),
        (None, "127.0.0.1:8", "127.0.0.1:8"),
        (None, None, "127.0.0.1:7600"),
    ],
)
def test_a_page_calls_through_the_gateway_of_its_installation(
    state: StateFolder, given: str | None, announced: str | None, gateway: str
) -> None:
    if announced:
        state.announcement("gateway").write_text(f"{announced}\n", encoding="ascii")

    assert gateway_of(state, given) == gateway


def test_whoever_comes_in_by_a_link_stays_as_long_however_that_was_made() -> None:
    assert lifetime_us(USUAL_LIFETIME) == LONGEST_US


def test_what_an_installation_says_are_settings_of_the_pages(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = PagesAsked(platform_name="Chirp & Co")
    of_page = settings_page_fields(state, "127.0.0.1:9", asked)
    environment = {
        **page_environment(state, SETTINGS_PAGE, "127.0.0.1:0", of_page),
        **page_environment(state, CONSOLE, "127.0.0.1:0", console_fields(state, ADDRESSES)),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    page, console = SettingsPageSettings.from_environment(), ConsoleSettings.from_environment()

    assert (page.platform_name, page.gateway_target, page.texts) == ("Chirp & Co", "127.0.0.1:9", None)
    assert page.seal().open("session", console.seal().seal("session", 1)) == 1
    assert page.links != console.links
    assert (console.targets(), console.tls()) == (ADDRESSES, {})


def test_texts_are_shown_from_the_folder_that_is_named_else_from_the_installations(
    state: StateFolder, tmp_path: Path
) -> None:
    own, named = state.texts(), tmp_path / "named"
    own.mkdir()
    named.mkdir()

    shown = [settings_page_fields(state, "h:1", PagesAsked(texts=texts))["texts"] for texts in (None, named)]

    assert shown == [str(own), str(named)]


def test_where_the_services_speak_tls_the_console_does(state: StateFolder) -> None:
    an_authority(state.root)
    state.note_tls(spoken=True)

    fields = console_fields(state, ADDRESSES)

    assert fields["tls_certificate"] == str(state.root / "certs" / "console.pem")
    assert {"tls_key", "tls_ca"} < set(fields)


def test_a_link_signs_in_once_whom_it_was_made_for(state: StateFolder) -> None:
    with a_page_that_answers(state, CONSOLE) as address:
        link = sign_in_link(state, CONSOLE, OPERATOR)

    begin, code = link.split("?code=")
    assert begin == f"http://{address}/sign-in/link"
    assert _token_of(state, code).count(".") == 2


def test_a_link_leads_to_where_browsers_know_the_page(
    state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_CONSOLE_PUBLIC_URL", "https://console.example")

    with a_page_that_answers(state, CONSOLE):
        link = sign_in_link(state, CONSOLE, OPERATOR)

    assert link.startswith("https://console.example/sign-in/link?code=")


@pytest.mark.parametrize("announced", [None, "127.0.0.1:1"])
def test_there_is_no_link_to_a_page_that_does_not_run(state: StateFolder, announced: str | None) -> None:
    if announced:
        state.announcement(SETTINGS_PAGE).write_text(announced, encoding="ascii")

    with pytest.raises(Refusal, match="sluice up --console") as refused:
        sign_in_link(state, SETTINGS_PAGE, a_subject(1001))

    assert refused.value.reason == "PAGE_NOT_RUNNING"


def test_there_is_no_link_without_an_installation(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        sign_in_link(StateFolder(tmp_path / "nowhere"), CONSOLE, OPERATOR)

    assert refused.value.reason == "STATE_MISSING"


def test_commands_that_are_told_name_an_installation_that_is_not_the_usual_one() -> None:
    addresses = {SETTINGS_PAGE: "127.0.0.1:7605", CONSOLE: "127.0.0.1:7606"}
    links = {CONSOLE: "http://127.0.0.1:7606/sign-in/link?code=x"}

    usual = list(how_to_come_in(StateFolder(Path(".sluice")), addresses, links))
    other = list(how_to_come_in(StateFolder(Path("/tmp/my state")), addresses, links))

    assert usual == [
        "Users' settings page: http://127.0.0.1:7605",
        "Makes one for any of them: sluice settings-page link --subject ID",
        "Operators' console: http://127.0.0.1:7606",
        "Signs you in, once and within the hour: http://127.0.0.1:7606/sign-in/link?code=x",
        "Makes one for a second operator: sluice console link --party NAME --role ROLE",
    ]
    assert other[1] == f"{usual[1]} --state '/tmp/my state'"


def test_a_subject_or_an_agent_comes_in_and_never_both() -> None:
    assert who_comes_in("1001", None, []) == (a_subject(1001), frozenset())
    agent, subjects = who_comes_in(None, "helper", ["1001", "1002"])
    assert (agent.kind, agent.party) == (PrincipalKind.AGENT, "helper")
    assert subjects == frozenset({1001, 1002})


@pytest.mark.parametrize(
    ("subject", "agent", "acts_for"),
    [
        (None, None, []),
        ("1", "helper", ["1"]),
        ("1", None, ["2"]),
        (None, "helper", []),
        (None, None, ["1"]),
    ],
)
def test_who_comes_in_is_to_be_clear(subject: str | None, agent: str | None, acts_for: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        who_comes_in(subject, agent, acts_for)

    assert refused.value.reason == "WHO_UNCLEAR"


def test_nobody_is_signed_in_for_longer_than_a_working_day() -> None:
    assert lifetime_us("12h") == 12 * 3_600_000_000
    for text in ("13h", "0s"):
        with pytest.raises(typer.BadParameter):
            lifetime_us(text)


def test_what_would_be_passed_over_in_silence_is_refused() -> None:
    assert pages_asked(1, 2, None, None, wanted=False) is None
    with pytest.raises(Refusal, match="--platform-name") as refused:
        pages_asked(1, 2, "Chirp", None, wanted=False)

    assert refused.value.reason == "CONSOLE_NOT_ASKED"


def test_what_is_not_installed_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_pages, "NEEDED", ("fastapi", "no_such_module"))

    with pytest.raises(Refusal, match=r"no_such_module.*pip install 'sluice\[console\]'") as refused:
        check_installed()

    assert refused.value.reason == "CONSOLE_MISSING"
