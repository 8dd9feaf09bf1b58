"""The certificates by which a gateway and the services know each other, as files of Envoy's secrets (SDS).

The secrets name files and hold none: what `sluice certs` replaces is read again while everything runs.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from services.chassis.tls_files import TlsFiles
from services.chassis.whole_files import sync_folder, write_file
from services.console.gateway.credential import NAME
from services.console.installation import StateFolder

MODE = 0o600
SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105 - a type


def write_secrets(state: StateFolder) -> dict[str, Path]:
    """Writes both files, and says where they are as the values of a gateway have it; raises OSError.

    The certificates themselves may come later; without them no connection to a service comes about.
    """
    files = state.authority.files(NAME)
    certificate, authorities = state.gateway_certificate().resolve(), state.gateway_authorities().resolve()
    _write(certificate, {"name": "gateway", "tls_certificate": _certificate(files)})
    _write(authorities, {"name": "authorities", "validation_context": _authorities(files)})
    return {"certificate": certificate, "authorities": authorities}


def _certificate(files: TlsFiles) -> dict[str, object]:
    return {
        "certificate_chain": _file(files.certificate),
        "private_key": _file(files.key),
        "watched_directory": _folder(files.certificate),
    }


def _authorities(files: TlsFiles) -> dict[str, object]:
    return {"trusted_ca": _file(files.ca), "watched_directory": _folder(files.ca)}


def _file(path: Path) -> dict[str, str]:
    return {"filename": str(path.resolve())}


def _folder(path: Path) -> dict[str, str]:
    # Envoy looks at a folder and not at files: those that are replaced by renaming are others.
    return {"path": str(path.parent.resolve())}


def _write(path: Path, secret: Mapping[str, object]) -> None:
    content = json.dumps({"resources": [{"@type": SECRET, **secret}]}).encode()
    write_file(path, content, MODE, path.with_name(f".{path.name}.draft"))
    sync_folder(path.parent)
