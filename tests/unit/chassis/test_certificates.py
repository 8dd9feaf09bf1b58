"""Certificates in files: read again when they are replaced, and never by something that cannot be used."""

import asyncio
import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.chassis import certificates as certificates_of_chassis
from services.chassis import tls
from services.chassis.certificates import Certificates
from services.chassis.certified import service_named
from services.chassis.refusals import Kind, Refusal
from services.console.authority import Authority
from services.console.certificate_making import as_before
from tests.support.certificates import an_authority, certificates, give, give_ed25519, issue_past, right_now
from tests.support.clock import ManualClock
from tests.support.odd_certificates import CERTIFICATE, KEY

SECOND_US = 1_000_000
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates_of_chassis, "FIRST_PAUSE_SECONDS", 0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(int(right_now().timestamp()) * SECOND_US)


@pytest.fixture
def held(authority: Authority, clock: ManualClock) -> Certificates:
    return certificates(authority, "consent", clock)


def failures() -> float:
    return REGISTRY.get_sample_value("sluice_certificate_reload_failures_total", {"use": "test"}) or 0.0


def test_a_certificate_that_is_replaced_is_read_again(authority: Authority, held: Certificates) -> None:
    before = held.current()

    authority.renew(None, right_now())

    assert held.current() is not before
    assert held.current().certificate == authority.files("consent").certificate.read_bytes()


def test_files_that_are_the_same_are_not_read_again(held: Certificates) -> None:
    assert held.current() is held.current()


@pytest.mark.parametrize("which", ["certificate", "key", "ca"])
@pytest.mark.parametrize("size", [0, 150], ids=["empty", "half written"])
def test_a_half_written_file_keeps_the_last_good_one_and_is_said_once(
    authority: Authority, clock: ManualClock, held: Certificates, which: str, size: int
) -> None:
    before, said_before = held.current(), failures()
    path: Path = getattr(authority.files("consent"), which)
    path.write_bytes(path.read_bytes()[:size])

    at_once = held.current(), failures()
    clock.advance(2 * SECOND_US)
    later = held.current(), failures()
    clock.advance(60 * SECOND_US)
    held.current()

    assert at_once == (before, said_before)
    assert later == (before, said_before + 1)
    assert failures() == said_before + 1


@pytest.mark.parametrize(
    "odd", [{"key": KEY}, {"certificate": CERTIFICATE, "key": KEY}, {"certificate": CERTIFICATE}]
)
def test_what_no_library_here_understands_is_a_file_that_cannot_be_used_and_no_defect(
    authority: Authority, clock: ManualClock, held: Certificates, odd: dict[str, bytes]
) -> None:
    before, said_before = held.current(), failures()
    for which, content in odd.items():
        getattr(authority.files("consent"), which).write_bytes(content)

    at_once = held.current()
    clock.advance(2 * SECOND_US)
    later = held.current()

    assert (at_once, later, failures()) == (before, before, said_before + 1)
    with pytest.raises(Refusal, match="CERTIFICATE_UNUSABLE"):
        certificates(authority, "consent", clock)


async def test_the_watch_goes_on_whatever_happens_to_it(
    held: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bool] = []

    def fail() -> None:
        looked.append(True)
        raise RuntimeError

    monkeypatch.setattr(tls, "LOOK_EVERY_SECONDS", 0)
    monkeypatch.setattr(held, "current", fail)

    with capture_logs() as said:
        watching = asyncio.create_task(tls.CertificateWatch(held).run())
        for _ in range(5):
            await asyncio.sleep(0)
    watching.cancel()

    assert len(looked) > 1
    assert {each["event"] for each in said} == {"the certificates could not be looked at"}


async def test_what_is_wrong_is_said_although_nobody_calls(
    authority: Authority, clock: ManualClock, held: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "LOOK_EVERY_SECONDS", 0)
    said_before = failures()
    authority.files("consent").key.write_bytes(b"")

    watching = asyncio.create_task(tls.CertificateWatch(held).run())
    for _ in range(3):
        await asyncio.sleep(0)
        clock.advance(2 * SECOND_US)
    watching.cancel()

    assert failures() == said_before + 1


def test_a_file_that_is_gone_keeps_the_last_good_one_and_is_said_once(
    authority: Authority, clock: ManualClock, held: Certificates
) -> None:
    before, said_before = held.current(), failures()
    authority.files("consent").key.unlink()

    seen = []
    for _ in range(3):
        seen.append(held.current())
        clock.advance(2 * SECOND_US)

    assert seen == [before] * 3
    assert failures() == said_before + 1


