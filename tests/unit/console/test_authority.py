"""The certificates of an installation: made once, renewed, and those of one CA after those of another."""

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from services.chassis.refusals import Refusal
from services.console.authority import NAMES, SERVERS, Authority
from services.console.certificates import left_of, names_of
from tests.support.certificates import LIFE, an_authority, right_now

DAY = datetime.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return an_authority(tmp_path)


def contents(authority: Authority) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in authority.folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("name", SERVERS)
def test_a_service_is_named_by_its_uri_and_may_be_dialed_by_name_or_here(
    authority: Authority, name: str
) -> None:
    certificate = authority.held()[name]

    assert names_of(certificate) == [f"spiffe://sluice/{name}", name, "localhost", "127.0.0.1"]


def test_the_command_line_names_no_service(authority: Authority) -> None:
    assert names_of(authority.held()["console"]) == ["spiffe://sluice/client/console"]


@pytest.mark.parametrize("name", NAMES)
def test_others_find_nothing_wrong_with_them(authority: Authority, name: str) -> None:
    verifier = PolicyBuilder().store(Store(authority.believed())).build_client_verifier()

    verified = verifier.verify(authority.held()[name], [])

    assert verified.chain[1:] == authority.believed()


def test_a_ca_signs_certificates_and_no_other_ca(authority: Authority) -> None:
    extensions = authority.believed()[0].extensions
    constraints = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage).value

    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert (usage.key_cert_sign, usage.digital_signature) == (True, False)


def test_keys_are_readable_by_their_owner_alone_and_that_of_the_ca_lies_apart(authority: Authority) -> None:
    modes = {path.name: path.stat().st_mode & 0o777 for path in authority.folder.glob("*.key")}

    assert modes == {f"{name}.key": 0o600 for name in NAMES}
    assert authority.signing.stat().st_mode & 0o777 == 0o600
    assert authority.signing.parent != authority.folder
    assert b"PRIVATE" not in authority.ca.read_bytes()


def test_what_is_there_is_kept_and_what_is_missing_is_made(authority: Authority) -> None:
    authority.files("metering").certificate.unlink()
    before = contents(authority)

    authority.ensure("sluice", ["sluice.example"], LIFE, right_now())

    after = contents(authority)
    made = {name for name in after if after[name] != before.get(name)}
    assert made == {"metering.pem", "metering.key"}
    assert "sluice.example" in names_of(authority.held()["metering"])


def test_another_trust_domain_is_refused_where_there_is_one(authority: Authority) -> None:
    with pytest.raises(Refusal) as refused:
        authority.ensure("elsewhere", [], LIFE, right_now())

    assert refused.value.reason == "TRUST_DOMAIN_TAKEN"


def test_a_renewal_keeps_names_and_lifetime_and_changes_keys(authority: Authority) -> None:
    before = authority.held()

    authority.renew(None, right_now() + DAY)

    after = authority.held()
    assert {name: names_of(each) for name, each in after.items()} == {
        name: names_of(each) for name, each in before.items()
    }
    assert all(after[name].public_key() != before[name].public_key() for name in NAMES)
    assert after["consent"].not_valid_after_utc == right_now() + DAY + LIFE


def test_no_certificate_lasts_longer_than_its_ca(authority: Authority) -> None:
    authority.renew(20_000 * DAY, right_now())

    ca = authority.believed()[0]
    assert all(each.not_valid_after_utc == ca.not_valid_after_utc for each in authority.held().values())


def test_an_end_that_has_come_is_shown(authority: Authority) -> None:
    consent = authority.held()["consent"]

    assert left_of(consent, consent.not_valid_after_utc - 3 * DAY) == "3 days"
    assert left_of(consent, consent.not_valid_after_utc) == "ENDED"


def test_a_ca_that_has_ended_signs_no_more(authority: Authority) -> None:
    with pytest.raises(Refusal) as refused:
        authority.renew(None, right_now() + 4_000 * DAY)

    assert refused.value.reason == "CA_ENDED"


def test_a_ca_is_not_dropped_while_certificates_are_of_it(authority: Authority) -> None:
    authority.add_signer(right_now())

    with pytest.raises(Refusal, match="licensing") as refused:
        authority.drop_signers()

    assert refused.value.reason == "CERTS_OF_OLD_CA"
    assert len(authority.believed()) == 2


@pytest.mark.parametrize("missing", ["ca.pem", "consent.pem", "authority/signing.pem"])
def test_what_is_missing_is_said(authority: Authority, missing: str) -> None:
    (authority.folder / missing).unlink()

    with pytest.raises(Refusal) as refused:
        authority.add_signer(right_now())
        authority.drop_signers()

    assert refused.value.reason == "CERTS_MISSING"


def test_what_is_no_certificate_is_said(authority: Authority) -> None:
    authority.files("consent").certificate.write_bytes(b"nothing of the kind")

    with pytest.raises(Refusal) as refused:
        authority.held()

    assert refused.value.reason == "CERTS_DAMAGED"
