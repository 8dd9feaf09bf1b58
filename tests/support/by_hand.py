"""The Secrets and ConfigMaps that operators of a cluster make by hand."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "kubernetes.md"


def documented() -> dict[tuple[str, str], set[str]]:
    """What an operator makes by hand, as docs/kubernetes.md lists it: its keys, by kind and name."""
    rows = re.findall(
        r"^\| (Secret|ConfigMap) `([a-z-]+)` \| ([^|]+) \|", DOCUMENT.read_text(encoding="utf-8"), re.M
    )
    return {(kind, name): set(re.findall(r"`([^`]+)`", keys)) for kind, name, keys in rows}
