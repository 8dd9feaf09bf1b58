"""Writes into docs/identity.md whom each RPC admits, as its contract says.

The table in the document is never edited: `make protos` makes it, and a test compares it with the contracts.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path

from services.chassis.admissions import AdmissionReader
from services.chassis.identity import Admission, AdmissionTable, PrincipalKind
from sluice.type.v1 import admission_pb2 as said

PROTOS = Path(__file__).resolve().parent
DOCUMENT = PROTOS.parent / "docs" / "identity.md"
KINDS = tuple(
    map(PrincipalKind, ("licensee", "subject", "agent", "operator", "auditor", "pipeline", "service"))
)
"""In the order of the columns: who comes from outside, then who does not."""
BEGIN, END = "<!-- made from the contracts: begin -->\n", "<!-- made from the contracts: end -->\n"


def table() -> AdmissionTable:
    """The lines of all RPCs of all contracts."""
    found = sorted(path for folder in ("gateway", "sluice") for path in (PROTOS / folder).rglob("*.proto"))
    modules = [".".join(path.relative_to(PROTOS).with_suffix("").parts) for path in found]
    files = [import_module(f"{module}_pb2").DESCRIPTOR for module in modules]
    return AdmissionReader(said.admission, said.CallerKind, said.OperatorRole).table(*files)


def words() -> str:
    """The table as the document has it, in Markdown: a part for each service."""
    return "".join(line + "\n" for line in _lines(table()))


def document(text: str) -> str:
    """The document with the table as it is to be."""
    before, _, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SystemExit(f"{DOCUMENT} has no place for the table")
    return before + BEGIN + words() + END + after


def _lines(lines: AdmissionTable) -> Iterator[str]:
    for service, methods in groupby(sorted(lines), lambda method: method.split("/")[1]):
        yield from ("", f"### {service}", f"| RPC | {' | '.join(KINDS)} |")
        yield "|---" * (1 + len(KINDS)) + "|"
        for method in methods:
            cells = (_cell(lines[method], kind) for kind in KINDS)
            yield f"| {method.rpartition('/')[2]} | {' | '.join(cells)} |"
    yield ""


def _cell(admission: Admission, kind: PrincipalKind) -> str:
    if admission.anyone:
        return "anyone"
    if kind not in admission.kinds:
        return ""
    if kind is PrincipalKind.OPERATOR:
        return ", ".join(sorted(admission.roles)) or "any"
    if kind is PrincipalKind.SERVICE:
        return ", ".join(sorted(admission.services))
    return "yes, sandbox too" if kind in admission.sandbox else "yes"


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
