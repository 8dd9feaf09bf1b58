"""`sluice licensee request`: a licensee asks for posts by their ids."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf import json_format

from services.chassis.refusals import Refusal, forbidden, invalid
from services.console import options, recall_calls
from services.console.connections import Connections
from services.console.decisions import room_sentence
from services.console.moments import clock_face
from services.console.names import plain, word_of
from services.console.output import give_json, note, say, show, table
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice.licensing.v1.release_service_pb2_grpc import ReleaseServiceStub

LISTED = 20
"""Denied posts that are named for people."""
DENIALS = {
    "not_covered": "Not covered by the license",
    "not_available": "Not available",
    "no_room": "No room now",
    "duplicate": "Named before",
}
"""What is said of the posts with each verdict that is a denial."""
LARGEST_ID = 2**64 - 1


def request(
    posts: Annotated[
        list[str], typer.Argument(metavar="IDS...|FILE", help="Ids of posts, or files with one id a line.")
    ],
    *,
    license: Annotated[str, typer.Option(help="The license.", parser=options.name_id)],
    purpose: Annotated[str, typer.Option(help="What for, such as ai_training_generative.")],
    licensee: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Who asks, where no API key or token says so.", parser=options.name_id
        ),
    ] = None,
    request_id: Annotated[
        str | None,
        typer.Option(help="Ask the same again: the id of the first time. Programs choose one, a UUIDv7."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            help="Write request.json and release.json into this folder, for `sluice receipt verify-request`.",
            file_okay=False,
        ),
    ] = None,
    address: options.Licensing = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    api_key_file: options.ApiKeyFile = None,
    insecure: options.Insecure = False,
    as_json: options.AsJson = False,
) -> None:
    """Ask, as a licensee, for posts by their ids; show which may be fetched, and until when.

    Exits with 0 also where nothing was released: a denial is an answer.
    """
    ids, number = read_ids(posts), options.purpose_number(purpose)
    connections = recall_calls.connect(
        state, address, token_file, api_key_file, insecure=insecure, licensee=licensee
    )
    asked = pb.RequestReleaseRequest(
        request_id=request_id or connections.new_id(),
        license_id=license,
        purpose=number,  # type: ignore[arg-type]  # an open enum
        post_ids=ids,
    )
    if not as_json:
        # Before the answer, which may be lost: the same request again is decided and counted once.
        note(f"Request {asked.request_id}.")
    decision = connections.run(lambda connections: request_release(connections, asked))
    if keep is not None:
        _keep(keep, asked, decision)
    if as_json:
        give_json(_as_json(ids, decision))
        return
    _tell(ids, decision)


def read_ids(given: list[str]) -> list[int]:
    """Ids as they are given, and those of files, in their order.

    Raises Refusal (invalid, POST_IDS_MALFORMED) for what is neither an id nor a file of such, and OSError.
    """
    ids: list[int] = []
    for text in given:
        if _is_id(text):
            ids.append(int(text))
        elif Path(text).is_file():
            ids += _ids_in(Path(text))
        else:
            raise invalid(
                "POST_IDS_MALFORMED", f"{text[:70]!r} is neither the id of a post nor a file of ids"
            )
    if not ids:
        raise invalid("POST_IDS_MALFORMED", "no ids are given")
    return ids


async def request_release(connections: Connections, asked: pb.RequestReleaseRequest) -> pb.Decision:
    """The decision. Raises Refusal."""
    peer = connections.peer("licensing")
    try:
        return (await peer.call(ReleaseServiceStub(peer.channel).RequestRelease, asked)).decision
    except Refusal as refusal:
        if refusal.reason != "NOT_ADMITTED":
            raise
        said = "only a licensee asks so: name their key with --api-key-file, or, at a local installation, "
        raise forbidden(refusal.reason, f"{said}the licensee with --licensee") from refusal


def _keep(folder: Path, asked: pb.RequestReleaseRequest, decision: pb.Decision) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    answer = pb.RequestReleaseResponse(decision=decision)
    for name, message in (("request.json", asked), ("release.json", answer)):
        (folder / name).write_text(json_format.MessageToJson(message) + "\n", encoding="utf-8")


def _ids_in(path: Path) -> list[int]:
    ids = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = line.strip()
        if text and not _is_id(text):
            raise invalid("POST_IDS_MALFORMED", f"{path}, line {number}: this is not the id of a post")
        ids += [int(text)] if text else []
    return ids


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) <= LARGEST_ID


def _words(decision: pb.Decision) -> list[str]:
    return [word_of(Verdict.DESCRIPTOR, number) for number in decision.verdicts]


def _as_json(ids: list[int], decision: pb.Decision) -> dict[str, Any]:
    verdicts = [{"post_id": str(id), "verdict": word} for id, word in zip(ids, _words(decision), strict=True)]
    return {**plain(decision), "verdicts": verdicts}


def _listed(ids: list[str]) -> str:
    left = f" ... and {len(ids) - LISTED:,} more; --json lists all" if len(ids) > LISTED else ""
    return " ".join(ids[:LISTED]) + left


def _tell(ids: list[int], decision: pb.Decision) -> None:
    outcome = word_of(pb.Outcome.DESCRIPTOR, decision.outcome)
    again = ", as was said before" if decision.replayed else ""
    say(f"Decision {decision.decision_id}: {outcome}{again}.")
    words = _words(decision)
    show(table(("verdict", ">posts"), Counter(words).most_common()))
    if decision.HasField("room_denial"):
        note(f"No room: {room_sentence(decision.room_denial)}.")
    for verdict, said in DENIALS.items():
        if denied := [str(id) for id, word in zip(ids, words, strict=True) if word == verdict]:
            say(f"{said}: {_listed(denied)}")
    released = [str(id) for id, word in zip(ids, words, strict=True) if word == "released"]
    if decision.is_void:
        note("What was released may not be fetched any more: its time is over.")
    elif released:
        say(f"To be fetched until {clock_face(decision.not_after)}: {' '.join(released)}")
