"""`sluice receipt verify-request`: what a licensee asked and was told, checked without a server (R3)."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from google.protobuf import json_format
from google.protobuf.message import Message

from services.console import log, options
from services.console.names import word_of
from services.console.output import counted, give_json, note, say, show, table
from sluice.licensing.v1 import release_service_pb2 as pb
from sluice.licensing.v1.reason_pb2 import Verdict
from sluice_gate.errors import VerificationError
from sluice_gate.verifying.requested import VerifiedRequest, verify_requested

Parsed = TypeVar("Parsed", bound=Message)


def verify_request(
    request: Annotated[
        Path, typer.Argument(help="What was sent to RequestRelease, in JSON.", exists=True, dir_okay=False)
    ],
    answer: Annotated[
        Path,
        typer.Argument(
            help="What came back, or what GetDecision says of it, in JSON.", exists=True, dir_okay=False
        ),
    ],
    *,
    license: Annotated[
        str | None,
        typer.Option(
            help="The license that it was asked for, where the request itself does not say.",
            parser=options.name_id,
        ),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(help="JWKS with the platform's receipt keys. Else that of the local installation."),
    ] = None,
    state: options.State = options.DEFAULT_STATE,
    as_json: options.AsJson = False,
) -> None:
    """Verify, as a licensee who asked by post ids, that the receipt says what was asked and answered.

    Needs no server. The key in the answer opens the digests of the ids and of the verdicts; who is in the
    posts stays closed. Ends with 1 at the first thing that is not as it should be, and says what.
    """
    asked = asked_in(request, license)
    # A platform that is newer than this program may say more than it knows.
    told = _parsed(answer, pb.RequestReleaseResponse(), "ANSWER_MALFORMED", may_say_more=True).decision
    verified = verify_requested(asked, told, log.receipt_keys_of(state, keys))
    if as_json:
        give_json(_plain(verified))
        return
    _tell(verified)


def asked_in(file: Path, license: str | None) -> pb.RequestReleaseRequest:
    """A request as it was sent, with the license that stood in its path.

    Raises VerificationError: REQUEST_MALFORMED; REQUEST_DIFFERS, where both name one and not the same.
    """
    asked = _parsed(file, pb.RequestReleaseRequest(), "REQUEST_MALFORMED")
    if license is None and not asked.license_id:
        raise typer.BadParameter("the request does not say for which license it was", param_hint="--license")
    if license is not None and asked.license_id not in {"", license}:
        raise VerificationError("REQUEST_DIFFERS", f"the request is for {asked.license_id}, not {license}")
    asked.license_id = license or asked.license_id
    return asked


def _parsed(file: Path, message: Parsed, reason: str, *, may_say_more: bool = False) -> Parsed:
    try:
        text = file.read_text(encoding="utf-8")
        return json_format.Parse(text, message, ignore_unknown_fields=may_say_more)
    except (json_format.ParseError, UnicodeDecodeError) as error:
        raise VerificationError(reason, f"{file} is no {type(message).DESCRIPTOR.name} in JSON") from error


def _words(verified: VerifiedRequest) -> list[str]:
    return [word_of(Verdict.DESCRIPTOR, number) for number in verified.verdicts]


def _plain(verified: VerifiedRequest) -> dict[str, Any]:
    claims = verified.claims
    return {
        "verified": True,
        "decision_id": claims.decision_id,
        "receipt_number": claims.number,
        "license_id": claims.license_id,
        "purpose": claims.purpose,
        "decided_at": claims.decided_at,
        "outcome": claims.outcome.lower(),
        "verdicts": [
            {"post_id": str(id), "verdict": word}
            for id, word in zip(verified.post_ids, _words(verified), strict=True)
        ],
        "each_verdict_is_signed": verified.each_verdict_is_signed,
        "key_is_revoked": verified.key_is_revoked,
    }


def _tell(verified: VerifiedRequest) -> None:
    claims, posts = verified.claims, counted(len(verified.post_ids), "post")
    say(f"Decision {claims.decision_id} of {claims.decided_at}, receipt {claims.number:,}:")
    say(f"{claims.licensee_id} asked under {claims.license_id} for {claims.purpose}, about {posts}:")
    show(table(("verdict", ">posts"), Counter(_words(verified)).most_common()))
    say("The platform has signed this: these posts, in this order, and what is answered about them.")
    if not verified.each_verdict_is_signed:
        note("The receipt is an old one: it says how many posts got which verdict, and not which of them.")
    if verified.key_is_revoked:
        note(
            "The key of the receipt was revoked later: only a checkpoint that somebody kept from before shows"
            " that it is as old as it says."
        )
    note("It shows neither what was delivered, nor that no other decision was made.")
