"""With which certificates the command line speaks TLS, if it does: given ones, else the installation's."""

import os
from pathlib import Path
from typing import Annotated

import grpc
import typer

from services.chassis.certificates import Certificates
from services.chassis.clock import SystemClock
from services.chassis.refusals import invalid
from services.chassis.tls_files import TlsFiles
from services.console.authority import CLIENT
from services.console.installation import StateFolder

CA, CERTIFICATE, KEY = "SLUICE_CA", "SLUICE_CERT", "SLUICE_KEY"
"""Files, as PEM; all three or none."""


def options(
    *,
    ca: Annotated[
        Path | None,
        typer.Option(help="PEM file with the CAs of the services: TLS is spoken. Else SLUICE_CA."),
    ] = None,
    cert: Annotated[
        Path | None, typer.Option(help="PEM file with the certificate to show them. Else SLUICE_CERT.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="PEM file with the key of that certificate. Else SLUICE_KEY.")
    ] = None,
) -> None:
    """Decide, for every release of user posts to an AI licensee, whether it may happen, and prove it."""
    given = {CA: ca, CERTIFICATE: cert, KEY: key}
    # As a token is: whatever this command starts speaks as it does.
    os.environ.update({name: str(path) for name, path in given.items() if path is not None})


def certificates_for(state: StateFolder) -> Certificates | None:
    """Those that options or the environment name, else those of an installation that speaks TLS, else none.

    Raises Refusal: TLS_INCOMPLETE (invalid) where only a part is given, CERTIFICATE_UNUSABLE.
    """
    ca, certificate, key = (os.environ.get(name) for name in (CA, CERTIFICATE, KEY))
    if ca and certificate and key:
        files = TlsFiles(Path(certificate), Path(key), Path(ca))
    elif ca or certificate or key:
        raise invalid(
            "TLS_INCOMPLETE", f"--ca, --cert and --key, or {CA}, {CERTIFICATE} and {KEY}, go together"
        )
    elif state.speaks_tls():
        files = state.authority.files(CLIENT)
    else:
        return None
    return Certificates(files, SystemClock(), use="client")


def credentials_of(certificates: Certificates | None) -> grpc.ChannelCredentials | None:
    """The same for a library that takes gRPC's own: for as long as they last that are there now."""
    if certificates is None:
        return None
    shown = certificates.current()
    return grpc.ssl_channel_credentials(shown.ca, shown.key, shown.certificate)
