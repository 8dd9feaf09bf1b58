"""Published test vectors, which are not part of the project: read where they are, else skipped."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def vectors(name: str) -> Any:
    """The JSON document `name` of the folder SLUICE_VECTORS (or beside the checkout); without it, skips."""
    path = Path(os.environ.get("SLUICE_VECTORS", BESIDE_THE_CHECKOUT)) / name
    if not path.exists():
        pytest.skip(f"the published vectors {name} are not here")
    return json.loads(path.read_bytes())


def vectors_below(folder: str) -> dict[str, Any]:
    """All JSON documents below `folder` there, by their path; without it, skips."""
    path = Path(os.environ.get("SLUICE_VECTORS", BESIDE_THE_CHECKOUT)) / folder
    if not path.is_dir():
        pytest.skip(f"the published vectors {folder} are not here")
    return {str(file.relative_to(path)): json.loads(file.read_bytes()) for file in path.rglob("*.json")}
