"""`sluice damages policy`: the clause of the terms as data, version by version (D1)."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.chassis.refusals import not_found
from services.console import durations, money, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.documents import read_document
from services.console.moments import clock_face
from services.console.names import complete, word_of
from services.console.output import give_json, say, show, table
from sluice.metering.v1 import damages_service_pb2 as pb
from sluice.metering.v1.access_pb2 import AccessKind
from sluice.metering.v1.damages_pb2 import DamagesOverlap, DamagesPolicy, DamagesRounding
from sluice.metering.v1.damages_service_pb2_grpc import DamagesServiceStub

GIVEN_BY_METERING = ("version", "recorded_at", "recorded_by")
NEEDED = ("threshold", "decimals")
"""Numbers that mean something else where they are 0."""
PAGE = 200
COLUMNS = (">version", "title", ">more than", "in any", ">rate", ">per posts", "read with", "recorded at")

app = typer.Typer(help="The clause of the terms, as data.", no_args_is_help=True)


@app.command("put")
def put(
    file: Annotated[Path, typer.Argument(help="YAML file.", exists=True, dir_okay=False)],
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Put a version of the clause on record. It takes the place of the one before, which stays on record.

    Fields: title, terms_digest (SHA-256 of the terms, in hex), threshold, window (24h if not said), unit,
    rate (15000.00 USD), decimals (of the currency), rounding, overlap, accesses, licensed_volume_counts,
    not_enforceable (a list of jurisdiction and reason).

    Example: `sluice damages policy put examples/damages-policy.yaml`
    """
    policy = read_document(file, DamagesPolicy, GIVEN_BY_METERING, needed=NEEDED)
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    answer = connections.run(lambda connections: put_policy(connections, policy))
    if as_json:
        give_json(complete(answer))
        return
    version = f"Version {answer.policy.version} of the damages policy"
    say(f"{version} is on record at revision {answer.revision.number}.")
    say(clause(answer.policy))


@app.command("list")
def list_(
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the versions of the clause, latest first.

    Example: `sluice damages policy list`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    policies = connections.run(all_policies)
    if as_json:
        give_json([complete(policy) for policy in policies])
    elif policies:
        show(table(COLUMNS, [policy_row(policy) for policy in policies]))
    else:
        say("No damages policy is on record.")


@app.command("show")
def show_one(
    version: Annotated[int | None, typer.Argument(help="Its version. Else the latest.", min=1)] = None,
    *,
    address: options.Metering = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show a version of the clause, all of it.

    Example: `sluice damages policy show 2`
    """
    connections = Connections.open(state, token_file, OPERATOR, {"metering": address})
    policy = find_policy(connections.run(all_policies), version)
    if as_json:
        give_json(complete(policy))
        return
    show(table(("field", "value"), facts(policy)))
    say(clause(policy))


async def put_policy(connections: Connections, policy: DamagesPolicy) -> pb.PutDamagesPolicyResponse:
    """Under a fresh request id; raises Refusal (RATE_INVALID, WINDOW_INVALID, JURISDICTION_TWICE, others)."""
    peer = connections.peer("metering")
    request = pb.PutDamagesPolicyRequest(request_id=connections.new_id(), policy=policy)
    return await peer.call(DamagesServiceStub(peer.channel).PutDamagesPolicy, request)


async def all_policies(connections: Connections) -> list[DamagesPolicy]:
    """Every version, latest first; raises Refusal."""
    peer = connections.peer("metering")
    stub = DamagesServiceStub(peer.channel)
    found: list[DamagesPolicy] = []
    token = ""
    while True:
        request = pb.ListDamagesPoliciesRequest(page_size=PAGE, page_token=token)
        page = await peer.call(stub.ListDamagesPolicies, request)
        found += page.policies
        token = page.next_page_token
        if not token:
            return found


def find_policy(policies: list[DamagesPolicy], version: int | None) -> DamagesPolicy:
    """Of all, latest first; raises Refusal (not found, POLICY_UNKNOWN)."""
    found = next((each for each in policies if version in {None, each.version}), None)
    if found is None:
        raise not_found("POLICY_UNKNOWN", "there is no such version of the damages policy")
    return found


def clause(policy: DamagesPolicy) -> str:
    """The clause in one sentence."""
    rate = money.face(policy.rate, policy.decimals)
    window = durations.words(policy.window.ToMicroseconds())
    licensed = "counts" if policy.licensed_volume_counts else "is left out"
    return (
        f"More than {policy.threshold:,} posts in any {window}: {rate} per {policy.unit:,} posts"
        f" ({reading_words(policy.rounding, policy.overlap)}). Counted are {access_words(policy.accesses)};"
        f" licensed volume {licensed}."
    )


def reading_words(rounding: int, overlap: int) -> str:
    """How posts become what is charged, and how overlapping windows are treated."""
    return f"{word_of(DamagesRounding.DESCRIPTOR, rounding)}, {word_of(DamagesOverlap.DESCRIPTOR, overlap)}"


def access_words(accesses: Any) -> str:
    """Kinds of access, in the order that they came."""
    return ", ".join(word_of(AccessKind.DESCRIPTOR, each) for each in accesses)


def facts(policy: DamagesPolicy) -> list[tuple[str, Any]]:
    """The rows that say what the sentence does not."""
    barred = "; ".join(f"{each.jurisdiction} ({each.reason})" for each in policy.not_enforceable)
    return [
        ("version", policy.version),
        ("title", policy.title or "not said"),
        ("terms", policy.terms_digest.hex()),
        ("amounts are rounded to", f"{policy.decimals} decimals"),
        ("not enforceable in", barred or "nothing is said"),
        ("recorded", f"{clock_face(policy.recorded_at)} by {policy.recorded_by}"),
    ]


def policy_row(policy: DamagesPolicy) -> tuple[Any, ...]:
    """One row of a list."""
    return (
        policy.version,
        policy.title,
        policy.threshold,
        durations.words(policy.window.ToMicroseconds()),
        money.face(policy.rate, policy.decimals),
        policy.unit,
        reading_words(policy.rounding, policy.overlap),
        clock_face(policy.recorded_at),
    )
