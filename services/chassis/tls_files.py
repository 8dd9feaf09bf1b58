"""Which files TLS is spoken with: named by settings, read by whoever speaks it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TlsFiles:
    """What TLS is spoken with, as PEM files."""

    certificate: Path
    key: Path
    ca: Path
