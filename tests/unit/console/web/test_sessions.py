"""Sessions that lie with browsers: sealed, bounded, and ending with the token."""

import json

import pytest
from cryptography.fernet import Fernet

from services.chassis.refusals import Refusal
from services.console.web.sessions import Seal, Session, opened_session, sealed_session
from sluice.consent.v1 import consent_service_pb2 as pb
from tests.support.clock import NOON_US
from tests.support.small_pages import HOUR_US, a_session


@pytest.fixture
def seal() -> Seal:
    return Seal([Fernet.generate_key()])


def test_a_session_is_opened_as_it_was_sealed(seal: Seal) -> None:
    session = a_session(party="helper", roles=("legal", "trust"))

    assert opened_session(seal, sealed_session(seal, session), NOON_US) == session


def test_a_session_ends_with_its_token(seal: Seal) -> None:
    sealed = sealed_session(seal, a_session())

    assert opened_session(seal, sealed, NOON_US + HOUR_US - 1) is not None
    assert opened_session(seal, sealed, NOON_US + HOUR_US) is None


def test_each_sign_in_of_the_same_caller_is_another(seal: Seal) -> None:
    caller = pb.GetCallerResponse(kind="subject", party="7")

    assert Session.begin("a token", caller).id != Session.begin("a token", caller).id


def test_keys_that_are_rotated_open_what_older_ones_sealed() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = sealed_session(Seal([old]), a_session())

    assert opened_session(Seal([new, old]), sealed, NOON_US) == a_session()
    assert opened_session(Seal([new]), sealed, NOON_US) is None


def test_the_first_key_seals() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = sealed_session(Seal([new, old]), a_session())

    assert opened_session(Seal([new]), sealed, NOON_US) == a_session()


@pytest.mark.parametrize("value", ["", "x", "\u00e9", "gAAAA" + "A" * 100, "\0"])
def test_what_nobody_has_sealed_is_no_session(seal: Seal, value: str) -> None:
    assert opened_session(seal, value, NOON_US) is None


def test_a_form_is_no_session(seal: Seal) -> None:
    assert opened_session(seal, seal.seal("form", {"id": "a"}), NOON_US) is None


@pytest.mark.parametrize("content", [{"id": "a"}, {"roles": []}, [], "text", 7])
def test_a_session_of_another_version_of_the_program_is_signed_in_again(seal: Seal, content: object) -> None:
    assert opened_session(seal, seal.seal("session", content), NOON_US) is None


def test_a_token_is_in_no_text_that_could_come_into_a_log(seal: Seal) -> None:
    session = a_session(token="secret-token")

    assert "secret-token" not in repr(session)
    assert "secret-token" not in sealed_session(seal, session)


@pytest.mark.parametrize("keys", [[], [b""], [b"short"], [b"!" * 44]])
def test_keys_that_are_none_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(Refusal, match="SESSION_KEYS_WRONG"):
        Seal(keys)


def test_a_seal_holds_json_values(seal: Seal) -> None:
    content = {"a": [1, None, "\u00e9"]}

    assert seal.open("told", seal.seal("told", content)) == json.loads(json.dumps(content))
