"""`sluice damages verify`: computes an assessment again from its bundle, with no server running."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from services.console import options
from services.console.long_work import told
from services.console.output import (
    counted,
    give_json,
    note,
    say,
    shout,
    show,
    table,
)
from sluice_gate.damages.not_shown import NOT_SHOWN
from sluice_gate.damages.verify import Report
from sluice_gate.damages.verify import verify as verify_bundle

DIFFERS = 1
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def verify(
    bundle: Annotated[
        Path,
        typer.Argument(help="The folder of the bundle.", exists=True, file_okay=False, show_default=False),
    ],
    *,
    digest: Annotated[
        str | None,
        typer.Option(help="Digest of the assessment as a notice quotes it, SHA-256 in hex.", metavar="HEX"),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Compute an assessment again from its evidence, and name everything that differs.

    Needs no server and trusts nothing in the folder: periods, amounts, shares and every other reading of the
    clause are computed from the rows, and README.md is made again. The picture (window.svg) is not checked
    against the rows. Ends with 0 only if all of it agrees. Without --digest nothing shows that it is the
    assessment that was recorded.
    """
    if digest is not None and not _DIGEST.fullmatch(digest):
        raise typer.BadParameter("64 hex digits are expected", param_hint="--digest")
    with told(as_json=as_json) as tell:
        report = verify_bundle(bundle, digest, tell)
    if as_json:
        give_json(plain(report, compared=digest is not None))
    else:
        _say(report, compared=digest is not None)
    if not report.agrees:
        raise typer.Exit(DIFFERS)


def plain(report: Report, *, compared: bool) -> dict[str, Any]:
    """The report as JSON values."""
    return {
        "agrees": report.agrees,
        "digest": report.digest,
        "digest_compared": compared,
        "checked": list(report.checked),
        "not_checked": list(report.not_checked),
        "not_shown": list(NOT_SHOWN),
        "differences": [
            {"field": each.field, "said": each.said, "computed": each.computed} for each in report.differences
        ],
    }


def _say(report: Report, *, compared: bool) -> None:
    for line in report.checked:
        say(f"  checked: {line}")
    for line in report.not_checked:
        say(f"  not checked: {line}, for what is named below comes first")
    if report.differences:
        rows = [(each.field, each.said, each.computed) for each in report.differences]
        show(table(("where", "says", "should be"), rows))
        shout(f"It does not agree: {counted(len(report.differences), 'difference')}.")
    else:
        say(f"All of it agrees. Digest of the assessment: {report.digest}")
    if not compared:
        note("The digest was not compared with one quoted elsewhere; --digest does that.")
    note("What this does not show:")
    for line in NOT_SHOWN:
        note(f"  {line}")