def test_a_key_and_a_certificate_that_are_replaced_one_after_the_other_are_no_failure(
    authority: Authority, clock: ManualClock, held: Certificates, tmp_path: Path
) -> None:
    before, said_before = held.current(), failures()
    (tmp_path / "next").mkdir()
    after = an_authority(tmp_path / "next")
    after.renew(None, right_now())
    ours, theirs = authority.files("consent"), after.files("consent")

    ours.key.write_bytes(theirs.key.read_bytes())
    between = held.current()
    ours.certificate.write_bytes(theirs.certificate.read_bytes())

    assert between is before
    assert held.current().certificate == theirs.certificate.read_bytes()
    assert failures() == said_before


def test_a_certificate_that_has_ended_does_not_replace_one_that_has_not(
    authority: Authority, held: Certificates
) -> None:
    before = held.current()

    issue_past(authority, "consent", days=1)

    assert held.current() is before


def test_a_certificate_that_is_not_in_force_yet_replaces_the_one_before_once_it_is(
    authority: Authority, clock: ManualClock, held: Certificates
) -> None:
    before = held.current()
    give(authority, "consent", as_before(authority.held()["consent"]), right_now() + DAY)

    too_early = held.current()
    clock.advance(25 * 3_600 * SECOND_US)

    assert too_early is before
    assert held.current() is not before


def test_it_tells_how_long_the_certificate_lasts_yet(clock: ManualClock, held: Certificates) -> None:
    left = held.seconds_left()

    clock.advance(100 * 86_400 * SECOND_US)

    assert 89 * 86_400 < left <= 90 * 86_400
    assert held.seconds_left() < 0


def remove_key(authority: Authority) -> None:
    authority.files("consent").key.unlink()


def swap_key(authority: Authority) -> None:
    authority.files("consent").key.write_bytes(authority.files("metering").key.read_bytes())


def lock_key(authority: Authority) -> None:
    path = authority.files("consent").key
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))


def end(authority: Authority) -> None:
    issue_past(authority, "consent", days=1)


def empty_ca(authority: Authority) -> None:
    authority.ca.write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (remove_key, "No such file"),
        (swap_key, "the key is not that of the certificate"),
        (lock_key, "locked with a password"),
        (end, "the certificate has ended at 20"),
        (empty_ca, "Unable to load PEM"),
    ],
)
def test_with_nothing_good_to_begin_with_it_does_not_begin(
    authority: Authority, spoil: Callable[[Authority], None], said: str
) -> None:
    spoil(authority)

    with pytest.raises(Refusal, match=said) as caught:
        certificates(authority, "consent")

    assert (caught.value.kind, caught.value.reason) == (Kind.PRECONDITION, "CERTIFICATE_UNUSABLE")


def test_a_key_that_grpc_has_no_handshake_for_is_refused(authority: Authority) -> None:
    give_ed25519(authority, "consent")

    with pytest.raises(Refusal, match="P-256 or P-384"):
        certificates(authority, "consent")


@pytest.mark.parametrize(
    ("uris", "dns_names", "named"),
    [
        (["spiffe://sluice/consent"], [], "consent"),
        (["spiffe://sluice/consent"], ["metering", "localhost"], "consent"),
        ([], ["consent", "localhost", "consent.sluice.svc.cluster.local"], "consent"),
        ([], ["consent", "metering"], None),
        ([], ["localhost"], None),
        ([], ["consent.sluice.svc"], None),
        ([], ["*"], None),
        ([], ["127.0.0.1"], None),
        ([], [], None),
        (["spiffe://sluice/client/console"], [], None),
        (["spiffe://elsewhere/consent"], ["consent"], None),
        (["spiffe://sluice.elsewhere/consent"], [], None),
        (["spiffe://sluice/"], [], None),
        (["spiffe://sluice/consent/"], [], None),
        (["spiffe://sluice/Consent"], [], None),
        (["spiffe://sluice/consent?x=1"], [], None),
        (["SPIFFE://sluice/consent"], [], None),
        (["spiffe://sluice/consent\n"], [], None),
        (["https://sluice/consent"], ["consent"], None),
        (["spiffe://sluice/consent", "spiffe://sluice/metering"], [], None),
    ],
)
def test_a_certificate_names_one_service_or_none(
    uris: list[str], dns_names: list[str], named: str | None
) -> None:
    assert service_named(uris, dns_names, "sluice") == named
