"""The sealed field of a form: of one sign-in, one action, and some hours."""

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Refusal
from services.console.web.forms import LONGEST_SECONDS, Forms
from services.console.web.sessions import Seal
from tests.support.clock import ManualClock
from tests.support.small_pages import a_session

NAMES = st.text(min_size=1, max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each, max_size=3),
    max_leaves=6,
)


def _forms(clock: ManualClock | None = None) -> Forms:
    turned = clock or ManualClock()
    return Forms(Seal([Fernet.generate_key()], turned), turned)


@given(NAMES, NAMES, st.dictionaries(st.text(max_size=8), JSON, max_size=3))
def test_a_form_comes_back_with_what_its_reader_saw(
    sign_in: str, action: str, seen: dict[str, object]
) -> None:
    forms, session = _forms(), a_session(id=sign_in)

    opened = forms.opened(session, action, forms.field(session, action, seen))

    assert opened.seen == seen
    assert len(opened.request_id) == 36


@given(NAMES, NAMES, NAMES, NAMES)
def test_no_form_opens_for_another_sign_in_or_action(mine: str, theirs: str, action: str, other: str) -> None:
    forms = _forms()
    field = forms.field(a_session(id=mine), action)

    for sign_in, asked in ((theirs, action), (mine, other), (theirs, other)):
        if (sign_in, asked) != (mine, action):
            with pytest.raises(Refusal, match="FORM_STALE"):
                forms.opened(a_session(id=sign_in), asked, field)


@given(st.text(max_size=200))
def test_what_nobody_has_sealed_is_no_form(value: str) -> None:
    with pytest.raises(Refusal, match="FORM_STALE"):
        _forms().opened(a_session(), "halt", value)


@given(st.integers(0), st.integers(1, 255))
def test_a_form_with_a_changed_letter_is_none(place: int, change: int) -> None:
    forms = _forms()
    field = bytearray(forms.field(a_session(), "halt").encode())
    field[place % len(field)] ^= change

    # base64 has idle bits at its end: what is the same for every reader may differ in a letter.
    if field.rstrip(b"=")[:-1] != forms.field(a_session(), "halt").encode().rstrip(b"=")[:-1]:
        with pytest.raises(Refusal, match="FORM_STALE"):
            forms.opened(a_session(), "halt", field.decode("latin-1"))


def test_each_form_has_a_request_id_of_its_own_and_keeps_it() -> None:
    forms, session = _forms(), a_session()
    fields = [forms.field(session, "halt") for _ in range(2)]

    ids = [forms.opened(session, "halt", field).request_id for field in [*fields, *fields]]

    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]


def test_a_form_ends_after_half_a_day() -> None:
    clock = ManualClock()
    forms, session = _forms(clock), a_session()
    field = forms.field(session, "halt")

    clock.advance(LONGEST_SECONDS * 1_000_000)
    opened = forms.opened(session, "halt", field)
    clock.advance(1_000_000)

    assert opened.seen == {}
    with pytest.raises(Refusal, match="FORM_STALE"):
        forms.opened(session, "halt", field)


def test_the_seal_of_a_session_is_none_of_a_form() -> None:
    clock = ManualClock()
    seal, session = Seal([Fernet.generate_key()], clock), a_session()
    content = [session.id, "halt", "an id", {}]

    with pytest.raises(Refusal, match="FORM_STALE"):
        Forms(seal, clock).opened(session, "halt", seal.seal("session", content))
