"""API keys: one form, nothing kept but a digest, and one refusal for whatever is wrong."""

import base64
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.refusals import Kind, Refusal
from services.licensing.domain.api_keys import (
    ApiKey,
    Holder,
    HolderKind,
    NewKey,
    check_new,
    holder_of,
    key_id_of,
    new_key,
)
from tests.support.clock import NOON_US

EXPORTS = Holder(HolderKind.PIPELINE, "exports", sandbox=False)


def a_new_key(sandbox: bool = False) -> NewKey:
    return new_key(sandbox, bytes(range(8)), bytes(range(32)))


def kept(key: NewKey | None = None, **changes: object) -> ApiKey:
    """What is kept of a key without an end."""
    key = key or a_new_key()
    description = ApiKey(key.key_id, key.digest, EXPORTS, "nightly", "operator:ann", NOON_US, None)
    return replace(description, **changes)  # type: ignore[arg-type]


def test_a_key_has_a_prefix_that_those_who_look_for_secrets_can_find() -> None:
    live, test = a_new_key().text, a_new_key(sandbox=True).text

    secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert live == f"sluice_live_0001020304050607_{secret}"
    assert test == f"sluice_test_0001020304050607_{secret}"
    assert re.findall(r"sluice_(?:live|test)_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", f"key={live};") == [live]


@given(id_bits=st.binary(min_size=8, max_size=8), bits=st.binary(min_size=32, max_size=32))
def test_every_key_is_known_by_the_id_in_it_and_carries_all_its_bits(id_bits: bytes, bits: bytes) -> None:
    key = new_key(False, id_bits, bits)

    assert key_id_of(key.text) == key.key_id == id_bits.hex()
    assert base64.urlsafe_b64decode(key.text[-43:] + "=") == bits
    assert holder_of(key.text, kept(key), NOON_US) == EXPORTS


def wrong_texts() -> list[str]:
    text = a_new_key().text
    return [
        "",
        "sluice_live_",
        text[:-1],
        f"{text}A",
        f"{text}=",
        f" {text}",
        f"{text}\n",
        text.upper(),
        text.replace("live", "test"),
        # The last letter carries two bits that stand for nothing: another letter, the same secret.
        f"{text[:-1]}9",
        text.replace("0001020304050607", "0001020304050608"),
        "\u0661" * 43,
        "\ud800",
        "x" * 100_000,
    ]


@pytest.mark.parametrize("text", wrong_texts(), ids=range(len(wrong_texts())))
def test_any_other_text_is_no_key(text: str) -> None:
    for known in (None, kept()):
        with pytest.raises(Refusal) as refused:
            holder_of(text, known, NOON_US)

        assert (refused.value.kind, refused.value.reason) == (Kind.UNAUTHENTICATED, "API_KEY_INVALID")


def test_whatever_is_wrong_with_a_key_the_refusal_is_the_same() -> None:
    text = a_new_key().text
    refusals = set()
    for shown, known in (
        (text, None),
        ("nonsense", None),
        (a_new_key(sandbox=True).text, kept()),
        (text, kept(revoked_at_us=NOON_US - 1)),
        (text, kept(expires_at_us=NOON_US)),
    ):
        with pytest.raises(Refusal) as refused:
            holder_of(shown, known, NOON_US)
        refusals.add((refused.value.kind, refused.value.reason, refused.value.message))

    assert len(refusals) == 1


def test_no_single_bit_of_a_key_may_differ() -> None:
    text = a_new_key().text
    changed = [
        text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
        for place in range(len(text))
        for bit in range(7)
    ]

    accepted = 0
    for each in changed:
        try:
            holder_of(each, kept(), NOON_US)
        except Refusal:
            continue
        accepted += 1

    assert (len(changed), accepted) == (504, 0)


def test_a_key_ends_on_the_microsecond() -> None:
    key = kept(expires_at_us=NOON_US)

    assert [key.is_active(now_us) for now_us in (NOON_US - 1, NOON_US)] == [True, False]


def test_the_first_who_revoked_a_key_stands() -> None:
    once = kept().revoked(NOON_US, "operator:ann")

    assert once.revoked(NOON_US + 1, "operator:bob") == once
    assert (once.revoked_at_us, once.revoked_by) == (NOON_US, "operator:ann")


def test_a_third_active_key_is_refused_and_what_is_over_leaves_room() -> None:
    one, two, over = kept(), kept(), kept(expires_at_us=NOON_US)

    check_new(EXPORTS, [one, over, two.revoked(NOON_US, "operator:ann")], None, NOON_US)
    with pytest.raises(Refusal, match="TOO_MANY_KEYS"):
        check_new(EXPORTS, [one, two], None, NOON_US)


def test_a_key_that_would_be_expired_is_refused() -> None:
    check_new(EXPORTS, [], NOON_US + 1, NOON_US)
    with pytest.raises(Refusal, match="EXPIRY_IN_PAST"):
        check_new(EXPORTS, [], NOON_US, NOON_US)
