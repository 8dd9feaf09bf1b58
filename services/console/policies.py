"""`sluice policy`: what applies to subjects who have not chosen."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from services.chassis.clock import SystemClock
from services.chassis.refusals import Refusal, invalid
from services.console import moments, options
from services.console.connections import Connections
from services.console.credentials import OPERATOR
from services.console.documents import read_document
from services.console.names import plain
from services.console.output import give_json, say, show, table
from sluice.consent.v1 import consent_service_pb2 as consent
from sluice.consent.v1.consent_service_pb2_grpc import ConsentServiceStub
from sluice.consent.v1.policy_pb2 import Policy

GIVEN_BY_CONSENT = (
    "version",
    "activated_at",
    "activation_revision",
    "retracted_at",
    "retraction_revision",
)
PAGE = 200
LARGEST_VERSION = 2**31 - 1
MISSING = "is missing"
WAY_OUT = ": write it into the file, or give --effective-in SECONDS"
SHORTEST_NOTICE_SECONDS = 0.1
"""A policy may not take effect in the past, and it takes a moment to announce it."""

app = typer.Typer(help="Policies: what applies to subjects who have not chosen.", no_args_is_help=True)


@app.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(help="YAML file.", exists=True, dir_okay=False)],
    *,
    effective_in: Annotated[
        float | None,
        typer.Option(
            help="Seconds from now, instead of the file's effective_at.", min=SHORTEST_NOTICE_SECONDS
        ),
    ] = None,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Announce a version of the policy, to take effect at its time (never in the past).

    Fields: effective_at, text_digest (SHA-256 of the policy's text, in hex), rules (a list of jurisdiction,
    purpose, and regime: opt_in, opt_out or prohibited) and notice_digests. A jurisdiction without a rule is
    opt_in; a purpose in no rule releases nothing.
    """
    policy = read_policy(file, effective_in)
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: publish_policy(connections, policy))
    if as_json:
        give_json(plain(answer))
        return
    effective = moments.clock_face(answer.policy.effective_at)
    say(f"Policy version {answer.policy.version} takes effect at {effective}.")
    say(f"In force everywhere after {moments.clock_face(answer.in_force_after)}.")


@app.command("retract")
def retract(
    version: Annotated[int, typer.Argument(help="Version of the policy.", min=1, max=LARGEST_VERSION)],
    *,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """Retract an announced version before its time: it never takes effect, and stays on record."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    answer = connections.run(lambda connections: retract_policy(connections, version))
    if as_json:
        give_json(plain(answer))
        return
    effective = moments.clock_face(answer.policy.effective_at)
    say(f"Policy version {version} is retracted, and does not take effect at {effective}.")


@app.command("list")
def list_(
    *,
    address: options.Consent = None,
    state: options.State = options.DEFAULT_STATE,
    token_file: options.TokenFile = None,
    as_json: options.AsJson = False,
) -> None:
    """List the versions of the policy, newest first."""
    connections = Connections.open(state, token_file, OPERATOR, {"consent": address})
    policies = connections.run(all_policies)
    if as_json:
        give_json([plain(policy) for policy in policies])
        return
    rows = [
        (
            policy.version,
            moments.clock_face(policy.effective_at),
            _took_effect(policy),
            len(policy.rules),
            policy.text_digest.hex()[:12],
        )
        for policy in policies
    ]
    show(table((">version", "effective at", "took effect", ">rules", "text"), rows))


def read_policy(file: Path, effective_in: float | None) -> Policy:
    """The policy in a file; `effective_in` seconds from now replace its time. Raises Refusal and OSError."""
    if effective_in is None:
        return _read_dated(file)
    try:
        effective_at = moments.from_us(SystemClock().now_us() + int(effective_in * 1_000_000))
    except (ValueError, OverflowError):
        raise invalid("TIME_OUT_OF_RANGE", f"{effective_in:g} seconds from now there is no date") from None
    return read_document(file, Policy, GIVEN_BY_CONSENT, instead={"effective_at": effective_at})


def _read_dated(file: Path) -> Policy:
    try:
        return read_document(file, Policy, GIVEN_BY_CONSENT)
    except Refusal as refusal:
        refusal.violations = tuple(
            replace(violation, description=MISSING + WAY_OUT)
            if violation.field.endswith(" effective_at") and violation.description == MISSING
            else violation
            for violation in refusal.violations
        )
        raise


def _took_effect(policy: Policy) -> str:
    if policy.HasField("activated_at"):
        return moments.clock_face(policy.activated_at)
    return "retracted" if policy.HasField("retracted_at") else "not yet"


async def publish_policy(connections: Connections, policy: Policy) -> consent.PublishPolicyResponse:
    """Announces it under a fresh id; raises Refusal."""
    peer = connections.peer("consent")
    request = consent.PublishPolicyRequest(request_id=connections.new_id(), policy=policy)
    return await peer.call(ConsentServiceStub(peer.channel).PublishPolicy, request)


async def retract_policy(connections: Connections, version: int) -> consent.RetractPolicyResponse:
    """Retracts it under a fresh id; raises Refusal (POLICY_UNKNOWN, POLICY_IN_EFFECT, and others)."""
    peer = connections.peer("consent")
    request = consent.RetractPolicyRequest(request_id=connections.new_id(), version=version)
    return await peer.call(ConsentServiceStub(peer.channel).RetractPolicy, request)


async def all_policies(connections: Connections) -> list[Policy]:
    """Every version, newest first; raises Refusal."""
    peer = connections.peer("consent")
    stub = ConsentServiceStub(peer.channel)
    policies: list[Policy] = []
    token = ""
    while True:
        page = await peer.call(
            stub.ListPolicies, consent.ListPoliciesRequest(page_size=PAGE, page_token=token)
        )
        policies += page.policies
        token = page.next_page_token
        if not token:
            return policies
