"""`sluice subjects releases`: who got the posts of a subject, and the index that finds it."""

from typing import Annotated, Any

import typer

from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from services.console.recall_files import post_id_texts
from sluice.licensing.v1 import disclosure_service_pb2 as pb
from sluice.licensing.v1.disclosure_service_pb2_grpc import DisclosureServiceStub
from sluice.licensing.v1.recall_pb2 import RecallState
from sluice.type.v1.purpose_pb2 import Purpose

PAGE = 100


def releases(
    subject: options.SubjectId,
    *,
    is_summed: Annotated[bool, typer.Option("--sum", help="Add them up by licensee and purpose.")] = False,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List who got posts of a subject, or posts that embed one of theirs; the newest release first.

    Delivered or not is what the pipeline confirmed; of the others neither is known, and they count as
    delivered. With --json also the receipts and the ids of the posts, as texts: many readers take numbers
    above 2^53 for others.
    """
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    if is_summed:
        sums = connections.run(lambda connections: summary(connections, subject))
        _give_sums(sums, as_json=as_json)
        return
    found = connections.run(lambda connections: all_releases(connections, subject))
    if as_json:
        give_json([plain_release(release) for release in found])
        return
    heads = (">receipt", "decided", "licensee", "purpose", *_COUNTS, "recalls")
    show(table(heads, [_line(release) for release in found]))
    if not found:
        say("No release held anything of theirs.")


def reindex(
    *,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Have the index of releases made anew from the ledger; until it is, much that needs it is refused."""
    connections = Connections.open(state, token_file, OPERATOR, {"licensing": address})
    number = connections.run(rebuild_index)
    if as_json:
        give_json({"up_to_receipt_number": number})
    else:
        say(f"The index is made anew, up to receipt {number:,} at least.")


async def all_releases(connections: Connections, subject: int) -> list[pb.SubjectRelease]:
    """Every release that held something of a subject, the newest first; raises Refusal."""
    peer = connections.peer("licensing")
    stub, found = DisclosureServiceStub(peer.channel), list[pb.SubjectRelease]()
    request = pb.ListSubjectReleasesRequest(subject_id=subject, page_size=PAGE)
    while True:
        page = await peer.call(stub.ListSubjectReleases, request)
        found += page.releases
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


async def summary(connections: Connections, subject: int) -> list[pb.SubjectReleaseSum]:
    """The sums of a subject; raises Refusal."""
    peer = connections.peer("licensing")
    request = pb.GetSubjectSummaryRequest(subject_id=subject)
    return list((await peer.call(DisclosureServiceStub(peer.channel).GetSubjectSummary, request)).sums)


async def rebuild_index(connections: Connections) -> int:
    """Raises Refusal; the receipt number up to which the index will be made."""
    peer = connections.peer("licensing")
    request = pb.RebuildReleaseIndexRequest(request_id=connections.new_id())
    stub = DisclosureServiceStub(peer.channel)
    return (await peer.call(stub.RebuildReleaseIndex, request)).up_to_receipt_number


def plain_release(release: pb.SubjectRelease) -> dict[str, Any]:
    """A release as JSON values."""
    return complete(release) | {"post_ids": post_id_texts(release)}


_COUNTS = (">posts", ">delivered", ">not", ">unknown")


def _give_sums(sums: list[pb.SubjectReleaseSum], *, as_json: bool) -> None:
    if as_json:
        give_json([complete(sum) for sum in sums])
        return
    heads = ("licensee", "purpose", ">releases", *_COUNTS, "first", "last")
    show(table(heads, [_sum_line(sum) for sum in sums]))


def _line(release: pb.SubjectRelease) -> tuple[object, ...]:
    return (
        release.receipt_number,
        moments.clock_face(release.decided_at)[:16],
        release.licensee_id,
        word_of(Purpose.DESCRIPTOR, release.purpose),
        *_counts(release),
        recall_words(release),
    )


def recall_words(release: pb.SubjectRelease) -> str:
    """The states of its recalls in words, with how many posts each has: "3 deleted, 1 issued"."""
    return ", ".join(
        f"{recall.posts:,} {word_of(RecallState.DESCRIPTOR, recall.state)}" for recall in release.recalls
    )


def _sum_line(sum: pb.SubjectReleaseSum) -> tuple[object, ...]:
    return (
        sum.licensee_id,
        word_of(Purpose.DESCRIPTOR, sum.purpose),
        sum.releases,
        *_counts(sum),
        moments.clock_face(sum.first_decided_at)[:10],
        moments.clock_face(sum.last_decided_at)[:10],
    )


def _counts(told: pb.SubjectRelease | pb.SubjectReleaseSum) -> tuple[int, int, int, int]:
    return (told.posts, told.posts_delivered, told.posts_undelivered, told.posts_unconfirmed)
