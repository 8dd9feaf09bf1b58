"""Whether an assessment says what its evidence comes to (D2): everything is computed again and compared.

A verdict is of the whole bundle; no function here says that one part of it is fine.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sluice_gate.damages.bundle import (
    ASSESSMENT,
    README,
    Folder,
    name_faults,
    open_folder,
    sum_faults,
    text_faults,
)
from sluice_gate.damages.differences import Difference, compare
from sluice_gate.damages.document import DERIVED, faults, parse
from sluice_gate.damages.evidence import EvidenceReader
from sluice_gate.damages.recomputing import Recomputing
from sluice_gate.damages.rows import need_arrow
from sluice_gate.damages.summary import summary
from sluice_gate.damages.sweeping import Progress

_IN_WORDS = f"{README}, the document in words"


@dataclass(frozen=True, slots=True)
class Report:
    """What was found."""

    digest: str
    """Of the assessment, hex; "" where there is none."""
    document: dict[str, Any] | None
    """None where what is there is no document."""
    differences: tuple[Difference, ...]
    checked: tuple[str, ...]
    """What was compared, in words."""
    not_checked: tuple[str, ...]
    """What could not be, because of differences that come first."""

    @property
    def agrees(self) -> bool:
        """Whether all was checked, and everything is as it was computed."""
        return not self.differences and not self.not_checked


def verify(bundle: Path, digest: str | None, progress: Progress) -> Report:
    """Checks a bundle; `digest` is the assessment's as it was quoted elsewhere, in hex, None if none was.

    Raises VerificationError (NOT_A_BUNDLE, PARQUET_MISSING) and OSError; what is wrong inside is reported.
    """
    folder = open_folder(bundle)
    # Before anything that takes long.
    need_arrow()
    found = [*folder.strays, *sum_faults(folder, progress)]
    data = folder.read(ASSESSMENT)
    own_digest = hashlib.sha256(data).hexdigest() if data is not None else ""
    if digest is not None and digest.lower() != own_digest:
        found.append(Difference(ASSESSMENT, f"digest {own_digest}", f"the digest quoted, {digest}"))
    document, form = parse(data) if data is not None else (None, [])
    found += form
    checked = ["every file against SHA256SUMS, and that there are no others"]
    if digest is not None:
        checked.append("the digest of the assessment against the one quoted")
    if document is None:
        found += name_faults(folder, None)
        return Report(own_digest, None, tuple(found), tuple(checked), ("the document, and all that follows",))
    shape, is_ground_sound = faults(document)
    found += shape
    checked.append("the document: its form, every field, and that members and exempt do not meet")
    if not is_ground_sound:
        found += name_faults(folder, None)
        rest = ("the rows, and every field that follows from them", _IN_WORDS)
        return Report(own_digest, document, tuple(found), tuple(checked), rest)
    more, and_checked, not_checked = _recomputed(document, folder, progress)
    found += more
    checked += and_checked
    # Of fields that cannot be, or are not so, there is nothing to be told in words.
    if shape or more or not_checked:
        not_checked = (*not_checked, _IN_WORDS)
    else:
        found += text_faults(folder, README, summary(document, own_digest))
        checked.append(f"{README}: every word of it is made from the document")
    return Report(own_digest, document, tuple(found), tuple(checked), not_checked)


def _recomputed(
    document: dict[str, Any], folder: Folder, progress: Progress
) -> tuple[list[Difference], list[str], tuple[str, ...]]:
    """Differences of the rows and of what follows from them, what was checked, and what was not."""
    said = document["evidence"]
    found = list(name_faults(folder, -(-said["rows"] // said["chunk_rows"])))
    evidence = EvidenceReader(document, folder).read(progress)
    found += evidence.differences
    checked = [f"{said['rows']:,} rows: their order, values, parties and stretches, and the root over them"]
    if evidence.rows is None:
        return found, checked, ("every field that follows from the rows",)
    derived = Recomputing(document, evidence.rows, progress).derived()
    for name in DERIVED:
        if name in document:
            found += compare(name, document[name], derived[name])
    periods, readings = len(derived["periods"]), len(derived["readings"])
    checked.append(f"{periods:,} periods, their amounts, members and split; the totals; who is liable")
    checked.append(f"{readings} readings of the clause, each computed from the rows")
    return found, checked, ()
