"""Webhooks: what is said at them, how it is signed, and when it is said again."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.licensing.domain.webhooks.signatures import Announcement, secret_text, signed_headers
from services.licensing.domain.webhooks.webhooks import (
    HOUR_US,
    OVERLAP_US,
    SECOND_US,
    TRIED_FOR_US,
    Announced,
    Failure,
    Fault,
    Leased,
    Outcome,
    Waiting,
    Webhook,
    Wish,
    announcement_of,
    next_try_us,
    put,
)
from tests.support.clock import NOON_US
from tests.support.https import is_signed_with

OLD, NEW = b"o" * 32, b"n" * 32


def a_wish(*, enabled: bool = True, url: str = "https://example.com/") -> Wish:
    return Wish("acme", url, enabled, "operator:ada")


def a_webhook() -> Webhook:
    return put(None, a_wish(), 5, OLD, NOON_US)


def test_the_signature_is_the_one_that_the_library_of_the_scheme_makes() -> None:
    # standardwebhooks 1.0, `Webhook.sign`.
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    announcement = Announcement("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}')

    headers = dict(signed_headers(announcement, [secret], 1_614_265_330 * SECOND_US + 999_999))

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.text("abc-", min_size=1), st.binary(), st.integers(0, 2**45))
def test_whoever_has_one_of_the_secrets_can_check_what_is_sent(id: str, body: bytes, now_us: int) -> None:
    headers = dict(signed_headers(Announcement(id, body), [NEW, OLD], now_us))

    assert is_signed_with(headers, body, NEW)
    assert is_signed_with(headers, body, OLD)
    assert not is_signed_with(headers, body + b" ", NEW)
    assert not is_signed_with(headers, body, b"x" * 32)


def test_a_secret_is_shown_as_the_scheme_writes_it() -> None:
    assert secret_text(bytes(32)) == "whsec_" + "A" * 43 + "="


def test_w2_the_message_names_the_recall_and_nobody() -> None:
    announcement = announcement_of(Announced("r-1", 7, "acme", NOON_US, NOON_US + 1, 12))

    assert announcement.message_id == "r-1"
    assert json.loads(announcement.body) == {
        "type": "recall.issued",
        "timestamp": "2025-10-09T08:53:20.000000Z",
        "data": {
            "recall_id": "r-1",
            "number": 7,
            "licensee_id": "acme",
            "due_at": "2025-10-09T08:53:20.000001Z",
            "posts": 12,
        },
    }


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day() -> None:
    rotated = a_webhook().rotated(NEW, NOON_US)

    assert rotated.signs_with(NOON_US) == (NEW, OLD)
    assert rotated.signs_with(NOON_US + OVERLAP_US - 1) == (NEW, OLD)
    assert rotated.signs_with(NOON_US + OVERLAP_US) == (NEW,)
    assert a_webhook().signs_with(NOON_US) == (OLD,)


def test_rotated_twice_within_a_day_the_secret_that_the_licensee_has_signs_on_until_its_end() -> None:
    newest, later_us = b"z" * 32, NOON_US + HOUR_US

    twice = a_webhook().rotated(NEW, NOON_US).rotated(newest, later_us)

    headers = dict(signed_headers(Announcement("r-1", b"{}"), twice.signs_with(later_us), later_us))
    assert is_signed_with(headers, b"{}", OLD)
    assert is_signed_with(headers, b"{}", newest)
    assert not is_signed_with(headers, b"{}", NEW)
    assert twice.signs_with(NOON_US + OVERLAP_US) == (newest,)


def test_rotated_after_a_day_the_secret_before_signs_for_another() -> None:
    newest, later_us = b"z" * 32, NOON_US + OVERLAP_US

    twice = a_webhook().rotated(NEW, NOON_US).rotated(newest, later_us)

    assert twice.signs_with(later_us + OVERLAP_US - 1) == (newest, NEW)
    assert twice.signs_with(later_us + OVERLAP_US) == (newest,)


def test_a_new_webhook_begins_with_the_next_recall_and_a_change_goes_on_where_it_was() -> None:
    new = a_webhook()
    moved = put(new, a_wish(url="https://example.org/"), 9, NEW, NOON_US + 1)
    off = put(new, a_wish(enabled=False), 9, NEW, NOON_US + 1)
    on = put(off, a_wish(), 12, NEW, NOON_US + 2)

    assert (new.told_number, new.secret) == (5, OLD)
    assert (moved.told_number, moved.secret, moved.url) == (5, OLD, "https://example.org/")
    assert (off.enabled, on.enabled, on.told_number, on.secret) == (False, True, 12, OLD)


def test_what_another_address_did_not_take_does_not_keep_a_new_one_waiting() -> None:
    dead = replace(a_webhook(), tries=30, next_try_us=NOON_US + HOUR_US)

    same = put(dead, a_wish(), 9, NEW, NOON_US + 1)
    moved = put(dead, a_wish(url="https://example.org/"), 9, NEW, NOON_US + 1)
    off = put(dead, a_wish(enabled=False), 9, NEW, NOON_US + 1)

    assert (same.tries, same.next_try_us) == (30, NOON_US + HOUR_US)
    assert (moved.tries, moved.next_try_us) == (0, NOON_US + 1)
    assert (off.tries, off.next_try_us) == (0, NOON_US + 1)


@pytest.mark.parametrize(
    ("tries", "pause_seconds"), [(0, 5), (1, 10), (2, 20), (9, 2560), (10, 3600), (50, 3600), (10_000, 3600)]
)
def test_pauses_double_up_to_an_hour(tries: int, pause_seconds: int) -> None:
    assert next_try_us(tries, NOON_US, 0.0) == NOON_US + pause_seconds * SECOND_US


@given(st.integers(0, 200), st.floats(0, 1, exclude_max=True))
def test_chance_takes_up_to_half_of_a_pause(tries: int, chance: float) -> None:
    longest, drawn = next_try_us(tries, NOON_US, 0.0), next_try_us(tries, NOON_US, chance)

    assert (longest - NOON_US) / 2 <= drawn - NOON_US <= longest - NOON_US


def test_a_try_in_vain_is_the_last_after_three_days_and_one_that_arrives_never_is() -> None:
    recall = Announced("r-1", 1, "acme", NOON_US, NOON_US, 1)
    leased = Leased(Waiting("acme", 1, NOON_US), a_webhook(), recall)
    last_us, failure = NOON_US + TRIED_FOR_US, Failure(Fault.TIMED_OUT)

    assert Outcome(leased, last_us - 1, failure, last_us).word == "failed"
    assert Outcome(leased, last_us, failure, last_us).word == "given_up"
    assert Outcome(leased, last_us, None, last_us).word == "delivered"
