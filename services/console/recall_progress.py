"""`sluice recall gaps` and `progress`: what went out all the same, and how far withdrawals have come."""

from services.console import options, recall_calls
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.moments import clock_face
from services.console.names import complete, word_of
from services.console.output import counted, give_json, say, show, table
from services.console.recalls import OfLicensee
from sluice.licensing.v1.recall_pb2 import ReleaseGap
from sluice.type.v1.revision_pb2 import Revision


def gaps(
    *,
    licensee: OfLicensee = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List releases that were made, or could still be delivered, when a withdrawal of them was known.

    permit_open: decided before, with a permit that was valid still and no delivery confirmed. decided_after:
    decided when it was known, on an answer from before.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(lambda connections: recall_calls.all_gaps(connections, licensee))
    if as_json:
        give_json([complete(gap) for gap in found])
        return
    if not found:
        say("There are none.")
        return
    columns = ("withdrawn", "kind", "licensee", ">posts", "=decision", "decided", "permit until", "=recall")
    show(table(columns, [_line(gap) for gap in found]))


def progress(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show how far withdrawals have been read, and how far they have led to recalls."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    found = connections.run(recall_calls.progress)
    if as_json:
        give_json(complete(found))
        return
    say(f"Withdrawals are read up to {_place(found.followed)}.")
    say(f"No release concludes on an answer from before {_place(found.fence)}.")
    say(f"Up to {_place(found.scanned)} they have led to their recalls.")
    if found.HasField("oldest_unscanned_at"):
        say(f"The oldest that has not was recorded at {clock_face(found.oldest_unscanned_at)}.")
    rechecks, collecting = (
        counted(found.rechecks_open, "recheck"),
        counted(found.recalls_collecting, "recall"),
    )
    say(f"Open: {rechecks}; collecting: {collecting}.")


def _line(gap: ReleaseGap) -> tuple[object, ...]:
    return (
        clock_face(gap.withdrawn_at)[:23],
        word_of(ReleaseGap.Kind.DESCRIPTOR, gap.kind),
        gap.licensee_id,
        gap.posts,
        gap.decision_id,
        clock_face(gap.decided_at)[:23],
        clock_face(gap.not_after)[:23],
        gap.recall_id or "not issued",
    )


def _place(revision: Revision) -> str:
    return f"{revision.epoch}:{revision.number}"
