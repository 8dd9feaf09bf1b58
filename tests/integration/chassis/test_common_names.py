"""What gRPC takes for the name of a server, so that what the documentation asks of a CA stays true.

Names are looked for among the alternative ones; a certificate without any DNS name is taken by its common
name, which no check of ours sees.
"""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.chassis.refusals import Refusal
from services.console.certificate_making import issue
from tests.integration.chassis.echo import ADMISSIONS, NAME, Echo
from tests.support.certificates import LIFE, an_authority, client_tls, right_now, server_tls
from tests.support.grpc import serving

SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
OF_SOMEBODY = x509.UniformResourceIdentifier("spiffe://sluice/client/somebody")


async def is_taken_for_consent(
    folder: Path, names: list[x509.GeneralName], usages: list[x509.ObjectIdentifier]
) -> bool:
    """Whether a client that wants consent talks to who shows this, with "consent" as its common name."""
    authority = an_authority(folder)
    says: list[x509.ExtensionType] = [x509.ExtendedKeyUsage(usages)]
    issued_names = [x509.SubjectAlternativeName(names)] if names else []
    issued = issue(authority.signer(), "consent", [*says, *issued_names], right_now(), LIFE)
    files = authority.files("metering")
    files.key.write_bytes(issued.key)
    files.certificate.write_bytes(issued.certificate)
    tls = server_tls(authority, "metering")
    async with serving(folder, Echo().bolt(), admissions=ADMISSIONS, tls=tls) as server:
        peer = server.peer_showing(None, client_tls(authority, "licensing", "consent"))
        with pytest.raises(Refusal) as refused:
            await peer.call(peer.channel.unary_unary(f"/{NAME}/Say"), b"", at_most_us=2_000_000)
    # What the server refuses was told to it; whom the client does not trust is told nothing.
    return refused.value.reason == "NOT_ADMITTED"


@pytest.mark.parametrize(
    ("names", "usages", "is_taken"),
    [
        ([], [SERVER], True),
        ([OF_SOMEBODY], [SERVER, CLIENT], True),
        ([OF_SOMEBODY, x509.DNSName("somebody")], [SERVER, CLIENT], False),
        ([OF_SOMEBODY], [CLIENT], False),
    ],
    ids=["no names", "a URI alone", "another DNS name", "a client's usage alone"],
)
async def test_a_common_name_counts_where_there_is_no_dns_name_and_never_for_a_client_certificate(
    tmp_path: Path, names: list[x509.GeneralName], usages: list[x509.ObjectIdentifier], *, is_taken: bool
) -> None:
    assert await is_taken_for_consent(tmp_path, names, usages) == is_taken
