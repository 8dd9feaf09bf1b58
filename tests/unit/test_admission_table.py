"""The table in docs/identity.md is what the contracts say."""

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs/identity.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "protos/admission_table.py"))


def test_the_document_has_the_table_that_the_contracts_make(script: dict[str, Any]) -> None:
    assert script["document"](DOCUMENT) == DOCUMENT, "make protos"


def test_every_rpc_that_admits_somebody_has_a_row_under_its_service(script: dict[str, Any]) -> None:
    for method in script["table"]():
        _, service, name = method.split("/")
        part = DOCUMENT.partition(f"### {service}\n")[2].partition("\n\n")[0]
        assert f"\n| {name} |" in part, method
